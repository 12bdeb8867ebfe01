package ddl

// statement is one of the types below.
type statement interface{}

// name is that of a table or an index. schema is empty where the text has none, and for the one that each engine has from the
// start: PostgreSQL's public, SQL Server's dbo.
type name struct{ schema, name string }

type (
	createSchema struct {
		schema   string
		ifAbsent bool
	}
	dropSchema struct {
		schemas  []string
		ifExists bool
	}
	createTable struct {
		table       name
		ifAbsent    bool
		columns     []column
		constraints []constraint
	}
	dropTable struct {
		tables            []name
		ifExists, cascade bool
	}
	dropView struct {
		views    []name
		ifExists bool
	}
	grant struct { // or REVOKE
		revoke     bool
		privileges []string
		tables     []name
		roles      []string
		pass       bool // WITH GRANT OPTION
	}
	truncate   struct{ tables []name }
	alterTable struct {
		table    name
		ifExists bool
		actions  []action
	}
	createIndex struct {
		index    string
		table    name
		ifAbsent bool
		unique   bool
		equal    bool // NULLs are equal to each other
		columns  []indexColumn
		include  []string
		where    *expr
		at       int
	}
	dropIndex struct {
		indexes  []name
		table    name // T-SQL's; empty in PostgreSQL, where a schema has no two indexes of one name
		ifExists bool
	}
	renameIndex struct {
		index    name
		to       string
		ifExists bool
	}
)

type indexColumn struct {
	name string
	desc bool
}

// action is one of ALTER TABLE: one of the types below.
type action interface{}

type (
	addColumn struct {
		column
		constraints []constraint
		ifAbsent    bool
	}
	dropColumn struct {
		name     string
		ifExists bool
	}
	setType struct {
		name string
		typ  typ
	}
	setNull struct {
		name    string
		notNull bool
	}
	setDefault struct {
		name  string
		value *expr // nil: none
	}
	addConstraint  struct{ constraint }
	dropConstraint struct {
		name     string
		ifExists bool
	}
	renameColumn     struct{ from, to string }
	renameConstraint struct{ from, to string }
	renameTable      struct{ to string }
)

type column struct {
	name     string
	typ      typ
	notNull  bool
	identity *identity
	value    *expr // its default; nil: none
	at       int
}

type identity struct{ start, increment int64 }

type constraintKind uint8

const (
	primaryKey constraintKind = iota
	unique
	check
	foreignKey
)

// constraint is one of a table; that of a column has the column in its list.
type constraint struct {
	kind     constraintKind
	name     string // "" where only the engine that made it knows
	columns  []string
	equal    bool // of unique: NULLs are equal to each other
	check    *expr
	table    name // that is referred to
	referred []string
	onDelete string // "" for NO ACTION
	onUpdate string
	at       int
}

type kind uint8

const (
	boolean kind = iota
	tinyInteger
	smallInteger
	integer
	bigInteger
	single
	double
	decimal
	text
	bytes
	uuid
	date
	timeOfDay
	timestamp
	timestampZone
	document // JSON
)

// typ is a column's type.
type typ struct {
	kind   kind
	length int // of text and bytes, precision of decimal, digits behind the second; 0: without a bound, -1: no digits
	scale  int
	at     int
}

// dated reports whether a type's literals are dates and times.
func (t typ) dated() bool { return t.kind >= date && t.kind <= timestampZone }

// stringy reports whether a type's values are text on both engines.
func (t typ) stringy() bool { return t.kind == text || t.kind == document }

func (t typ) numeric() bool { return t.kind >= tinyInteger && t.kind <= decimal }

// expr is an expression of a default, a check or an index's condition.
type expr struct {
	op   operator
	args []*expr
	text string // of a column its name, of a literal its value, of a comparison or an arithmetic operator its sign
	at   int
}

type operator uint8

const (
	columnRef operator = iota
	stringLiteral
	numberLiteral
	boolLiteral // "true" or "false"
	nullLiteral
	not
	and
	or
	compare // = <> < <= > >=
	arithmetic
	negative
	isNull
	isNotNull
	in // the first of args, and the list
	notIn
	between
	notBetween
	like
	notLike
	length
	now      // the moment, with an offset
	localNow // the moment by the session's or the server's clock
	utcNow
	today
	newUUID
)
