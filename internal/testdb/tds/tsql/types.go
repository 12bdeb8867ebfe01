package tsql

import (
	"fmt"
	"strconv"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// maxLength stands for (max) in PostgreSQL: the largest length that its varchar's type modifier takes.
const maxLength = 10485760

// pgNames are the types of PostgreSQL that stand for those of SQL Server (support/01_types.sql).
var pgNames = map[tds.Kind]string{
	tds.Bit: "tsql.bit", tds.TinyInt: "tsql.tinyint", tds.SmallInt: "int2", tds.Int: "int4", tds.BigInt: "int8",
	tds.Real: "float4", tds.Float: "float8", tds.Decimal: "numeric", tds.Money: "tsql.money",
	tds.Char: "tsql.char", tds.VarChar: "tsql.varchar", tds.NChar: "tsql.nchar", tds.NVarChar: "tsql.nvarchar",
	tds.Binary: "tsql.binary", tds.VarBinary: "tsql.varbinary", tds.UniqueIdentifier: "uuid", tds.Date: "date",
	tds.Time: "tsql.time", tds.SmallDateTime: "tsql.smalldatetime", tds.DateTime: "tsql.datetime",
	tds.DateTime2: "tsql.datetime2", tds.DateTimeOffset: "tsql.datetimeoffset",
}

// names are the types as T-SQL names them ("Data types", "Data type synonyms").
var names = map[string]tds.Type{
	"BIT": {Kind: tds.Bit}, "TINYINT": {Kind: tds.TinyInt}, "SMALLINT": {Kind: tds.SmallInt}, "INT": {Kind: tds.Int},
	"INTEGER": {Kind: tds.Int}, "BIGINT": {Kind: tds.BigInt}, "REAL": {Kind: tds.Real}, "FLOAT": {Kind: tds.Float},
	"DECIMAL": {Kind: tds.Decimal, Precision: 18}, "DEC": {Kind: tds.Decimal, Precision: 18},
	"NUMERIC": {Kind: tds.Decimal, Precision: 18}, "MONEY": {Kind: tds.Money},
	"CHAR": {Kind: tds.Char}, "CHARACTER": {Kind: tds.Char}, "VARCHAR": {Kind: tds.VarChar}, "NCHAR": {Kind: tds.NChar},
	"NVARCHAR": {Kind: tds.NVarChar}, "TEXT": {Kind: tds.VarChar, Size: tds.Max}, "NTEXT": {Kind: tds.NVarChar, Size: tds.Max},
	"SYSNAME": {Kind: tds.NVarChar, Size: 128}, "BINARY": {Kind: tds.Binary}, "VARBINARY": {Kind: tds.VarBinary},
	"IMAGE": {Kind: tds.VarBinary, Size: tds.Max}, "UNIQUEIDENTIFIER": {Kind: tds.UniqueIdentifier}, "DATE": {Kind: tds.Date},
	"TIME": {Kind: tds.Time, Scale: 7}, "SMALLDATETIME": {Kind: tds.SmallDateTime}, "DATETIME": {Kind: tds.DateTime},
	"DATETIME2": {Kind: tds.DateTime2, Scale: 7}, "DATETIMEOFFSET": {Kind: tds.DateTimeOffset, Scale: 7},
}

func lengthy(k tds.Kind) bool { return tds.Char <= k && k <= tds.VarBinary }

func stringy(k tds.Kind) bool { return tds.Char <= k && k <= tds.NVarChar }

func integer(k tds.Kind) bool { return tds.TinyInt <= k && k <= tds.BigInt }

func scaled(k tds.Kind) bool { return k == tds.Time || k == tds.DateTime2 || k == tds.DateTimeOffset }

// pgType is the type with its length, precision or scale, as PostgreSQL writes it.
func pgType(t tds.Type) string {
	name := pgNames[t.Kind]
	switch {
	case lengthy(t.Kind) && t.Size == tds.Max:
		return fmt.Sprintf("%s(%d)", name, maxLength)
	case lengthy(t.Kind) && t.Size > 0:
		return fmt.Sprintf("%s(%d)", name, t.Size)
	case t.Kind == tds.Decimal && t.Precision > 0:
		return fmt.Sprintf("%s(%d,%d)", name, t.Precision, t.Scale)
	case scaled(t.Kind):
		return fmt.Sprintf("%s(%d)", name, t.Scale+1)
	}
	return name
}

// describe turns PostgreSQL's type of a column of a result into that of SQL Server. Of an expression PostgreSQL may not know the
// length; then it is (max), for the longest value fits. exact is false for a decimal whose precision it does not know.
func describe(kind tds.Kind, modifier int32) (t tds.Type, exact bool) {
	t.Kind = kind
	switch {
	case lengthy(kind):
		t.Size = tds.Max
		if n := int(modifier) - 4; n > 0 && n != maxLength {
			t.Size = n
		}
	case kind == tds.Decimal && modifier < 0:
		t.Precision = 38
		return t, false
	case kind == tds.Decimal:
		t.Precision, t.Scale = uint8(uint32(modifier-4)>>16), uint8(uint32(modifier-4)&0x7ff)
	case scaled(kind):
		t.Scale = 7
		if modifier > 0 {
			t.Scale = uint8(modifier - 5)
		}
	}
	return t, true
}

// typeName parses a type; length is that of a string type without one: 1 in a declaration, 30 in a conversion.
func (p *parser) typeName(length int) tds.Type {
	first := p.next()
	up := first.up
	if first.kind == tokName {
		up = upper(first.text)
	}
	if up == "SYS" && p.accept(".") {
		up = upper(p.name())
	}
	if up == "DOUBLE" && p.accept("PRECISION") {
		up = "FLOAT"
	}
	t, ok := names[up]
	if !ok {
		panic(unknown(first.line, "type "+first.text))
	}
	if lengthy(t.Kind) && t.Size == 0 {
		t.Size = length
	}
	if !p.accept("(") {
		return t
	}
	if p.accept("MAX") {
		t.Size = tds.Max
	} else {
		n := p.number()
		switch {
		case lengthy(t.Kind):
			t.Size = n
		case scaled(t.Kind):
			t.Scale = uint8(n)
		case t.Kind == tds.Decimal:
			t.Precision = uint8(n)
			if p.accept(",") {
				t.Scale = uint8(p.number())
			}
		case t.Kind == tds.Float && n <= 24:
			t.Kind = tds.Real
		}
	}
	p.expect(")")
	p.checkType(first, t)
	return t
}

// checkType holds a type to its limits ("char and varchar", "decimal and numeric", "datetime2").
func (p *parser) checkType(at token, t tds.Type) {
	limit := 8000
	if t.Kind == tds.NChar || t.Kind == tds.NVarChar {
		limit = 4000
	}
	switch {
	case lengthy(t.Kind) && t.Size > limit:
		panic(refusal(131, at.line, fmt.Sprintf("The size (%d) given to the type '%s' exceeds the maximum allowed for any data type (8000).",
			t.Size, at.text)))
	case t.Kind == tds.Decimal && (t.Precision > 38 || t.Scale > t.Precision || t.Precision == 0):
		panic(refusal(1001, at.line, "Length or precision specification "+strconv.Itoa(int(t.Precision))+" is invalid."))
	case scaled(t.Kind) && t.Scale > 7:
		panic(refusal(1002, at.line, fmt.Sprintf("Line %d: Specified scale %d is invalid.", at.line, t.Scale)))
	}
}
