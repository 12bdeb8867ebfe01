package dualsql

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql/internal/engine"
)

// intent is what the journal keeps of one commit: enough to repeat it on the secondary.
type intent struct {
	txid     uuid.UUID
	protocol Protocol
	pair     uuid.UUID // zero when the databases carry no pair id
	sides    [2]string // redacted
	at       time.Time
	prepares engine.Role // under 2pc: the prepared participant
	redo     []redoStatement
}

// redoStatement is one mirrored statement as the secondary gets it.
type redoStatement struct {
	text  string
	args  []driver.NamedValue // portable values only
	rows  int64               // that it must affect or return; negative: not compared
	query bool                // it returns rows, and rows counts those
	// session: it sets what the session of the transaction had before, and runs before BEGIN: DISCARD ALL and most PRAGMAs
	// cannot run inside a transaction.
	session bool
}

// size approximates the encoded size, for journal.redo_limit.
func (s *redoStatement) size() int64 {
	return int64(len(s.text)) + 16 + argsSize(s.args)
}

// argsSize approximates what arguments take.
func argsSize(args []driver.NamedValue) (n int64) {
	for _, a := range args {
		n += 12 + int64(len(a.Name))
		switch v := a.Value.(type) {
		case string:
			n += int64(len(v))
		case []byte:
			n += int64(len(v))
		}
	}
	return n
}

// The kinds of values that an intent holds. They are part of the journal's format.
const (
	valueNil = iota
	valueFalse
	valueTrue
	valueInt
	valueFloat
	valueString
	valueBytes
	valueTime     // Unix seconds, nanoseconds, zone offset and zone name: SQLite's driver writes the name
	valueExecMode // pgx's leading option
	valueNilBytes // a NULL of SQL Server's that is not text
)

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, valueNil), nil
	case bool:
		if v {
			return append(b, valueTrue), nil
		}
		return append(b, valueFalse), nil
	case int64:
		return binary.AppendVarint(append(b, valueInt), v), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, valueFloat), math.Float64bits(v)), nil
	case string:
		return appendString(append(b, valueString), v), nil
	case []byte:
		if v == nil {
			return append(b, valueNilBytes), nil
		}
		return append(binary.AppendUvarint(append(b, valueBytes), uint64(len(v))), v...), nil
	case time.Time:
		zone, offset := v.Zone()
		b = binary.AppendVarint(append(b, valueTime), v.Unix())
		b = binary.AppendUvarint(b, uint64(v.Nanosecond()))
		return appendString(binary.AppendVarint(b, int64(offset)), zone), nil
	case pgx.QueryExecMode:
		return binary.AppendVarint(append(b, valueExecMode), int64(v)), nil
	}
	return nil, fmt.Errorf("a value of type %T cannot be written to the journal", v)
}

// appendBody encodes what of an intent may hold personal data.
func (in *intent) appendBody(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(in.redo)))
	for _, s := range in.redo {
		b = appendString(b, s.text)
		b = binary.AppendVarint(b, s.rows)
		b = append(b, boolByte(s.query)|boolByte(s.session)<<1)
		b = binary.AppendUvarint(b, uint64(len(s.args)))
		for _, a := range s.args {
			b = appendString(b, a.Name)
			var err error
			if b, err = appendValue(b, a.Value); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// appendHead encodes the rest.
func (in *intent) appendHead(b []byte) []byte {
	b = appendString(b, string(in.protocol))
	b = append(b, in.pair[:]...)
	b = appendString(appendString(b, in.sides[0]), in.sides[1])
	return append(binary.AppendVarint(b, in.at.UnixNano()), byte(in.prepares))
}

// decoder reads what the functions above have written. The first error sticks; what is read after it is zero.
type decoder struct {
	b   []byte
	err error
}

var errShort = errors.New("the record ends early")

func (d *decoder) fail() {
	if d.err == nil {
		d.err = errShort
	}
	d.b = nil
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (d *decoder) string() string { return string(d.bytes(d.uvarint())) }

// count reads a number of things that take at least one byte each.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) value() any {
	switch kind := d.byte(); kind {
	case valueNil:
		return nil
	case valueFalse, valueTrue:
		return kind == valueTrue
	case valueInt:
		return d.varint()
	case valueFloat:
		if b := d.bytes(8); b != nil {
			return math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	case valueString:
		return d.string()
	case valueBytes:
		return append([]byte{}, d.bytes(d.uvarint())...)
	case valueTime:
		sec, nsec, offset, zone := d.varint(), d.uvarint(), d.varint(), d.string()
		if nsec > 999_999_999 || offset < -1<<20 || offset > 1<<20 {
			d.err = errors.New("a time is out of range")
			return nil
		}
		loc := time.UTC
		if zone != "UTC" || offset != 0 {
			loc = time.FixedZone(zone, int(offset))
		}
		return time.Unix(sec, int64(nsec)).In(loc)
	case valueNilBytes:
		return []byte(nil)
	case valueExecMode:
		return pgx.QueryExecMode(d.varint())
	default:
		if d.err == nil {
			d.err = fmt.Errorf("unknown kind of value %d", kind)
		}
	}
	return nil
}

func (in *intent) readHead(d *decoder) {
	in.protocol = Protocol(d.string())
	copy(in.pair[:], d.bytes(16))
	in.sides[0], in.sides[1] = d.string(), d.string()
	in.at = time.Unix(0, d.varint())
	in.prepares = engine.Role(d.byte() & 1)
}

func (in *intent) readBody(d *decoder) {
	n := d.count()
	for range n {
		s := redoStatement{text: d.string(), rows: d.varint()}
		flags := d.byte()
		s.query, s.session = flags&1 != 0, flags&2 != 0
		for i := range d.count() {
			s.args = append(s.args, driver.NamedValue{Name: d.string(), Ordinal: i + 1, Value: d.value()})
		}
		if d.err != nil {
			return
		}
		in.redo = append(in.redo, s)
	}
}
