package tds

// call is one procedure call of an RPC message (MS-TDS 2.2.6.6).
type call struct {
	procedure string
	args      []arg
}

type arg struct {
	Param
	ordinal int // its place among all of the call, from 0
}

// systemProcedures are those that a client may call by number.
var systemProcedures = [...]string{
	1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec",
	6: "sp_cursorunprepare", 7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: executeSQL,
	11: prepare, 12: execute, 13: prepExec, 14: "sp_prepexecrpc", 15: unprepare,
}

const (
	executeSQL = "sp_executesql"
	prepare    = "sp_prepare"
	execute    = "sp_execute"
	prepExec   = "sp_prepexec"
	unprepare  = "sp_unprepare"
)

// What stands between the calls of one message. No parameter's name is as long as these would be.
const (
	separator     = 0xff
	separatorOld  = 0x80 // of TDS 7.1
	separatorSkip = 0xfe // do not execute what is before it
)

func (r *reader) calls() []call {
	var calls []call
	for {
		c := call{procedure: r.procedure()}
		const recompile = 1 // changes nothing here
		if flags := r.u16(); flags&^recompile != 0 {
			r.fail(refuse(errOther, "The options %#x of a procedure call are not supported.", flags))
		}
		for r.more() && !separates(r.b[0]) {
			c.args = append(c.args, arg{Param: r.param(), ordinal: len(c.args)})
		}
		if r.err != nil {
			return nil
		}
		calls = append(calls, c)
		if !r.more() {
			return calls
		}
		if r.u8() == separatorSkip {
			r.fail(refuse(errOther, "Procedure calls that are not to be executed are not supported."))
			return nil
		}
	}
}

func separates(b byte) bool { return b == separator || b == separatorOld || b == separatorSkip }

func (r *reader) procedure() string {
	n := r.u16()
	if n != 0xffff {
		return fromUTF16(r.bytes(2 * int(n)))
	}
	id := r.u16()
	if int(id) >= len(systemProcedures) || id == 0 {
		r.fail(refuse(errNoProcedure, "Could not find stored procedure %d.", id))
		return ""
	}
	return systemProcedures[id]
}

func (r *reader) param() Param {
	p := Param{Name: r.bVarChar()}
	const output = 1
	flags := r.u8()
	if flags&^output != 0 {
		r.fail(refuse(errOther, "The status flags %#x of parameter %q are not supported.", flags, p.Name))
	}
	t := r.readType()
	p.Type, p.Output = t.Type, flags&output != 0
	p.Value = r.readValue(t)
	return p
}
