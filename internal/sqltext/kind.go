package sqltext

// Kind says what a statement does, as far as its words tell. Kinds are ordered
// by strength: the kind of a text of several statements is that of its
// strongest. The zero value is Read.
type Kind uint8

const (
	// Read is plainly a read: SELECT, VALUES, TABLE, SHOW, DESCRIBE, EXPLAIN
	// that runs nothing but a read, a PRAGMA that asks, and empty text. Functions
	// that it calls may still write: see Statement.Calls.
	Read Kind = iota
	// LockingRead takes locks: SELECT ... FOR UPDATE and its kin, LOCK, and
	// SQL Server's hints UPDLOCK, XLOCK, TABLOCKX, HOLDLOCK, SERIALIZABLE
	// and REPEATABLEREAD.
	LockingRead
	// Local belongs to one session and stays there: LISTEN, NOTIFY, cursors,
	// CHECKPOINT, PostgreSQL's PREPARE and EXECUTE, SQLite's ATTACH, SQL
	// Server's PRINT, SELECT NEXT VALUE FOR.
	Local
	// Session changes the session's state: SET, RESET, DISCARD, USE, PRAGMA x = y.
	Session
	// Savepoint is SAVEPOINT, RELEASE, ROLLBACK TO, or SAVE TRANSACTION.
	Savepoint
	// Call runs code of the database: CALL, DO, EXEC, or, in the SQLServer
	// dialect, a procedure's name at the start of the text.
	Call
	// Write changes rows: INSERT, UPDATE, DELETE, MERGE, REPLACE, COPY FROM,
	// TRUNCATE, SELECT INTO, and WITH or EXPLAIN ANALYZE having one of them.
	Write
	// DDL changes the schema, rights or statistics.
	DDL
	// Other begins with a word that is not known here.
	Other
	// NoTx is refused inside a transaction block by the database: VACUUM,
	// CREATE INDEX CONCURRENTLY, CREATE DATABASE, ALTER SYSTEM, ...
	NoTx
	// TxControl begins, ends or prepares a transaction.
	TxControl
)

var kindNames = [...]string{
	Read: "read", LockingRead: "locking read", Local: "local", Session: "session",
	Savepoint: "savepoint", Call: "call", Write: "write", DDL: "ddl", Other: "other",
	NoTx: "no transaction", TxControl: "transaction control",
}

// String returns the kind in lower case, for logs and errors.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}
