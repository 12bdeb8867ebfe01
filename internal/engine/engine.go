// Package engine knows the kinds of databases that dualsql drives: how a connection is made and set up, how a transaction
// begins and ends on it, and every SQL statement that dualsql itself sends. It knows nothing of transactions over two sides.
//
// Each kind has one file. What only some kinds can do stands in interfaces of its own ([Marking], [Guarding]); a caller
// asks a [Session] for them by a type assertion.
package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// Role says on which side of the pair a session works.
type Role uint8

// The two sides.
const (
	Primary Role = iota
	Secondary
)

// Other returns the opposite side.
func (r Role) Other() Role { return 1 - r }

func (r Role) String() string {
	if r == Primary {
		return "primary"
	}
	return "secondary"
}

// Options are what the configuration says of one side's sessions.
type Options struct {
	Role Role
	// LockTimeout bounds each wait for a lock. Zero leaves the database's own setting.
	LockTimeout time.Duration
	// Like are settings that the session takes over from one on the other side; see [Ambient].
	Like map[string]string
}

// Engine is one kind of database. Its values hold no state and are safe for concurrent use.
type Engine interface {
	// Name is the engine's name in logs, errors and the journal.
	Name() string
	// Dialect is how the engine's texts are quoted.
	Dialect() sqltext.Dialect
	// Style is how the engine's driver wants its placeholders.
	Style() sqltext.Style
	// OneWriter reports whether only one transaction at a time can write to a database, whatever it writes.
	OneWriter() bool
	// Revives reports whether a transaction that has failed may go on from a savepoint.
	Revives() bool
	// Forgets reports whether [Session.Reset] drops the session's settings.
	Forgets() bool
	// Session takes a fresh connection into use and sets on it what dualsql relies on. When it fails the connection is
	// closed.
	Session(ctx context.Context, c driver.Conn, o Options) (Session, error)
	// Transient reports whether the cause of err may pass by itself, so that trying again makes sense: a lost
	// connection, a lock time-out, a deadlock.
	Transient(err error) bool
}

// TxStatus is what a session knows of its transaction.
type TxStatus uint8

// The states of a session's transaction.
const (
	TxIdle   TxStatus = iota // none is open
	TxOpen                   // one is open and can commit
	TxFailed                 // one is open, or was ended by the database, and can only be rolled back
)

// Session is one physical connection in use. It is not safe for concurrent use.
type Session interface {
	// Conn is the connection itself.
	Conn() driver.Conn
	// Exec, Query and Prepare run the caller's text on the connection, whatever forms of these its driver has.
	Exec(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error)
	Query(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error)
	Prepare(ctx context.Context, text string) (driver.Stmt, error)
	// Bind converts args in place as database/sql would do for this connection's driver, and returns what is left of
	// them: a driver may take an argument away. s is the statement if it is a prepared one, else nil.
	Bind(s driver.Stmt, args []driver.NamedValue) ([]driver.NamedValue, error)
	// Portable returns args as values that can be written down: nil, bool, int64, float64, string, []byte, time.Time.
	// text is the statement they belong to, in this session's own style. An argument that has no such form is an error.
	Portable(ctx context.Context, text string, args []driver.NamedValue) ([]driver.NamedValue, error)

	// Begin opens a transaction. An isolation level or access mode that the engine lacks is an error.
	Begin(ctx context.Context, o TxOptions) error
	// Commit ends the transaction. With a marker, the transaction itself inserts it before the COMMIT. The result is
	// nil when it has committed, an [*UnknownError] when nobody can tell, and any other error when it has certainly
	// not committed; the caller then rolls back.
	Commit(ctx context.Context, m *Marker) error
	// Rollback ends the transaction without its effects. After an error the session is not valid any more.
	Rollback(ctx context.Context) error
	// Status tells the state of the transaction.
	Status() TxStatus
	// Atomic runs f, which executes a text, in a way that leaves nothing of it behind when f fails and the transaction
	// goes on; where that cannot be had, the transaction has failed. single: it is one statement, and calls no procedure.
	Atomic(ctx context.Context, single bool, f func() error) error

	// Setup sets again what the session relies on, after a statement that may have reset it.
	Setup(ctx context.Context) error
	// Forget drops the statements that are prepared on the session, after the tables have changed under them.
	Forget(ctx context.Context) error
	// Ping, Reset, Valid and Close do what database/sql expects of a connection's methods of like names.
	Ping(ctx context.Context) error
	Reset(ctx context.Context) error
	Valid() bool
	Close() error
}

// TxOptions say how a transaction begins.
type TxOptions struct {
	driver.TxOptions
	// Write is set when it is known that the transaction will write, so that an engine with one writer at a time can
	// take its place in the queue at once.
	Write bool
}

// State is what a commit marker says. The zero value: there is no marker.
type State byte

// The two states of a marker's row.
const (
	Committed State = 'C'
	Aborted   State = 'A'
)

// Marker is a commit marker: a row that is there if and only if the transaction that inserted it committed.
type Marker struct {
	TxID    uuid.UUID
	Journal uuid.UUID // whose transaction it is
}

// PairRow is what a database carries of the pair that it belongs to. The zero value: nothing yet.
type PairRow struct {
	Pair uuid.UUID
	Side Role
}

// Writer names a process that writes to a pair: by its journal, which only one process at a time can hold.
type Writer struct {
	Pair, Journal uuid.UUID
}

// Marking is a session whose engine can carry commit markers.
type Marking interface {
	Session
	// Identity is equal for two sessions if and only if they are connected to the same database.
	Identity(ctx context.Context) (string, error)
	// Init creates the schema that the markers live in, if it is not there.
	Init(ctx context.Context) error
	// ClaimPair stores row unless one is there, and returns the row that is there afterwards.
	ClaimPair(ctx context.Context, row PairRow) (PairRow, error)
	// Pair returns the row that is there; the zero row when there is none or no schema.
	Pair(ctx context.Context) (PairRow, error)
	// Fence inserts the marker of m's transaction with state Aborted, unless it is there already, and returns the state
	// that is there afterwards, for ever. It waits for an owner that is about to commit, no longer than the lock
	// time-out.
	Fence(ctx context.Context, m Marker) (State, error)
	// InsertMarker inserts the marker of m's transaction with state Committed in the current transaction. It waits for
	// another transaction that does the same; inserted is false when the marker was there already.
	InsertMarker(ctx context.Context, m Marker) (inserted bool, err error)
	// MarkerState reads a marker without leaving a trace.
	MarkerState(ctx context.Context, txid uuid.UUID) (State, error)
	// DeleteMarkers deletes the markers of these transactions.
	DeleteMarkers(ctx context.Context, txids []uuid.UUID) error
	// SweepMarkers deletes the markers and fences of a journal that are older than a day, except those kept. A younger one
	// may still have to stop a COMMIT that was sent by a process that has died.
	SweepMarkers(ctx context.Context, journal uuid.UUID, keep []uuid.UUID) error
	// ForeignMarkers returns the transactions of other journals than own that have a Committed marker.
	ForeignMarkers(ctx context.Context, own uuid.UUID) (map[uuid.UUID]bool, error)
	// LockWriter makes w's process the pair's one writer for as long as this session lives, or fails with
	// ErrWriterLocked. It fails too while sessions of another process live that have joined: the session that held its
	// lock may have died alone.
	LockWriter(ctx context.Context, w Writer) error
	// JoinWriter makes this session count as one of w's process. It fails with ErrWriterLocked if that process is not the
	// writer any more; holder is the session that became it.
	JoinWriter(ctx context.Context, w Writer, holder Marking) error
	// JoinWriters makes this session count as one of w's process where any number of processes may write, so that none becomes
	// the one writer while it lives. It fails with ErrWriterLocked if there is one already.
	JoinWriters(ctx context.Context, w Writer) error
}

// Preparing is a session whose engine can prepare a transaction: end it so that anybody can later either commit it or roll it
// back, also after a crash.
type Preparing interface {
	Marking
	// PrepareAlong lets the next statement take along, if it can, what PrepareTransaction sends. PrepareTransaction has to come
	// next after that statement, and then only reads the answer. PreparedAlong reports whether it was taken; if it was not, it
	// will not be.
	PrepareAlong(gid string, m Marker)
	PreparedAlong() bool
	// PrepareTransaction inserts the marker of the open transaction and prepares it under the name gid. When it returns nil the session
	// is free again. An [*UnknownError] says that nobody can tell, and any other error that it is certainly not prepared;
	// the caller then rolls back.
	PrepareTransaction(ctx context.Context, gid string, m Marker) error
	// CommitPrepared and RollbackPrepared end a prepared transaction. [ErrNotPrepared] says that there is none of that name:
	// it was never prepared, or it has ended and its effects are visible.
	CommitPrepared(ctx context.Context, gid string) error
	RollbackPrepared(ctx context.Context, gid string) error
	// Prepared returns the database's prepared transactions whose names begin with prefix and that are at least so old.
	Prepared(ctx context.Context, prefix string, age time.Duration) ([]PreparedTx, error)
	// PrepareSlots returns how many transactions can be prepared at once; zero: none.
	PrepareSlots(ctx context.Context) (int, error)
}

// PreparedTx is a prepared transaction.
type PreparedTx struct {
	GID   string
	Owner string // the role that can end it
	Since time.Time
}

// Guarding is a session whose engine can refuse writes that were taken for reads.
type Guarding interface {
	Session
	// ReadOnlyViolation reports whether err says that a statement tried to write where only reading is allowed.
	ReadOnlyViolation(err error) bool
	// Volatile returns those of the named functions that may write: mirrored on both sides. primary are those that
	// belong to the primary alone, although they change something: nextval and its kin.
	Volatile(ctx context.Context, calls []sqltext.Function) (mirror, primary []string, err error)
	// Wrote reports whether the open transaction has changed a table.
	Wrote(ctx context.Context) (bool, error)
	// Unguarded runs f while writes outside of a transaction are not refused.
	Unguarded(ctx context.Context, f func() error) error
}

// Wary is a session whose database lets a procedure end the transaction that it is called in, and begin another.
type Wary interface {
	Session
	// SameTransaction runs f, and fails with [ErrEnded] when the open transaction is not the one from before it any more,
	// whatever f returns.
	SameTransaction(ctx context.Context, f func() error) error
}

// Ambient is a session whose database has settings of its own on which it depends what a text means.
type Ambient interface {
	Session
	// Ambient returns those settings as the session found them, by their names in lower case; nil on a secondary.
	Ambient() map[string]string
	// Adopted returns a query that gives another session what this one has taken over ([Options].Like) because its own was
	// different; "" if that was nothing.
	Adopted() string
	// Restore sets again what was taken over, after a statement that has reset it to the database's own value.
	Restore(ctx context.Context, set sqltext.Setting) error
}

// Refusing is a session some of whose settings dualsql relies on.
type Refusing interface {
	Session
	// Refuses reports why a setting must not be changed, or "".
	Refuses(s sqltext.Setting) string
}

// ErrWriterLocked says that another process writes to the pair.
var ErrWriterLocked = errors.New("another process is the pair's writer")

// ErrFenced says that recovery has settled the transaction as rolled back before its COMMIT came.
var ErrFenced = errors.New("recovery took the transaction for dead and has rolled it back")

// ErrEnded says that a statement has ended the transaction in which it ran.
var ErrEnded = errors.New("the statement has ended its transaction: what ran before it and what ran behind it may be on this side alone; " +
	"compare the tables that it wrote, and leave BEGIN, COMMIT and ROLLBACK to the driver")

// ErrNotPrepared says that there is no prepared transaction of that name.
var ErrNotPrepared = errors.New("there is no such prepared transaction")

// ErrNoSlot says that as many transactions are prepared as the server allows.
var ErrNoSlot = errors.New("all slots for prepared transactions are taken")

// ErrUnpreparable says that the transaction has done something that the database cannot prepare.
var ErrUnpreparable = errors.New("the database cannot prepare this transaction")

// ErrNoSchema says that the schema of the markers is missing and may not be created.
var ErrNoSchema = errors.New("the dualsql schema is missing and this role may not create it")

// UnknownError says that nobody can tell whether a COMMIT took effect.
type UnknownError struct{ Err error }

func (e *UnknownError) Error() string { return "the outcome of COMMIT is unknown: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *UnknownError) Unwrap() error { return e.Err }
