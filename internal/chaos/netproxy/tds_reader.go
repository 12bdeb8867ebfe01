package netproxy

import (
	"encoding/binary"
	"unicode/utf16"
)

// tdsReader reads a message from its beginning. When there is not enough of it, it reads zeros, and has failed.
type tdsReader struct {
	unread []byte
	failed bool
}

func (r *tdsReader) take(n uint64) []byte {
	if n > uint64(len(r.unread)) {
		r.unread, r.failed = nil, true
		return nil
	}
	b := r.unread[:n]
	r.unread = r.unread[n:]
	return b
}

func (r *tdsReader) number(size uint64) (n uint64) {
	for i, b := range r.take(size) {
		n |= uint64(b) << (8 * i)
	}
	return n
}

// text reads UTF-16, of so many units.
func (r *tdsReader) text(units uint64) string { return decodeUTF16(r.take(2 * units)) }

// allHeaders reads what is before the body of a request (MS-TDS 2.2.5.3). Its length is of itself too.
func (r *tdsReader) allHeaders() {
	const ofLength = 4
	length := r.number(ofLength)
	if length < ofLength {
		r.failed = true
		return
	}
	r.take(length - ofLength)
}

// nvarchar reads a type without its first byte, and a value (MS-TDS 2.2.5.4.2, 2.2.5.2.3).
func (r *tdsReader) nvarchar() string {
	const (
		max  = 0xFFFF // as the size of the type: the value comes in chunks
		null = 0xFFFF // as the size of a value
	)
	size := r.number(2)
	r.take(5) // collation
	if size == max {
		return decodeUTF16(r.chunks())
	}
	n := r.number(2)
	if n == null {
		return ""
	}
	return decodeUTF16(r.take(n))
}

// chunks reads a value of a type without a largest size (MS-TDS 2.2.5.2.3, PLP_BODY).
func (r *tdsReader) chunks() (value []byte) {
	const null = 1<<64 - 1
	if r.number(8) == null { // otherwise a length, which need not be known
		return nil
	}
	for n := r.number(4); n > 0; n = r.number(4) {
		value = append(value, r.take(n)...)
	}
	return value
}

func decodeUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
