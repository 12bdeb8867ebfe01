package engine

import (
	"context"
	"errors"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// Cataloged is a session whose database tells what row mode has to know before it runs a write.
type Cataloged interface {
	Session
	// Table describes a table as the session finds it by that name; nil if there is none. schema may be empty.
	Table(ctx context.Context, schema, name string) (*Table, error)
	// Functions describes the functions that calls may mean: all of the name, in any schema or in the one that is given.
	Functions(ctx context.Context, calls []sqltext.Function) ([]Function, error)
	// Expect has the end of the open transaction fail with [ErrStale] if the catalog, as the transaction sees it then, does not
	// say any more what was seen; if live, with [ErrSnapshot] if that is what it said at the transaction's first statement. It costs
	// no round trip.
	Expect(seen []Seen, live bool)
	// Verify fails in the same way if it does not say so now.
	Verify(ctx context.Context, seen []Seen, live bool) error
}

// Seen is what the mirroring of a text relies on.
type Seen struct {
	Table         uint32
	Stamp         string // the table's
	Functions     string // the names of functions that are called, as an array of PostgreSQL's; "": none
	FunctionStamp int64  // the sum of theirs
}

// ErrStale says that the catalog is not any more what it was when it was decided how a text is mirrored.
var ErrStale = errors.New("the table, or a function, has been changed meanwhile by somebody else; try the transaction again")

// ErrSnapshot says that a transaction sees the catalog as it was, although nothing that could be read has given it such an isolation level.
var ErrSnapshot = errors.New("a function, or a DO block, has raised the isolation level to REPEATABLE READ or SERIALIZABLE; try the transaction again")

// Table is what the catalog says of a table.
type Table struct {
	OID          uint32    `json:"oid"`
	Kind         string    `json:"kind"` // pg_class.relkind
	Schema       string    `json:"schema"`
	Name         string    `json:"name"`
	Rules        bool      `json:"rules"`
	RowSecurity  bool      `json:"rowsecurity"`
	Inherits     bool      `json:"inherits"`   // it has a parent or children by inheritance, not as a partition
	Foreign      bool      `json:"foreign"`    // a partition is no ordinary table
	Columns      []Column  `json:"columns"`    // in their order
	Key          []string  `json:"key"`        // the primary key's columns, or a unique index's that is as good; none: no key
	Triggers     []Trigger `json:"triggers"`   // the enabled ones, of its partitions as well
	CascadesInto string    `json:"cascades"`   // a table with triggers or defaults that a foreign key's action changes along; "": none
	DateStyle    string    `json:"datestyle"`  // of the session
	Intervals    string    `json:"intervals"`  // intervalstyle of the session
	FloatDigits  int       `json:"floats"`     // extra_float_digits of the session
	ArrayNulls   bool      `json:"arraynulls"` // array_nulls of the session
	Stamp        string    `json:"stamp"`      // see Seen
}

// Column is one column of a Table.
type Column struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`     // as a cast names it, without a length
	Default   *string  `json:"default"`  // an expression; nil: NULL
	Identity  string   `json:"identity"` // pg_attribute.attidentity
	Generated bool     `json:"generated"`
	Bounded   bool     `json:"bounded"` // its type has a length, or a precision
	Padded    bool     `json:"padded"`  // of type bpchar without a length, whose text form loses blanks
	Made      []string `json:"made"`    // the base types that its type is made of
	OwnCast   bool     `json:"owncast"` // somebody has defined how its type becomes text or is made of it
}

// Trigger is one trigger of a Table.
type Trigger struct {
	Name     string `json:"name"`
	Before   bool   `json:"before"`
	Row      bool   `json:"row"`
	Insert   bool   `json:"insert"` // the events that it is for
	Update   bool   `json:"update"`
	Delete   bool   `json:"delete"`
	Builtin  bool   `json:"builtin"` // its function is PostgreSQL's own
	Language string `json:"language"`
	Source   string `json:"source"` // the function's
}

// Function is what the catalog says of a function.
type Function struct {
	Schema, Name string
	Volatility   string // pg_proc.provolatile
	Kind         string // pg_proc.prokind
	Language     string
	Stamp        int64 // of all functions of the name; it changes with any of them
}
