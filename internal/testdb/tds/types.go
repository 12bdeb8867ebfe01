package tds

import "fmt"

// Tokens of types without a kind of their own, or with several (MS-TDS 2.2.5.4).
const (
	tokenNull       = 0x1f
	tokenIntN       = 0x26
	tokenFloatN     = 0x6d
	tokenMoneyN     = 0x6e
	tokenMoney4     = 0x7a
	tokenDateTimeN  = 0x6f
	tokenNumericN   = 0x6c
	mostNVarChar    = 4000
	mostVarChar     = 8000
	mostPrecision   = 38
	mostScale       = 7      // of a time of day
	lengthMax       = 0xffff // (max) in a TYPE_INFO
	lengthNull      = 0xffff // NULL in place of a value's length
	plpNull         = 0xffffffffffffffff
	plpUnknown      = 0xfffffffffffffffe
	unknownUpdating = 0x08 // a column's flag: whether it can be written is not said
	nullableFlag    = 0x01
)

// shape is how a kind goes over the wire.
type shape struct {
	name     string
	fixed    byte // the token of a column that is never NULL, 0 where it is that of the others
	nullable byte
	size     int // bytes of a value that always has as many
}

// form is how the lengths of a kind's values are told.
type form uint8

const (
	formByte  form = iota // a byte before the value
	formShort             // two bytes before it, or PLP for (max)
)

var shapes = [...]shape{
	Bit:              {"bit", 0x32, 0x68, 1},
	TinyInt:          {"tinyint", 0x30, tokenIntN, 1},
	SmallInt:         {"smallint", 0x34, tokenIntN, 2},
	Int:              {"int", 0x38, tokenIntN, 4},
	BigInt:           {"bigint", 0x7f, tokenIntN, 8},
	Real:             {"real", 0x3b, tokenFloatN, 4},
	Float:            {"float", 0x3e, tokenFloatN, 8},
	Decimal:          {"decimal", 0, 0x6a, 0},
	Money:            {"money", 0x3c, tokenMoneyN, 8},
	Char:             {"char", 0, 0xaf, 0},
	VarChar:          {"varchar", 0, 0xa7, 0},
	NChar:            {"nchar", 0, 0xef, 0},
	NVarChar:         {"nvarchar", 0, 0xe7, 0},
	Binary:           {"binary", 0, 0xad, 0},
	VarBinary:        {"varbinary", 0, 0xa5, 0},
	UniqueIdentifier: {"uniqueidentifier", 0, 0x24, 16},
	Date:             {"date", 0, 0x28, 3},
	Time:             {"time", 0, 0x29, 0},
	SmallDateTime:    {"smalldatetime", 0x3a, tokenDateTimeN, 4},
	DateTime:         {"datetime", 0x3d, tokenDateTimeN, 8},
	DateTime2:        {"datetime2", 0, 0x2a, 0},
	DateTimeOffset:   {"datetimeoffset", 0, 0x2b, 0},
}

func (k Kind) known() bool { return 0 < k && int(k) < len(shapes) }

func (k Kind) String() string {
	if !k.known() {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return shapes[k].name
}

func (k Kind) form() form {
	switch k {
	case Char, VarChar, NChar, NVarChar, Binary, VarBinary:
		return formShort
	}
	return formByte
}

func (k Kind) national() bool { return k == NChar || k == NVarChar }

func (k Kind) variable() bool { return k == VarChar || k == NVarChar || k == VarBinary }

func (k Kind) clock() bool { return k == Time || k == DateTime2 || k == DateTimeOffset }

// check says what a type of the backend's lacks.
func (t Type) check() error {
	switch {
	case !t.Kind.known():
		return fmt.Errorf("%v is not known", t.Kind)
	case t.Kind.form() == formShort && t.Size == Max:
		if !t.Kind.variable() {
			return fmt.Errorf("%v has no (max)", t.Kind)
		}
	case t.Kind.national() && (t.Size < 1 || t.Size > mostNVarChar),
		t.Kind.form() == formShort && (t.Size < 1 || t.Size > mostVarChar):
		return fmt.Errorf("%v cannot have size %d", t.Kind, t.Size)
	case t.Kind == Decimal && (t.Precision < 1 || t.Precision > mostPrecision || t.Scale > t.Precision):
		return fmt.Errorf("decimal cannot have precision %d and scale %d", t.Precision, t.Scale)
	case t.Kind.clock() && t.Scale > mostScale:
		return fmt.Errorf("%v cannot have scale %d", t.Kind, t.Scale)
	}
	return nil
}

// size is the greatest length of a value, Max for (max).
func (t Type) size() int {
	switch {
	case t.Kind.form() == formShort && t.Size == Max:
		return Max
	case t.Kind.national():
		return 2 * t.Size
	case t.Kind.form() == formShort:
		return t.Size
	}
	switch t.Kind {
	case Decimal:
		return decimalSize(t.Precision)
	case Time:
		return clockSize(t.Scale)
	case DateTime2:
		return clockSize(t.Scale) + 3
	case DateTimeOffset:
		return clockSize(t.Scale) + 5
	}
	return shapes[t.Kind].size
}
