package dualsql

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// Errors that may be compared with errors.Is.
var (
	// ErrTxControl: a text that begins or ends a transaction was given to Exec, Query or Prepare. Use sql.DB.BeginTx and
	// the sql.Tx's own Commit and Rollback.
	ErrTxControl = errors.New("transaction control in a statement's text")
	// ErrWritesHeld: a write was not let through because an earlier transaction is in doubt or half done, and the write
	// could overtake it. Nothing has run. Connector.Pending names the transaction.
	ErrWritesHeld = errors.New("writes are held back until an earlier transaction has ended")
	// ErrOvertaking: a transaction has seen, on the primary, the effects of one that is in doubt or half done on the
	// secondary. It is rolled back on both sides and may be tried again.
	ErrOvertaking = errors.New("the transaction depends on one that has not ended on the secondary")
	// ErrPairMismatch: the two databases do not belong together: one carries another pair's id, or both are the same.
	ErrPairMismatch = errors.New("the databases are not a pair")
	// ErrRedoTooLarge: what the journal must keep of a transaction exceeds journal.redo_limit. It is rolled back on both.
	ErrRedoTooLarge = errors.New("the transaction exceeds journal.redo_limit")
	// ErrWriterLocked: another process writes to the pair under commit=marker, which allows one; or this process would, and
	// another one writes; or its server has not noticed yet that it has died. Reads go on.
	ErrWriterLocked = engine.ErrWriterLocked
	// ErrPrepareSlots: under commit=2pc the server has as many prepared transactions as max_prepared_transactions allows. The
	// transaction is rolled back on both sides and may be tried again.
	ErrPrepareSlots = engine.ErrNoSlot
	// ErrUnpreparable: under commit=2pc the transaction has done something that PostgreSQL cannot prepare, such as using a
	// temporary table, LISTEN, NOTIFY, a cursor WITH HOLD, or exporting a snapshot. It is rolled back on both sides.
	ErrUnpreparable = engine.ErrUnpreparable
	// ErrNotMirrored: under mirror=row or mixed a statement was refused, because what it does cannot be brought to the secondary
	// exactly; or, between PostgreSQL and SQL Server and not under mirror=statement, a change of the schema, because it is not
	// translated. Nothing has run.
	ErrNotMirrored = errors.New("the statement cannot be mirrored exactly")
	// ErrUnknownTx: the journal does not know the transaction.
	ErrUnknownTx = errors.New("unknown transaction")
)

// SideError is a failure of one side where it is not plain from the call which side it was. It hides driver.ErrBadConn
// from errors.Is, because database/sql would run the statement again.
type SideError struct {
	Side string    // "primary" or "secondary"
	Op   string    // what was being done
	TxID uuid.UUID // zero when no transaction had a name yet
	Err  error
}

func (e *SideError) Error() string {
	s := "dualsql: " + e.Side + ": " + e.Op + ": " + e.Err.Error()
	if e.TxID != uuid.Nil {
		s += " (transaction " + e.TxID.String() + " is rolled back on both sides)"
	}
	return s
}

// Unwrap returns the side's own error.
func (e *SideError) Unwrap() error { return notBadConn(e.Err) }

// DivergenceError says that a statement affected different numbers of rows on the two sides. The transaction has been
// rolled back on both.
type DivergenceError struct {
	TxID               uuid.UUID
	Statement          string // the caller's text
	Primary, Secondary int64  // rows affected
}

func (e *DivergenceError) Error() string {
	return fmt.Sprintf("dualsql: the sides differ: %d rows on the primary, %d on the secondary, by %q; transaction %s is rolled back on both sides; compare the tables it names",
		e.Primary, e.Secondary, shorten(e.Statement), e.TxID)
}

// InDoubtError says that nobody knows yet whether the transaction committed: the deciding COMMIT was sent, no answer came,
// and the database could not be asked in time. The resolver goes on asking; [Connector.Outcome] gives the answer. Do not
// run the transaction again before.
type InDoubtError struct {
	TxID uuid.UUID
	Err  error // why it could not be settled
}

func (e *InDoubtError) Error() string {
	return fmt.Sprintf("dualsql: transaction %s is in doubt: %v; do not run it again; Connector.Outcome or `dualsql status` tells how it ended", e.TxID, e.Err)
}

// Unwrap returns the cause.
func (e *InDoubtError) Unwrap() error { return notBadConn(e.Err) }

// HalfDoneError says that the transaction is committed, but only on one side so far. Under commit=2pc and commit=marker the
// resolver goes on until it is on the other side too, and this process's other writes wait. Under commit=besteffort it is reported until an operator
// has made the sides equal.
type HalfDoneError struct {
	TxID      uuid.UUID
	Committed string // the side that has it: "primary" or "secondary"
	Pending   string // the side that does not have it yet
	Err       error  // why
}

func (e *HalfDoneError) Error() string {
	return fmt.Sprintf("dualsql: transaction %s is half done: committed on the %s, not yet on the %s: %v; do not run it again; see `dualsql status`",
		e.TxID, e.Committed, e.Pending, e.Err)
}

// Unwrap returns the cause.
func (e *HalfDoneError) Unwrap() error { return notBadConn(e.Err) }

// undecided reports whether err says anything else than that a transaction was rolled back on both sides.
func undecided(err error) bool {
	var inDoubt *InDoubtError
	var halfDone *HalfDoneError
	return errors.As(err, &inDoubt) || errors.As(err, &halfDone)
}

// notBadConn cuts an error chain that holds driver.ErrBadConn: database/sql runs a statement again when it sees that, even
// wrapped, and here something may have run already.
func notBadConn(err error) error {
	if errors.Is(err, driver.ErrBadConn) {
		return nil
	}
	return err
}

// settled is err as it may leave the driver when something may have run.
func settled(side, op string, err error) error {
	if err != nil && errors.Is(err, driver.ErrBadConn) {
		return &SideError{Side: side, Op: op, Err: err}
	}
	return err
}

const shownText = 200

func shorten(s string) string {
	if len(s) <= shownText {
		return s
	}
	return s[:shownText] + "…"
}
