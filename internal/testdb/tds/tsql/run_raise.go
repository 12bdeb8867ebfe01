package tsql

import (
	"fmt"
	"strings"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

type throw struct {
	given               bool
	number, text, state operand
}

// run: a number of its own has severity 16; without one the error that has been caught goes on ("THROW").
func (s *throw) run(f *frame) error {
	if !s.given {
		if len(f.caught) == 0 {
			return refusal(10704, f.line, "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement "+
				"inside a CATCH block, or add error parameters to the THROW statement.")
		}
		again := *f.caught[len(f.caught)-1]
		again.reach, again.spared, again.lost = endsBatch, false, false
		return &again
	}
	number, err := f.int(s.number)
	if err != nil {
		return err
	}
	text, err := f.text(s.text)
	if err != nil {
		return err
	}
	state, err := f.int(s.state)
	if err != nil {
		return err
	}
	if number < 50000 {
		return fail(35100, 10, 16, "Error number %d in the THROW statement is outside the valid range. Specify an error number in the valid "+
			"range of 50000 to 2147483647.", number)
	}
	fl := fail(int32(number), uint8(state), 16, "%s", text)
	fl.reach = endsBatch
	return fl
}

type raiserror struct {
	text, class, state operand
	args               []operand
}

// run: a severity of ten or less is only a message, and XACT_ABORT does not see any ("RAISERROR").
func (s *raiserror) run(f *frame) error {
	if s.text.plain != nil && s.text.plain.Kind == tds.Int {
		return unknown(f.line, "RAISERROR of a message by its number")
	}
	text, err := f.text(s.text)
	if err != nil {
		return err
	}
	class, err := f.int(s.class)
	if err != nil {
		return err
	}
	state, err := f.int(s.state)
	if err != nil {
		return err
	}
	var args []any
	for _, arg := range s.args {
		v, err := f.text(arg)
		if err != nil {
			return err
		}
		args = append(args, v)
	}
	if text, err = formatted(text, args); err != nil {
		return err
	}
	if class > 18 {
		return fail(2754, 1, 16, "Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the WITH LOG option.")
	}
	if class <= 10 {
		f.out.Message(tds.Message{Number: 50000, State: uint8(state), Class: uint8(class), Text: text, Procedure: f.name, Line: f.line})
		f.done(tds.Done{})
		return nil
	}
	fl := fail(50000, uint8(state), uint8(class), "%s", text)
	fl.spared = true
	return fl
}

// formatted fills in what the text has of %s, %d and the like; the arguments are texts already.
func formatted(text string, args []any) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "%")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		verb := strings.TrimLeft(rest, "0123456789-+# .*")
		flags := rest[:len(rest)-len(verb)]
		switch {
		case strings.HasPrefix(rest, "%"):
			b.WriteByte('%')
			verb = rest
		case verb == "" || !strings.Contains("sdiuxXo", verb[:1]) || strings.Contains(flags, "*"):
			return "", fail(2787, 1, 16, "Invalid format specification: '%%%s'.", rest)
		case len(args) == 0:
			return "", fail(2786, 1, 16, "The data type of substitution parameter is missing.")
		default:
			fmt.Fprintf(&b, "%"+strings.TrimLeft(flags, "0#+")+"s", args[0])
			args = args[1:]
		}
		text = verb[1:]
	}
}
