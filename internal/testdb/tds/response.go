package tds

import (
	"encoding/binary"
	"fmt"
)

// response is the answer to one message: the Sink of its requests. A DONE is held back until it is known whether anything
// follows it, because it says so (DONE_MORE), and because a client takes one that does not for the end.
type response struct {
	conn      *conn
	packer    packer
	procedure bool // the statements are those of a procedure
	whole     bool // nothing is sent before the end

	out     []byte // tokens that are not sent yet
	held    *done
	columns []Column
	failed  error // the first value of the session's that cannot be sent
	// status is the number of the last error since the last statement that did not fail.
	status int32
	// open says that no statement's end has come after the last error.
	open bool
}

// flushAt is how much is kept before some of it is sent.
const flushAt = 1 << 16

func (c *conn) newResponse() *response {
	return &response{conn: c, packer: packer{size: c.packetSize, spid: c.spid}}
}

// mute says that there is no use in more: after an attention a server sends nothing but that (MS-TDS 2.2.1.7).
func (o *response) mute() bool { return o.failed != nil || o.conn.cancelled() }

func (o *response) fail(err error) {
	if o.failed == nil {
		o.failed = err
	}
}

// settle appends the DONE that was held back.
func (o *response) settle() {
	if o.held != nil {
		o.held.status |= doneMore
		o.out = o.held.append(o.out)
		o.held = nil
	}
}

func (o *response) hold(d done) {
	o.settle()
	o.held = &d
}

// Columns appends a COLMETADATA (MS-TDS 2.2.7.4).
func (o *response) Columns(columns []Column) {
	if o.mute() {
		return
	}
	o.settle()
	o.columns = columns
	b := binary.LittleEndian.AppendUint16(append(o.out, tokenColMetadata), uint16(len(columns)))
	for _, c := range columns {
		flags := uint16(unknownUpdating)
		if c.Nullable {
			flags |= nullableFlag
		}
		b = binary.LittleEndian.AppendUint32(b, 0) // the user type: none
		b = binary.LittleEndian.AppendUint16(b, flags)
		var err error
		if b, err = appendType(b, c.Type, c.Nullable); err != nil {
			o.fail(fmt.Errorf("column %q: %w", c.Name, err))
			return
		}
		b = appendBVarChar(b, c.Name)
	}
	o.out = b
}

// Row appends a ROW (MS-TDS 2.2.7.20).
func (o *response) Row(values []any) {
	if o.mute() {
		return
	}
	if len(values) != len(o.columns) {
		o.fail(fmt.Errorf("a row has %d values for %d columns", len(values), len(o.columns)))
		return
	}
	o.settle()
	b := append(o.out, tokenRow)
	for i, v := range values {
		var err error
		if b, err = appendValue(b, o.columns[i].Type, o.columns[i].Nullable, v); err != nil {
			o.fail(fmt.Errorf("column %q: %w", o.columns[i].Name, err))
			return
		}
	}
	o.out = b
	if len(b) >= flushAt && !o.whole {
		o.flush()
	}
}

func (o *response) flush() {
	var packets []byte
	packets, o.out = o.packer.pack(o.out, false)
	o.conn.write(packets)
}

// Done is a DONE or DONEINPROC.
func (o *response) Done(d Done) {
	if o.mute() {
		return
	}
	end := done{token: tokenDone}
	if o.procedure {
		end.token = tokenDoneInProc
	}
	if d.Counted {
		end.status, end.rows = doneCount, uint64(d.Rows)
	}
	if d.IsSelect {
		end.command = commandSelect
	}
	if d.Failed {
		end.status |= doneError
	} else {
		o.status = 0
	}
	o.open = false
	o.hold(end)
}

// Message appends an ERROR or INFO.
func (o *response) Message(m Message) {
	if !o.mute() {
		o.message(m)
	}
}

func (o *response) message(m Message) {
	o.settle()
	o.out = appendMessage(o.out, m)
	if m.Class >= leastError {
		o.status, o.open = m.Number, true
	}
}

// Tran appends an ENVCHANGE, after an attention as well: without it the client would be wrong about its transaction for ever.
func (o *response) Tran(e TranEvent, descriptor uint64) {
	o.settle()
	value := binary.LittleEndian.AppendUint64(nil, descriptor)
	switch e {
	case TranBegun:
		o.out = appendEnv(o.out, envBegin, value, nil)
		o.conn.descriptor = descriptor
		return
	case TranCommitted:
		o.out = appendEnv(o.out, envCommit, nil, value)
	case TranRolledBack:
		o.out = appendEnv(o.out, envRollback, nil, value)
	}
	o.conn.descriptor = 0
}

// endBatch ends what is not a procedure call.
func (o *response) endBatch() {
	o.sayFailed()
	if o.held != nil {
		return
	}
	end := done{token: tokenDone}
	if o.open {
		end.status = doneError
	}
	o.hold(end)
}

// endCall ends a procedure call: RETURNSTATUS, RETURNVALUEs and DONEPROC (MS-TDS 2.2.7.18, 2.2.7.19 and 2.2.7.8). A call that was
// refused has none but the last.
func (o *response) endCall(refused, last bool, status int32, outputs []output) {
	if !refused && !o.mute() {
		o.settle()
		o.out = binary.LittleEndian.AppendUint32(append(o.out, tokenReturnStatus), uint32(status))
		for _, v := range outputs {
			o.returnValue(v)
		}
	}
	o.sayFailed()
	end := done{token: tokenDoneProc}
	if o.status != 0 {
		end.status = doneError
	}
	if !last {
		end.status |= doneRPCInBatch
	}
	o.status, o.open = 0, false
	o.hold(end)
}

// output is what a parameter holds after a call.
type output struct {
	ordinal int
	name    string
	typ     Type
	value   any
}

func (o *response) returnValue(v output) {
	const parameter = 1 // not a function's result
	b := binary.LittleEndian.AppendUint16(append(o.out, tokenReturnValue), uint16(v.ordinal))
	b = append(appendBVarChar(b, v.name), parameter)
	b = append(b, 0, 0, 0, 0, nullableFlag, 0) // the user type, the flags
	b, err := appendType(b, v.typ, true)
	if err == nil {
		b, err = appendValue(b, v.typ, true, v.value)
	}
	if err != nil {
		o.fail(fmt.Errorf("output %s: %w", v.name, err))
		return
	}
	o.out = b
}

// sayFailed tells the client that the session gave something that cannot be sent.
func (o *response) sayFailed() {
	if o.failed != nil {
		o.message(Message{Number: errOther, State: 1, Class: 16, Text: "The server cannot send its answer: " + o.failed.Error()})
		o.failed, o.open = nil, true
	}
}
