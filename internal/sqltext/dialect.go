package sqltext

import "strings"

// Dialect says how a text is quoted. The zero value is Postgres.
type Dialect uint8

const (
	// Postgres: dollar quotes, nested comments, E'' and U&; a backslash in
	// '' is plain (standard_conforming_strings on); [ ] are subscripts.
	// PostgreSQL manual, 4.1 Lexical Structure.
	Postgres Dialect = iota
	// SQLite: "x", `x` and [x] quote identifiers; comments do not nest.
	SQLite
	// SQLServer: [x] and "x" quote identifiers, comments nest, and the
	// semicolon between statements may be missing.
	SQLServer
	// Generic is any other database: '' strings, "x", `x`, dollar quotes; -- and
	// # (after white space, and at the start of a line or before white
	// space) start a comment; [ is no quote. Text that two databases would
	// quote differently (a backslash before a quote, /*! */, a comment in
	// a comment) is never taken for a read.
	Generic
)

// String returns the dialect's name in lower case.
func (d Dialect) String() string {
	switch d {
	case Postgres:
		return "postgres"
	case SQLite:
		return "sqlite"
	case SQLServer:
		return "sqlserver"
	default:
		return "generic"
	}
}

func (d Dialect) nestsComments() bool { return d == Postgres || d == SQLServer }

func (d Dialect) quotesDollar() bool { return d == Postgres || d == Generic }

func (d Dialect) quotesBacktick() bool { return d == SQLite || d == Generic }

func (d Dialect) quotesBracket() bool { return d == SQLite || d == SQLServer }

// spellsOperators says whether @ and ? may be part of operators.
func (d Dialect) spellsOperators() bool { return d == Postgres || d == Generic }

// Fold returns an identifier as the database looks it up. SQL Server and
// unknown databases decide by collation or setting: left as written.
func (d Dialect) Fold(name string, quoted bool) string {
	switch {
	case d == SQLite, d == Postgres && !quoted:
		return asciiLower(name)
	default:
		return name
	}
}

// Only ASCII letters are folded: a keyword has no others, and unicode folding
// would turn a dotless i into one.
func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
}
