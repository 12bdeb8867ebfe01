package tds

import (
	"encoding/binary"
	"fmt"
)

// refusal is an error of the client's that it is told of, and that its connection outlives.
type refusal struct{ message Message }

func (r *refusal) Error() string { return r.message.Text }

// refuse makes a refusal with an error number of SQL Server's.
func refuse(number int32, format string, args ...any) error {
	return &refusal{Message{Number: number, State: 1, Class: 16, Text: fmt.Sprintf(format, args...)}}
}

// broken makes a refusal of what is not as the protocol has it.
func broken(number int32, format string, args ...any) error {
	return refuse(number, "The incoming tabular data stream (TDS) protocol stream is incorrect. "+format, args...)
}

// The numbers of SQL Server's for what a request can have wrong.
const (
	errStream       = 4002
	errTransaction  = 3989
	errDataType     = 8009
	errNoType       = 2715
	errConversion   = 8114
	errOverflow     = 8115
	errTooManyArgs  = 8144
	errArgName      = 8145
	errNotOutput    = 8162
	errMissingArg   = 8178
	errHandle       = 8179
	errNoProcedure  = 2812
	errValue        = 8023
	errOther        = 50000 // the number of what has none
	errLoginFailed  = 18456
	errOpenDatabase = 4060
)

// reader reads a message's body. It keeps the first error and gives zeros from then on.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// bytes returns the next n bytes, which stay part of the body.
func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail(broken(errStream, "The stream ended unexpectedly."))
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u8() uint8 {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// bVarChar reads a string with a byte that counts its UTF-16 units (MS-TDS 2.2.5.2).
func (r *reader) bVarChar() string { return fromUTF16(r.bytes(2 * int(r.u8()))) }

// bVarByte reads a string with a byte that counts its bytes.
func (r *reader) bVarByte() string { return fromUTF16(r.bytes(int(r.u8()))) }

// more says whether there is anything left to read.
func (r *reader) more() bool { return len(r.b) > 0 }
