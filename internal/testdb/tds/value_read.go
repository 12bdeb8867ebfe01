package tds

import (
	"encoding/binary"
	"math"
	"time"
)

// readValue reads a value of the type as the kind has it, nil for NULL.
func (r *reader) readValue(t wireType) any {
	var b []byte
	null := t.null
	switch {
	case r.err != nil || null:
	case t.fixed:
		b = r.bytes(fixedSize(t))
	case t.Kind.form() == formByte:
		n := int(r.u8())
		null = n == 0
		b = r.bytes(n)
	case t.Size == Max:
		b, null = r.plp()
	default:
		n := int(r.u16())
		if null = n == lengthNull; !null {
			b = r.bytes(n)
		}
	}
	if r.err != nil || null {
		return nil
	}
	v, ok := decode(t.Type, b)
	if !ok {
		r.fail(broken(errValue, "The supplied value is not a valid instance of data type %v. "+
			"Check the source data for invalid values.", t.Kind))
	}
	return v
}

func fixedSize(t wireType) int {
	if t.small {
		return 4
	}
	return t.size()
}

// plp reads a value in parts (MS-TDS 2.2.5.2.3).
func (r *reader) plp() (b []byte, null bool) {
	total := r.u64()
	if total == plpNull {
		return nil, true
	}
	for {
		n := r.u32()
		if n == 0 {
			break
		}
		b = append(b, r.bytes(int(n))...)
	}
	if r.err == nil && total != plpUnknown && total != uint64(len(b)) {
		r.fail(broken(errStream, "A value of %d bytes was announced with %d.", len(b), total))
	}
	return b, false
}

// decode reads a value that is not NULL. It returns false for bytes that are none of the type's.
func decode(t Type, b []byte) (any, bool) {
	if t.Kind.form() == formShort {
		return decodeString(t, b)
	}
	if len(b) != t.size() && (t.Kind != Money || len(b) != 4) {
		return nil, false
	}
	switch t.Kind {
	case Bit:
		return b[0] != 0, true
	case TinyInt, SmallInt, Int, BigInt:
		return readInt(b), true
	case Real:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case Float:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	case Decimal:
		s := readDecimal(b, t.Scale)
		_, err := appendDecimal(nil, s, t)
		return s, err == nil // otherwise it has more digits than the type
	case Money:
		return readMoney(b), true
	case UniqueIdentifier:
		return [16]byte(mixEndian(b)), true
	}
	return decodeTime(t, b)
}

func decodeString(t Type, b []byte) (any, bool) {
	if most := t.size(); most != Max && len(b) > most {
		return nil, false
	}
	switch {
	case t.Kind.national():
		return fromUTF16(b), len(b)%2 == 0
	case t.Kind == Binary || t.Kind == VarBinary:
		return append([]byte{}, b...), true
	}
	return from1252(b), true
}

func decodeTime(t Type, b []byte) (any, bool) {
	var v time.Time
	var clock time.Duration // of the day
	first := dayOne
	switch t.Kind {
	case Date:
		v = readDay(b)
	case Time:
		clock = readClock(b, t.Scale)
		v = dayOne.Add(clock)
	case DateTime2:
		size := clockSize(t.Scale)
		clock = readClock(b[:size], t.Scale)
		v = readDay(b[size:]).Add(clock)
	case DateTimeOffset:
		clock = readClock(b[:clockSize(t.Scale)], t.Scale)
		minutes := int(int16(binary.LittleEndian.Uint16(b[len(b)-2:])))
		if minutes < -mostOffset || minutes > mostOffset {
			return nil, false
		}
		v = readOffset(b, t.Scale)
	case SmallDateTime:
		clock = time.Duration(binary.LittleEndian.Uint16(b[2:])) * time.Minute
		v = readDays(b[:2]).Add(clock)
	case DateTime:
		first = day1753
		clock = readTicks(b[4:])
		v = readDays(b[:4]).Add(clock)
	}
	return v, clock < 24*time.Hour && within(v, first, dayEnd)
}

// mixEndian turns a uniqueidentifier of the wire into the order of RFC 9562, and back (MS-TDS 2.2.5.5.1): its first three
// parts are little-endian there.
func mixEndian(b []byte) []byte {
	return []byte{
		b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6],
		b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15],
	}
}
