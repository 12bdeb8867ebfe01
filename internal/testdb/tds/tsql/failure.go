package tsql

import (
	"errors"
	"fmt"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// failure is an error of T-SQL on its way from where it happened to who handles it: the statement's batch or a CATCH.
type failure struct {
	tds.Message
	reach reach
	// spared: SET XACT_ABORT does not reach it, as RAISERROR and errors of syntax.
	spared bool
	// lost: PostgreSQL's transaction is gone already.
	lost bool
}

// reach is how much a failure ends ("SET XACT_ABORT", "TRY...CATCH", "Transaction locking and row versioning guide").
type reach uint8

const (
	endsStatement reach = iota
	endsScope           // the batch, procedure or EXEC that it is in; a TRY of the same one does not catch it
	endsBatch
	endsTransaction // and the batch
)

func (f *failure) Error() string { return fmt.Sprintf("%d: %s", f.Number, f.Text) }

// refusal is a failure of what the text itself says: nothing of the batch runs.
func refusal(number, line int32, text string) *failure {
	return &failure{Message: tds.Message{Number: number, State: 1, Class: 15, Text: text, Line: line}, reach: endsScope, spared: true}
}

// unknown is what this package has not been taught. It is an error, so that no test passes by something that is passed over.
func unknown(line int32, what string) *failure {
	f := refusal(50000, line, "the test endpoint does not know: "+what)
	f.Class = 16
	return f
}

func fail(number int32, state, class uint8, format string, args ...any) *failure {
	return &failure{Message: tds.Message{Number: number, State: state, Class: class, Text: fmt.Sprintf(format, args...)}}
}

// How a statement leaves the one around it, as errors.
var (
	errReturn   = errors.New("RETURN")
	errBreak    = errors.New("BREAK")
	errContinue = errors.New("CONTINUE")
	errScope    = errors.New("the scope has ended with an error that has been told")
	errBatch    = errors.New("the batch has ended with an error that has been told")
	errCancel   = errors.New("the request has been cancelled")
)

// thrown is a failure that has found a TRY to be caught by.
type thrown struct{ *failure }

func (t *thrown) Unwrap() error { return t.failure }
