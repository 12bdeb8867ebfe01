package ddl

import (
	"fmt"
	"strings"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// postgresType reads a type of PostgreSQL's that SQL Server has, too.
func (r *reader) postgresType() typ {
	t := r.peek(0)
	out := typ{at: t.Start}
	word := t.Upper
	if t.Kind == sqltext.NameToken && t.Plain { // quoted as the catalog has it
		word = strings.ToUpper(t.Value)
	}
	r.pos++
	switch word {
	case "BOOLEAN", "BOOL":
		out.kind = boolean
	case "SMALLINT", "INT2":
		out.kind = smallInteger
	case "INTEGER", "INT", "INT4":
		out.kind = integer
	case "BIGINT", "INT8":
		out.kind = bigInteger
	case "REAL", "FLOAT4":
		out.kind = single
	case "FLOAT8":
		out.kind = double
	case "DOUBLE":
		r.expect("PRECISION")
		out.kind = double
	case "FLOAT":
		out.kind = r.float(24)
	case "NUMERIC", "DECIMAL":
		out.kind = decimal
		r.digits(&out)
	case "TEXT":
		out.kind = text
	case "CHARACTER", "CHAR", "BPCHAR":
		if !r.accept("VARYING") {
			refuse(t.Start, "the type %s: its padding is not the same on SQL Server; use varchar", strings.ToLower(word))
		}
		out.kind, out.length = text, r.size()
	case "VARCHAR":
		out.kind, out.length = text, r.size()
	case "BYTEA":
		out.kind = bytes
	case "UUID":
		out.kind = uuid
	case "DATE":
		out.kind = date
	case "JSON", "JSONB":
		out.kind = document
	case "TIME", "TIMESTAMP", "TIMESTAMPTZ":
		r.postgresTime(word, &out)
	case "SMALLSERIAL", "SERIAL2", "SERIAL", "SERIAL4", "BIGSERIAL", "SERIAL8":
		refuse(t.Start, "the type %s stands for a column with a sequence, and here is none", strings.ToLower(word))
	default:
		r.pos--
		r.unknownType()
	}
	if r.is("[") || r.is("ARRAY") {
		refuse(t.Start, "an array: SQL Server has none")
	}
	return out
}

func (r *reader) unknownType() {
	if t := r.peek(0); t.Kind == sqltext.WordToken || t.Kind == sqltext.NameToken {
		refuse(t.Start, "the type %.40s, which has no equal on the other side", r.source(r.pos))
	}
	r.unknown()
}

func (r *reader) postgresTime(word string, out *typ) {
	out.kind = map[string]kind{"TIME": timeOfDay, "TIMESTAMP": timestamp, "TIMESTAMPTZ": timestampZone}[word]
	out.length = r.fraction(6)
	switch {
	case word == "TIMESTAMPTZ":
	case r.accept("WITH", "TIME", "ZONE"):
		if word == "TIME" {
			refuse(out.at, "the type time with time zone, which has no equal on the other side")
		}
		out.kind = timestampZone
	default:
		r.accept("WITHOUT", "TIME", "ZONE")
	}
}

// fraction takes the digits behind the second in parentheses; -1 for none of them, and 0 where nothing is said.
func (r *reader) fraction(most int64) int {
	if !r.is("(") {
		return 0
	}
	n := 0
	r.parenthesized(func() { n = int(r.number(0, most)) })
	if n == 0 {
		return -1
	}
	return n
}

// float takes the bits of float(n): up to a bound of them it is the shorter type.
func (r *reader) float(bound int64) kind {
	out := double
	if r.is("(") {
		r.parenthesized(func() {
			if r.number(1, 53) <= bound {
				out = single
			}
		})
	}
	return out
}

// digits takes precision and scale: at most 38 digits, which is SQL Server's bound.
func (r *reader) digits(out *typ) {
	if !r.is("(") {
		return
	}
	r.parenthesized(func() {
		out.length = int(r.number(1, 38))
		if r.accept(",") {
			out.scale = int(r.number(0, int64(out.length)))
		}
	})
}

// size takes a length in parentheses; 0 where there is none.
func (r *reader) size() int {
	n := 0
	if r.is("(") {
		r.parenthesized(func() { n = int(r.number(1, 10485760)) })
	}
	return n
}

// serverType reads a type of SQL Server's that PostgreSQL has, too.
func (r *reader) serverType() typ {
	t := r.peek(0)
	out := typ{at: t.Start}
	word := strings.ToUpper(t.Value)
	if t.Kind != sqltext.WordToken && (t.Kind != sqltext.NameToken || !t.Plain) {
		r.unknown()
	}
	r.pos++
	switch word {
	case "BIT":
		out.kind = boolean
	case "TINYINT":
		out.kind = tinyInteger
	case "SMALLINT":
		out.kind = smallInteger
	case "INT", "INTEGER":
		out.kind = integer
	case "BIGINT":
		out.kind = bigInteger
	case "REAL":
		out.kind = single
	case "DOUBLE":
		r.expect("PRECISION")
		out.kind = double
	case "FLOAT":
		out.kind = r.float(24)
	case "DECIMAL", "NUMERIC", "DEC":
		out.kind = decimal
		if r.digits(&out); out.length == 0 {
			out.length = 18
		}
	case "NVARCHAR", "VARCHAR":
		out.kind, out.length = text, r.lengthOrMax(1)
	case "TEXT", "NTEXT":
		out.kind = text
	case "VARBINARY":
		out.kind, out.length = bytes, r.lengthOrMax(1)
	case "UNIQUEIDENTIFIER":
		out.kind = uuid
	case "DATE":
		out.kind = date
	case "TIME", "DATETIME2", "DATETIMEOFFSET":
		out.kind = map[string]kind{"TIME": timeOfDay, "DATETIME2": timestamp, "DATETIMEOFFSET": timestampZone}[word]
		out.length = r.fraction(7)
		if out.length == 7 { // as it is where nothing is said; what is finer than a microsecond is refused as a value
			out.length = 0
		}
	case "DATETIME", "SMALLDATETIME":
		refuse(t.Start, "the type %s rounds its values as PostgreSQL has no type that does; use datetime2(6)", strings.ToLower(word))
	case "MONEY", "SMALLMONEY":
		refuse(t.Start, "the type %s; use decimal(19,4)", strings.ToLower(word))
	case "CHAR", "NCHAR", "BINARY":
		refuse(t.Start, "the type %s: its padding is not the same on PostgreSQL; use one that varies", strings.ToLower(word))
	default:
		r.pos--
		r.unknownType()
	}
	return out
}

// lengthOrMax takes a length or MAX in parentheses; 0 for MAX.
func (r *reader) lengthOrMax(without int) int {
	n := without
	if r.is("(") {
		r.parenthesized(func() {
			if n = 0; !r.accept("MAX") {
				n = int(r.number(1, 8000))
			}
		})
	}
	return n
}

// keyLength is the most that a string in a key of SQL Server can have, in UTF-16 units: an index takes 1700 bytes ("Maximum
// capacity specifications for SQL Server").
const keyLength = 850

// serverName is a type in T-SQL. key: the column stands in a key or an index, for which nothing without a bound is taken.
func (t typ) serverName(key bool) string {
	switch t.kind {
	case boolean:
		return "bit"
	case tinyInteger:
		return "tinyint"
	case smallInteger:
		return "smallint"
	case integer:
		return "int"
	case bigInteger:
		return "bigint"
	case single:
		return "real"
	case double:
		return "float(53)"
	case decimal:
		if t.length == 0 {
			refuse(t.at, "numeric without a precision: SQL Server has no decimal that takes every number; write numeric(precision, scale)")
		}
		return fmt.Sprintf("decimal(%d,%d)", t.length, t.scale)
	case text, document:
		return "nvarchar(" + t.serverLength(key) + ") collate " + collation
	case bytes:
		if key {
			return "varbinary(1700)"
		}
		return "varbinary(max)"
	case uuid:
		return "uniqueidentifier"
	case date:
		return "date"
	case timeOfDay:
		return fmt.Sprintf("time(%d)", t.precision())
	case timestamp:
		return fmt.Sprintf("datetime2(%d)", t.precision())
	}
	return fmt.Sprintf("datetimeoffset(%d)", t.precision())
}

// collation compares strings by their characters' numbers, as PostgreSQL compares for equality under every deterministic collation.
const collation = "Latin1_General_100_BIN2"

// serverLength: varchar(n) counts characters, nvarchar UTF-16 units, of which a character has two at most.
func (t typ) serverLength(key bool) string {
	most := 4000
	if key {
		most = keyLength
	}
	switch n := 2 * t.length; {
	case n > 0 && n <= most:
		return fmt.Sprint(n)
	case key:
		return fmt.Sprint(keyLength)
	}
	return "max"
}

func (t typ) precision() int {
	switch t.length {
	case 0:
		return 6
	case -1:
		return 0
	}
	return t.length
}

// postgresName is a type in PostgreSQL's words.
func (t typ) postgresName() string {
	switch t.kind {
	case boolean:
		return "boolean"
	case tinyInteger, smallInteger:
		return "smallint"
	case integer:
		return "integer"
	case bigInteger:
		return "bigint"
	case single:
		return "real"
	case double:
		return "double precision"
	case decimal:
		return fmt.Sprintf("numeric(%d,%d)", t.length, t.scale)
	case text:
		if t.length > 0 {
			return fmt.Sprintf("varchar(%d)", t.length)
		}
		return "text"
	case bytes:
		return "bytea"
	case uuid:
		return "uuid"
	case date:
		return "date"
	case timeOfDay:
		return fmt.Sprintf("time(%d)", t.precision())
	case timestamp:
		return fmt.Sprintf("timestamp(%d)", t.precision())
	}
	return fmt.Sprintf("timestamptz(%d)", t.precision())
}
