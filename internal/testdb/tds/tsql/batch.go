package tsql

import (
	"errors"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// Batch is [tds.Session.Batch].
func (s *session) Batch(text string, params []tds.Param, out tds.Sink) ([]any, error) {
	var outputs []any
	err := s.request(out, func(f *frame) error {
		for _, p := range params {
			v, err := encode(p.Type, p.Value)
			if err != nil {
				return err
			}
			f.vars[p.Name] = &v
		}
		prog, err := s.server.parse(text)
		if err != nil {
			return err
		}
		f.written = prog.written
		run := f.scope
		if params != nil {
			run = f.nested
		}
		if err := run(prog.steps); err != nil {
			return err
		}
		outputs, err = f.outputs(params)
		return err
	})
	return outputs, err
}

func (f *frame) outputs(params []tds.Param) ([]any, error) {
	var outputs []any
	for _, p := range params {
		if !p.Output {
			continue
		}
		v, err := f.vars[p.Name].decoded()
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, v)
	}
	return outputs, nil
}

func (v value) decoded() (any, error) {
	if v.null {
		return nil, nil
	}
	return decode(v.Type, []byte(v.text))
}

// request runs something for the client and makes a *failure that nobody has settled a message.
func (s *session) request(out tds.Sink, run func(f *frame) error) error {
	if err := s.start(); err != nil {
		return err
	}
	defer s.finish()
	f := &frame{s: s, out: out, vars: map[string]*value{}}
	s.tries, s.depth = 0, 0
	err := run(f)
	if fl, ok := asFailure(err); ok {
		err = f.settle(fl)
	}
	if errors.Is(err, errCancel) && s.tran.count > 0 && (s.xactAbort || s.tran.gone) {
		err = f.endTransaction("rollback", tds.TranRolledBack)
	}
	switch {
	case errors.Is(err, errScope), errors.Is(err, errBatch), errors.Is(err, errCancel):
		err = nil
	}
	if err == nil && s.tran.doomed {
		// "Uncommittable transactions and XACT_STATE": the end of the batch rolls it back.
		err = f.endTransaction("rollback", tds.TranRolledBack)
		out.Message(tds.Message{Number: 3998, State: 1, Class: 16, Line: 1,
			Text: "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back."})
		out.Done(tds.Done{Failed: true})
	}
	return err
}

// Begin is [tds.Session.Begin].
func (s *session) Begin(level tds.Isolation, name string, out tds.Sink) error {
	return s.request(out, func(f *frame) error {
		if level != 0 {
			if err := isolation(level).set(f); err != nil {
				return err
			}
		}
		return f.transact("BEGIN", name, false)
	})
}

// Commit is [tds.Session.Commit].
func (s *session) Commit(out tds.Sink) error {
	return s.request(out, func(f *frame) error { return f.transact("COMMIT", "", false) })
}

// Rollback is [tds.Session.Rollback].
func (s *session) Rollback(name string, out tds.Sink) error {
	return s.request(out, func(f *frame) error { return f.transact("ROLLBACK", name, false) })
}

// Save is [tds.Session.Save].
func (s *session) Save(name string, out tds.Sink) error {
	return s.request(out, func(f *frame) error { return f.transact("SAVE", name, false) })
}

// Call is [tds.Session.Call].
func (s *session) Call(name string, params []tds.Param, out tds.Sink) (int32, []any, error) {
	var status int32
	var outputs []any
	err := s.request(out, func(f *frame) error {
		c, err := parseName(name)
		if err != nil {
			return err
		}
		var args []actual
		for _, p := range params {
			v, err := encode(p.Type, p.Value)
			if err != nil {
				return err
			}
			args = append(args, actual{name: p.Name, value: v, output: p.Output})
		}
		if status, err = f.invoke(c, args); err != nil {
			return err
		}
		for _, a := range args {
			if a.output {
				v, err := a.value.decoded()
				if err != nil {
					return err
				}
				outputs = append(outputs, v)
			}
		}
		return nil
	})
	return status, outputs, err
}
