package tsql

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// condition is what IF and WHILE test.
type condition struct {
	before []code
	code   code
	local  func(f *frame) (bool, error) // nil: PostgreSQL has to be asked
}

func (c condition) test(f *frame) (bool, error) {
	if c.local != nil {
		return c.local(f)
	}
	main, err := sql("select case when ", c.code, " then 1 else 0 end").render(f)
	if err != nil {
		return false, err
	}
	before, err := renderAll(f, c.before)
	if err != nil {
		return false, err
	}
	yes := false
	_, err = f.perform(work{main: main, before: before, reads: true, take: func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			yes = string(r.Values()[0]) == "1"
		}
		return nil
	}})
	return yes, err
}

type ifElse struct {
	condition condition
	yes       step
	no        *step
}

func (s *ifElse) run(f *frame) error {
	yes, err := s.condition.test(f)
	switch {
	case err != nil:
		return err
	case yes:
		return f.step(s.yes)
	case s.no != nil:
		return f.step(*s.no)
	}
	return nil
}

type while struct {
	condition condition
	body      step
}

func (s *while) run(f *frame) error {
	for {
		yes, err := s.condition.test(f)
		if err != nil || !yes {
			return err
		}
		if isClosed(f.s.cancelled) {
			return errCancel
		}
		if err := f.step(s.body); errors.Is(err, errBreak) {
			return nil
		} else if err != nil && !errors.Is(err, errContinue) {
			return err
		}
	}
}

type jump struct{ error }

func (j jump) run(*frame) error { return j.error }

type returned struct {
	value operand
	given bool
}

func (s *returned) run(f *frame) error {
	if s.given {
		n, err := f.int(s.value)
		if err != nil {
			return err
		}
		f.status = int32(n)
	}
	return errReturn
}

// try is TRY...CATCH.
type try struct{ body, catch sequence }

func (s *try) run(f *frame) error {
	f.tries++
	f.s.tries++
	err := s.body.run(f)
	f.tries--
	f.s.tries--
	var caught *thrown
	if !errors.As(err, &caught) {
		return err
	}
	f.caught = append(f.caught, caught.failure)
	err = s.catch.run(f)
	f.caught = f.caught[:len(f.caught)-1]
	return err
}

type declare struct {
	name  string
	typ   tds.Type
	value operand
	given bool
}

// run: in a loop a variable is declared once, and assigned to again if the declaration does so.
func (s *declare) run(f *frame) error {
	v := value{Type: s.typ, null: true}
	if s.given {
		var err error
		if v, err = f.evaluate(s.value, s.typ); err != nil {
			return err
		}
	} else if f.vars[s.name] != nil {
		return nil
	}
	f.vars[s.name] = &v
	return nil
}

type assign struct {
	name  string
	value operand
}

func (s *assign) run(f *frame) error {
	v, err := f.variable(s.name)
	if err != nil {
		return err
	}
	if *v, err = f.evaluateInto(s.value, v.Type, *v); err != nil {
		return err
	}
	f.done(tds.Done{Rows: 1})
	return nil
}

// evaluateInto keeps the old value where there is an error.
func (f *frame) evaluateInto(o operand, t tds.Type, old value) (value, error) {
	v, err := f.evaluate(o, t)
	if err != nil {
		return old, err
	}
	return v, nil
}

type printed struct{ text operand }

func (s *printed) run(f *frame) error {
	text, err := f.text(s.text)
	if err != nil {
		return err
	}
	f.out.Message(tds.Message{State: 1, Text: text, Procedure: f.name, Line: f.line})
	f.done(tds.Done{})
	return nil
}

type wait struct{ delay operand }

func (s *wait) run(f *frame) error {
	text, err := f.text(s.delay)
	if err != nil {
		return err
	}
	var d time.Duration
	for _, layout := range []string{"15:04:05.999", "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			d = t.Sub(t.Truncate(24 * time.Hour))
			break
		} else if layout == "15:04" {
			return fail(148, 1, 15, "Incorrect time syntax in time string '%s' used with WAITFOR.", text)
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		f.done(tds.Done{})
		return nil
	case <-f.s.cancelled:
		return errCancel
	}
}
