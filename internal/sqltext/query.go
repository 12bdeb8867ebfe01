package sqltext

// query is the kind of a SELECT, VALUES or TABLE.
func (c *classifier) query(t tokens) (k Kind, returns bool) {
	depth := 0
	returns = true
	for i := range t {
		switch t[i].up {
		case "(":
			depth++
			if t.beginsDML(i + 1) {
				return Write, returns
			}
		case ")":
			depth--
		case "INTO":
			if t.keyword(i, "INTO") {
				return Write, false
			}
		case "FOR":
			if t.keyword(i, "FOR") && t.locks(i+1) {
				k = max(k, LockingRead)
			}
			if t.at(i-1) == "VALUE" && t.at(i-2) == "NEXT" {
				k = max(k, Local)
			}
		case "LOCK": // MySQL
			if c.d == Generic && t.at(i+1) == "IN" && t.at(i+2) == "SHARE" {
				k = max(k, LockingRead)
			}
		case "UPDLOCK", "XLOCK", "TABLOCKX", "HOLDLOCK", "SERIALIZABLE", "REPEATABLEREAD":
			if c.d == SQLServer && depth > 0 {
				k = max(k, LockingRead)
			}
		}
	}
	if c.d == SQLServer && t.kindAt(1) == tokMark && t.at(2) == "=" {
		returns = false // assigns variables
	}
	return k, returns
}

// locks reports whether the words behind FOR lock rows.
func (t tokens) locks(i int) bool {
	switch t.at(i) {
	case "UPDATE", "SHARE":
		return true
	case "NO":
		return t.at(i+1) == "KEY"
	case "KEY":
		return t.at(i+1) == "SHARE"
	}
	return false
}

// beginsDML reports whether a data-changing statement begins at i, and not a
// function or column of that name.
func (t tokens) beginsDML(i int) bool {
	switch t.at(i) {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE":
		next := t.kindAt(i + 1)
		return next == tokWord || next == tokQuoted
	}
	return false
}

// with is WITH name (columns) AS (statement), ... and the main statement.
func (c *classifier) with(t tokens) statement {
	main := t.mainStatement()
	if main == len(t) {
		return statement{kind: Other, verb: "WITH"}
	}
	s := c.classify(t[main:])
	if parts, _ := c.query(t[:main]); parts > s.kind {
		s.kind = parts
	}
	return s
}

// mainStatement is the index of the statement behind the WITH clause at the
// run's start, or the run's length.
func (t tokens) mainStatement() int {
	i := 1
	if t.at(i) == "RECURSIVE" && t.at(i+1) != "AS" && t.at(i+1) != "(" {
		i++
	}
	for {
		i++ // the name
		if t.at(i) == "(" {
			i = t.closing(i) + 1
		}
		for t.at(i) == "AS" || t.at(i) == "NOT" || t.at(i) == "MATERIALIZED" {
			i++
		}
		if t.at(i) == "(" {
			i = t.closing(i) + 1
		}
		for ; i < len(t); i++ { // SEARCH and CYCLE clauses
			switch t.at(i) {
			case "SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "(":
				return i
			}
			if t.at(i) == "," && t.namesCTE(i+1) {
				break
			}
		}
		if i >= len(t) {
			return len(t)
		}
		i++ // the comma
	}
}

// namesCTE reports whether "name AS (" or "name (columns) AS" stands at i: a
// comma in SEARCH ... BY a, b is followed by none.
func (t tokens) namesCTE(i int) bool {
	return t.at(i+1) == "AS" || t.at(i+1) == "("
}

// explain is the kind of what EXPLAIN runs: with ANALYZE, the statement.
func (c *classifier) explain(t tokens) Kind {
	if c.d == SQLite || c.d == SQLServer {
		return Read
	}
	analyze := false
	i := 1
	for ; i < len(t); i++ {
		switch {
		case t[i].up == "ANALYZE" || t[i].up == "ANALYSE":
			analyze = true
			continue
		case t[i].up == "VERBOSE":
			continue
		case t[i].up == "(" && !t.beginsQuery(i+1):
			end := t.closing(i)
			analyze = analyze || t[i:end].asksAnalyze()
			i = end
			continue
		}
		break
	}
	if !analyze || i >= len(t) {
		return Read
	}
	if next := t[i].up; next == "EXPLAIN" || next == "DESCRIBE" || next == "DESC" {
		return Other // not SQL; it would only nest
	}
	if kind := c.classify(t[i:]).kind; kind != Local {
		return kind
	}
	return Other // it runs what only the primary's session knows
}

func (t tokens) beginsQuery(i int) bool {
	for t.at(i) == "(" {
		i++
	}
	switch t.at(i) {
	case "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE":
		return true
	}
	return false
}

// asksAnalyze reads EXPLAIN's options: ANALYZE is on unless it plainly says no.
func (t tokens) asksAnalyze() bool {
	for i := range t {
		if t[i].up == "ANALYZE" || t[i].up == "ANALYSE" {
			if next := t.at(i + 1); next != "FALSE" && next != "OFF" {
				return true
			}
		}
	}
	return false
}

// handsBack reports whether a data-changing statement has RETURNING, or an OUTPUT
// clause that does not go into a table.
func (c *classifier) handsBack(t tokens) bool {
	depth := 0
	output := false
	for i := range t {
		switch t[i].up {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth > 0 {
			continue
		}
		if c.d != SQLServer {
			if t.keyword(i, "RETURNING") {
				return true
			}
			continue
		}
		switch t[i].up {
		case "OUTPUT":
			if output {
				return true
			}
			output = t.at(i-1) != "."
		case "INTO":
			output = false
		case "VALUES", "SELECT", "FROM", "WHERE", "DEFAULT", "EXEC", "EXECUTE", "OPTION":
			if output && t.at(i-1) != "." {
				return true
			}
		}
	}
	return output
}
