package netproxy

import "strings"

// readTDS reads a message of the client that rules see. It returns false if it is malformed.
func readTDS(kind byte, body []byte) (Message, bool) {
	m := Message{Type: kind}
	r := &tdsReader{unread: body}
	if kind == tdsBulk {
		return m, true // rows, and no headers before them
	}
	r.allHeaders()
	switch kind {
	case tdsBatch:
		m.Text, m.Runs = decodeUTF16(r.unread), true
	case tdsRPC:
		m.Text, m.Runs = r.call()
	case tdsTransaction:
		m.Text, m.Runs = transactionRequests[r.number(2)]
	}
	return m, !r.failed
}

// The transaction manager requests that are what SQL has statements for (MS-TDS 2.2.6.9).
var transactionRequests = map[uint64]string{
	5: "BEGIN TRANSACTION", 7: "COMMIT TRANSACTION", 8: "ROLLBACK TRANSACTION", 9: "SAVE TRANSACTION",
}

// procedures are those that a client may call by number (MS-TDS 2.2.6.6).
var procedures = [...]string{
	1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec",
	6: "sp_cursorunprepare", 7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql",
	11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 14: "sp_prepexecrpc", 15: "sp_unprepare",
}

// statementAt is where procedures have their SQL: after how many other parameters.
var statementAt = map[string]int{"sp_executesql": 0, "sp_prepare": 2, "sp_prepexec": 2}

// call reads an RPC (MS-TDS 2.2.6.6); of several in one message, the first. The text is the SQL that it gives to the
// server, or the procedure's name if there is none that can be read. What an sp_execute stands for only the server's replies
// tell; go-mssqldb does not use it: it executes by sp_executesql whatever it has prepared.
func (r *tdsReader) call() (text string, runs bool) {
	const byNumber = 0xFFFF
	if n := r.number(2); n != byNumber {
		text = r.text(n)
	} else if number := r.number(2); number < uint64(len(procedures)) {
		text = procedures[number]
	}
	r.number(2) // option flags
	name := strings.ToLower(text)
	if others, has := statementAt[name]; has {
		if sql, ok := r.statement(others); ok {
			text = sql
		}
	}
	return text, name != "sp_prepare" && name != "sp_unprepare"
}

// statement reads the parameter that comes after others.
func (r *tdsReader) statement(others int) (sql string, ok bool) {
	for range others {
		if _, ok = r.parameter(); !ok {
			return "", false
		}
	}
	return r.parameter()
}

// parameter reads a parameter of an RPC, and returns the value of an nvarchar, or "" for a number. It returns false for
// other types: none of the parameters that matter has one.
func (r *tdsReader) parameter() (value string, ok bool) {
	const (
		intN     = 0x26
		nvarchar = 0xE7
	)
	r.text(r.number(1)) // its name
	r.number(1)         // status flags
	switch r.number(1) {
	case intN:
		r.number(1) // the size of the type
		r.take(r.number(1))
		return "", true
	case nvarchar:
		return r.nvarchar(), true
	default:
		return "", false
	}
}
