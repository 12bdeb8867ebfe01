package tsql

import (
	"errors"
	"fmt"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// frame is a scope that is being run: a batch, a procedure or the text of an EXEC.
type frame struct {
	s       *session
	out     tds.Sink
	vars    map[string]*value
	written map[string]string // see parser
	name    string            // of a procedure
	line    int32
	tries   int        // TRY blocks of this scope
	caught  []*failure // by the CATCH blocks that are being run
	status  int32      // of RETURN
}

// sequence is BEGIN ... END.
type sequence []step

func (q sequence) run(f *frame) error {
	for _, one := range q {
		if err := f.step(one); err != nil {
			return err
		}
	}
	return nil
}

// step runs a statement and settles its failure.
func (f *frame) step(one step) error {
	f.line = one.line
	err := one.run(f)
	var caught *thrown
	if err == nil || errors.As(err, &caught) {
		return err
	}
	if fl, ok := asFailure(err); ok {
		if fl.Line == 0 {
			fl.Line, fl.Procedure = f.line, f.name
		}
		return f.settle(fl)
	}
	return err
}

// settle decides what a failure does to the transaction and how far it goes ("SET XACT_ABORT", "TRY...CATCH", "Uncommittable
// transactions and XACT_STATE").
func (f *frame) settle(fl *failure) error {
	s := f.s
	s.lastError, s.rowCount = fl.Number, 0
	caught := s.tries > 0 && (fl.reach != endsScope || s.tries > f.tries)
	aborts := fl.reach == endsTransaction || fl.lost || s.xactAbort && !fl.spared
	if aborts && s.tran.count > 0 {
		if caught {
			s.tran.doomed = true
		} else if err := f.endTransaction("rollback", tds.TranRolledBack); err != nil {
			return err
		}
	}
	if caught {
		return &thrown{fl}
	}
	f.out.Message(fl.Message)
	if fl.reach == endsStatement && fl.Class == 14 || fl.Number == 547 || fl.Number == 515 {
		f.out.Message(tds.Message{Number: 3621, State: 0, Class: 0, Text: "The statement has been terminated.", Line: f.line})
	}
	f.out.Done(tds.Done{Failed: true})
	switch {
	case aborts || fl.reach == endsBatch:
		return errBatch
	case fl.reach == endsScope:
		return errScope
	}
	return nil
}

// scope runs the statements of a scope. Its error is one that the scope around it has to end with too.
func (f *frame) scope(steps []step) error {
	f.s.depth++
	defer func() { f.s.depth-- }()
	if f.s.depth > 32 {
		return fail(217, 1, 16, "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).")
	}
	err := sequence(steps).run(f)
	if errors.Is(err, errReturn) || errors.Is(err, errScope) {
		return nil
	}
	if errors.Is(err, errBreak) || errors.Is(err, errContinue) {
		return refusal(135, f.line, "Cannot use a BREAK statement outside the scope of a WHILE statement.")
	}
	return err
}

// nested runs the statements of a procedure or an EXEC: what they SET is put back ("SET statements", considerations).
func (f *frame) nested(steps []step) error {
	settings := f.s.settings
	err := f.scope(steps)
	f.s.settings = settings
	return err
}

// inner is a frame for a scope within this one.
func (f *frame) inner(name string) *frame {
	return &frame{s: f.s, out: f.out, vars: map[string]*value{}, written: f.written, name: name, caught: f.caught}
}

// variable is a variable, or a function of the session with two @.
func variable(t token) code {
	if known, ok := sessionFunctions[upper(t.text)]; ok {
		return known.code()
	}
	return sql(func(f *frame) (string, error) {
		v, err := f.variable(t.text)
		if err != nil {
			return "", err
		}
		return v.literal(), nil
	})
}

// typeOf is the gap of a variable's type.
func typeOf(t token) gap {
	return func(f *frame) (string, error) {
		v, err := f.variable(t.text)
		if err != nil {
			return "", err
		}
		return pgType(v.Type), nil
	}
}

func (f *frame) variable(name string) (*value, error) {
	if v, ok := f.vars[name]; ok {
		return v, nil
	}
	if len(name) > 1 && name[1] == '@' {
		return nil, unknown(f.line, "function "+name)
	}
	fl := refusal(137, f.line, fmt.Sprintf("Must declare the scalar variable %q.", name))
	fl.State = 2
	return nil, fl
}
