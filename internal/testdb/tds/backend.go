package tds

import "errors"

// ErrNoDatabase is what a Backend's Login wraps when the database that the client names does not exist or is not open to it.
var ErrNoDatabase = errors.New("cannot open database")

// ErrUnavailable is what it wraps when it cannot log anybody in for now: the client is cut without an answer.
var ErrUnavailable = errors.New("the server is not available")

// Kind is a type of SQL Server, without its length, precision and scale.
type Kind uint8

// The kinds, and the Go types of their values. NULL is nil for all of them.
const (
	Bit              Kind = iota + 1 // bool
	TinyInt                          // int64
	SmallInt                         // int64
	Int                              // int64
	BigInt                           // int64
	Real                             // float64
	Float                            // float64
	Decimal                          // string: digits with a point, as "-12.50"
	Money                            // string, with four digits after the point
	Char                             // string
	VarChar                          // string
	NChar                            // string
	NVarChar                         // string
	Binary                           // []byte
	VarBinary                        // []byte
	UniqueIdentifier                 // [16]byte, in the order of RFC 9562
	Date                             // time.Time in UTC
	Time                             // time.Time in UTC, on 0001-01-01
	SmallDateTime                    // time.Time in UTC
	DateTime                         // time.Time in UTC
	DateTime2                        // time.Time in UTC
	DateTimeOffset                   // time.Time with a fixed zone of whole minutes
)

// Max is the Size of varchar(max), nvarchar(max) and varbinary(max).
const Max = -1

// Type is a type of SQL Server.
type Type struct {
	Kind Kind
	// Size is the length of Char and its kin: in UTF-16 units for NChar and NVarChar, in bytes for the others; Max for (max).
	Size int
	// Precision is of Decimal; Scale is of Decimal, Time, DateTime2 and DateTimeOffset.
	Precision, Scale uint8
}

// Column is a column of a result set.
type Column struct {
	Name     string // "" where it has none
	Type     Type
	Nullable bool
}

// Param is a parameter of a batch or procedure, with its @. A procedure's may have no name. A batch's has the type that is
// declared for it, a procedure's that in which the client sends it.
type Param struct {
	Name   string
	Type   Type
	Value  any
	Output bool
}

// Message is an error (Class above 10) or an information of the server.
type Message struct {
	Number    int32
	State     uint8
	Class     uint8
	Text      string
	Procedure string
	Line      int32
}

// Done is the end of one statement.
type Done struct {
	Rows     int64
	Counted  bool // Rows says something: not with SET NOCOUNT ON
	Failed   bool // the statement ended with an error
	IsSelect bool
}

// TranEvent is a change of a session's transaction that its client is told (MS-TDS 2.2.7.9, ENVCHANGE types 8, 9 and 10).
type TranEvent uint8

// The events.
const (
	TranBegun TranEvent = iota
	TranCommitted
	TranRolledBack
)

// Sink takes what a session answers to one request, in order. What a client that has gone does not take is dropped.
type Sink interface {
	// Columns begins a result set; Row is one row of it, its values as the kinds of the columns have them.
	Columns(columns []Column)
	Row(values []any)
	Done(d Done)
	Message(m Message)
	// Tran tells of the transaction with this descriptor, which is never zero.
	Tran(e TranEvent, descriptor uint64)
}

// Isolation is an isolation level as a transaction manager request has it (MS-TDS 2.2.6.9). Zero keeps the session's.
type Isolation uint8

// The levels.
const (
	ReadUncommitted Isolation = iota + 1
	ReadCommitted
	RepeatableRead
	Serializable
	Snapshot
)

// Backend logs clients in.
type Backend interface {
	// Login opens a session. The error's text is sent to the client as error 18456, or 4060 where it is an
	// ErrNoDatabase.
	Login(user, password, database string) (Session, error)
}

// Session is what stands behind one client. Its methods are called one at a time, but for Cancel. An error says that the session
// is lost: the client's connection is cut without an answer. What the client did wrong is a Message, not an error.
type Session interface {
	// Batch runs a batch. With params it is one of sp_executesql: they are its variables, and what those of Output hold at the end
	// is returned, in their order. A batch that failed may have no outputs.
	Batch(text string, params []Param, out Sink) (outputs []any, err error)
	// Call runs a procedure other than those that execute or prepare a batch.
	Call(procedure string, params []Param, out Sink) (status int32, outputs []any, err error)
	// Begin, Commit, Rollback and Save are a client's transaction manager requests. name is "" for none; a Rollback with one
	// goes back to that savepoint.
	Begin(level Isolation, name string, out Sink) error
	Commit(out Sink) error
	Rollback(name string, out Sink) error
	Save(name string, out Sink) error
	// Cancel ends the request that is running, if there is one, as an attention of the client does. It may be called at any time.
	// It is called again and again until the request ends: the first time may be before the session has got it.
	Cancel()
	// Reset is what sp_reset_connection does: a transaction is rolled back (unless keepTran), settings are the login's, locks of
	// the session and temporary tables are gone.
	Reset(keepTran bool, out Sink) error
	// Close ends the session; what is open is rolled back. It may be called while a request is running, which then fails.
	Close()
}

// BulkLoader is a Session that takes bulk loads (MS-TDS 2.2.6.1). An INSERT BULK statement comes to Batch; when that has
// reported no error, its rows come to BulkLoad. The table is as the statement has it, with its brackets.
type BulkLoader interface {
	BulkLoad(table string, columns []Column, rows [][]any, out Sink) error
}
