package sqltext

// A batch of T-SQL needs no semicolons between its statements. Nearly all
// words that begin one are reserved, so each of them, outside of parentheses,
// begins a statement unless it goes on with the one before.

var batchVerbs = map[string]bool{
	"ALTER": true, "BACKUP": true, "BEGIN": true, "BULK": true, "CHECKPOINT": true, "CLOSE": true,
	"COMMIT": true, "CREATE": true, "DBCC": true, "DEALLOCATE": true, "DECLARE": true, "DELETE": true,
	"DENY": true, "DROP": true, "EXEC": true, "EXECUTE": true, "FETCH": true, "GRANT": true,
	"INSERT": true, "KILL": true, "MERGE": true, "OPEN": true, "PRINT": true, "RAISERROR": true,
	"READTEXT": true, "RECONFIGURE": true, "RESTORE": true, "REVERT": true, "REVOKE": true,
	"ROLLBACK": true, "SAVE": true, "SELECT": true, "SET": true, "SHUTDOWN": true, "TRUNCATE": true,
	"UPDATE": true, "UPDATETEXT": true, "USE": true, "WAITFOR": true, "WRITETEXT": true,
}

// splitBatch cuts a T-SQL batch into its statements. Words that only steer
// (BEGIN, END, ELSE) are no statements.
func splitBatch(t tokens) []tokens {
	var all []tokens
	cut := func(part tokens) {
		for i := range part {
			if !steers(part, i) {
				all = append(all, part)
				return
			}
		}
	}
	start, depth := 0, 0
	head := batchHead{at: -1}
	for i := range t {
		switch t[i].up {
		case "(":
			depth++
			continue
		case ")":
			depth = max(depth-1, 0)
			continue
		}
		if depth > 0 {
			continue
		}
		if t[i].up == ";" {
			cut(t[start:i])
			start, head = i+1, batchHead{at: -1}
			continue
		}
		if !t.startsStatement(i) || head.at >= 0 && head.goesOn(t, i) {
			continue
		}
		if i > start && (head.at >= 0 || t.at(start) != "WITH") {
			cut(t[start:i])
			start = i
		}
		head = batchHead{at: i, verb: t[i].up}
		if bodyOf(t[i:], SQLServer) == toEnd {
			break
		}
	}
	cut(t[start:])
	return all
}

func (t tokens) startsStatement(i int) bool {
	if t.at(i-1) == "." {
		return false
	}
	if t[i].up == "BEGIN" {
		return beginsTransaction(t[i:], SQLServer)
	}
	return batchVerbs[t[i].up]
}

// steers reports whether the token at i is a word of control flow that is no
// statement.
func steers(t tokens, i int) bool {
	switch t.at(i) {
	case "BEGIN":
		return !beginsTransaction(t[i:], SQLServer)
	case "END", "ELSE", "TRY", "CATCH":
		return true
	}
	return false
}

// batchHead is the statement that a walk over a batch is in.
type batchHead struct {
	at      int // index of its verb, -1 before one
	verb    string
	sourced bool // an INSERT has its SELECT or EXEC, an UPDATE its SET
}

// goesOn reports whether the verb at i is part of the statement.
func (h *batchHead) goesOn(t tokens, i int) bool {
	before, after := t.at(i-1), t.at(i+1)
	switch word := t[i].up; word {
	case "SELECT":
		switch before {
		case "UNION", "ALL", "EXCEPT", "INTERSECT", "AS", "FOR":
			return true
		}
		return h.takesSource(t, i) || h.grants(t, i)
	case "EXEC", "EXECUTE":
		return before == "WITH" || h.takesSource(t, i) || h.grants(t, i)
	case "SET":
		if before == "UPDATE" || before == "DELETE" { // MERGE's action, ON DELETE SET NULL
			return true
		}
		takes := !h.sourced && (h.verb == "UPDATE" || h.verb == "ALTER")
		h.sourced = h.sourced || takes
		return takes
	case "INSERT", "UPDATE", "DELETE":
		// ON DELETE and ON UPDATE stand in foreign keys; SET's ON ends its statement.
		ofKey := before == "ON" && (h.verb == "CREATE" || h.verb == "ALTER")
		return before == "BULK" || before == "THEN" || ofKey || before == "FOR" || h.grants(t, i)
	case "MERGE":
		return after == "JOIN" || after == "UNION"
	case "FETCH":
		return before == "ROWS" || before == "ROW"
	case "CREATE", "ALTER", "DROP":
		return h.verb == "ALTER" || before == "OR" || h.grants(t, i)
	case "GRANT":
		return before == "WITH" || h.grants(t, i)
	case "BACKUP", "CHECKPOINT", "SHUTDOWN":
		return h.grants(t, i)
	}
	return false
}

// takesSource reports whether an INSERT still waits for its rows.
func (h *batchHead) takesSource(t tokens, i int) bool {
	if h.verb != "INSERT" || h.sourced {
		return false
	}
	h.sourced = true
	for _, tok := range t[h.at:i] {
		if tok.up == "VALUES" {
			return false
		}
	}
	return true
}

// grants reports whether the word at i is one of the rights that are granted.
func (h *batchHead) grants(t tokens, i int) bool {
	switch h.verb {
	case "GRANT", "REVOKE", "DENY":
		before := t.at(i - 1)
		return before == h.verb || before == "," || before == "FOR"
	}
	return false
}
