package tds

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// appendType appends a TYPE_INFO (MS-TDS 2.2.5.6).
func appendType(b []byte, t Type, nullable bool) ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	s := shapes[t.Kind]
	if !nullable && s.fixed != 0 {
		return append(b, s.fixed), nil
	}
	b = append(b, s.nullable)
	switch {
	case t.Kind == Date:
	case t.Kind == Decimal:
		b = append(b, byte(t.size()), t.Precision, t.Scale)
	case t.Kind.clock():
		b = append(b, t.Scale)
	case t.Kind.form() == formByte:
		b = append(b, byte(t.size()))
	default:
		b = binary.LittleEndian.AppendUint16(b, uint16(t.size())) // Max is lengthMax
		if t.Kind != Binary && t.Kind != VarBinary {
			b = append(b, collation[:]...)
		}
	}
	return b, nil
}

// appendValue appends a value of a type that appendType has taken.
func appendValue(b []byte, t Type, nullable bool, v any) ([]byte, error) {
	switch {
	case v == nil && !nullable:
		return nil, fmt.Errorf("NULL in a column of type %v that has none", t.Kind)
	case !nullable && shapes[t.Kind].fixed != 0:
		return encode(b, t, v)
	case t.Kind.form() == formShort:
		return appendString(b, t, v)
	case v == nil:
		return append(b, 0), nil
	}
	at := len(b)
	b, err := encode(append(b, 0), t, v)
	if err != nil {
		return nil, err
	}
	b[at] = byte(len(b) - at - 1)
	return b, nil
}

func appendString(b []byte, t Type, v any) ([]byte, error) {
	if v == nil {
		if t.Size == Max {
			return binary.LittleEndian.AppendUint64(b, plpNull), nil
		}
		return binary.LittleEndian.AppendUint16(b, lengthNull), nil
	}
	s, err := stringBytes(t, v)
	if err != nil {
		return nil, err
	}
	if t.Size != Max {
		if len(s) > t.size() {
			return nil, fmt.Errorf("a value of %d bytes for %v(%d)", len(s), t.Kind, t.Size)
		}
		return append(binary.LittleEndian.AppendUint16(b, uint16(len(s))), s...), nil
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
	if len(s) > 0 {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	return binary.LittleEndian.AppendUint32(b, 0), nil // the end of the parts
}

func stringBytes(t Type, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		switch t.Kind {
		case NChar, NVarChar:
			return appendUTF16(nil, v), nil
		case Char, VarChar:
			return append1252(nil, v), nil
		}
	case []byte:
		if t.Kind == Binary || t.Kind == VarBinary {
			return v, nil
		}
	}
	return nil, mismatch(t, v)
}

func mismatch(t Type, v any) error { return fmt.Errorf("%T is no value of %v", v, t.Kind) }

// encode appends a value that is not NULL, without its length, of a kind that is not a string.
func encode(b []byte, t Type, v any) ([]byte, error) {
	switch v := v.(type) {
	case bool:
		switch {
		case t.Kind == Bit && v:
			return append(b, 1), nil
		case t.Kind == Bit:
			return append(b, 0), nil
		}
	case int64:
		switch t.Kind {
		case TinyInt, SmallInt, Int, BigInt:
			if !inRange(t.Kind, v) {
				return nil, fmt.Errorf("%d as %v: %w", v, t.Kind, errRange)
			}
			return appendLow(b, uint64(v), t.size()), nil
		}
	case float64:
		switch t.Kind {
		case Real:
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v))), nil
		case Float:
			return binary.LittleEndian.AppendUint64(b, math.Float64bits(v)), nil
		}
	case string:
		switch t.Kind {
		case Decimal:
			return appendDecimal(b, v, t)
		case Money:
			return appendMoney(b, v)
		}
	case [16]byte:
		if t.Kind == UniqueIdentifier {
			return append(b, mixEndian(v[:])...), nil
		}
	case time.Time:
		return encodeTime(b, t, v)
	}
	return nil, mismatch(t, v)
}

func encodeTime(b []byte, t Type, v time.Time) ([]byte, error) {
	first, end := dayOne, dayEnd
	switch t.Kind {
	case DateTime:
		first, end = day1753, dayEnd.Add(-time.Second/600) // from there on the nearest tick is of the next day
	case SmallDateTime:
		first, end = day1900, daySmallEnd
	case Time:
		end = dayOne.AddDate(0, 0, 1)
	}
	if !within(v, first, end) {
		return nil, fmt.Errorf("%v as %v: %w", v, t.Kind, errRange)
	}
	switch t.Kind {
	case Date:
		return appendDay(b, v), nil
	case Time:
		return appendClock(b, v, t.Scale), nil
	case DateTime2:
		return appendDay(appendClock(b, v, t.Scale), v), nil
	case DateTimeOffset:
		return appendOffset(b, v, t.Scale)
	case SmallDateTime:
		return appendSmallDateTime(b, v), nil
	case DateTime:
		return appendDateTime(b, v), nil
	}
	return nil, mismatch(t, v)
}
