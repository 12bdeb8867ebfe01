package sqltext

import (
	"errors"
	"fmt"
)

// Conflict is what an INSERT does when a row is there already.
type Conflict uint8

// The zero value is ConflictError.
const (
	ConflictError   Conflict = iota // no ON CONFLICT
	ConflictNothing                 // DO NOTHING
	ConflictUpdate                  // DO UPDATE
)

// DML is what one INSERT, UPDATE or DELETE of PostgreSQL says. Names are unquoted and folded.
type DML struct {
	// Verb is INSERT, UPDATE or DELETE.
	Verb string
	// Schema and Table name the target; Schema is empty if none was written.
	Schema, Table string
	// Ref is how the statement's clauses name the target: its alias or its name, as written.
	Ref string
	// Columns is an INSERT's list; nil if it has none.
	Columns []string
	// Values is the number of values in the first row of an INSERT ... VALUES; zero for a query and for DEFAULT VALUES.
	Values int
	// DefaultValues: INSERT ... DEFAULT VALUES.
	DefaultValues bool
	// OverridingUser: INSERT ... OVERRIDING USER VALUE, which takes no value for an identity column.
	OverridingUser bool
	// Conflict is what ON CONFLICT says.
	Conflict Conflict
	// Set are the columns that UPDATE or DO UPDATE assigns.
	Set []string
	// Returning: the statement has a RETURNING clause of its own.
	Returning bool
	// End is where in the text the statement ends.
	End int

	// Reads: it may read other rows than those that it changes: a subquery, FROM, USING.
	Reads bool
	// Default: it has the word DEFAULT in the place of a value.
	Default bool
	// Varies is the first word whose meaning is not the same for every session and moment: CURRENT_TIMESTAMP, ctid, a
	// literal such as 'now'. Empty if there is none.
	Varies string
	// Calls are the functions that it may call.
	Calls []Function
	// Dotted are the names behind a dot that are not called: columns, or functions in the notation of one.
	Dotted []string
}

// ReadDML reads a text that is one INSERT, UPDATE or DELETE of PostgreSQL, with or without WITH queries that only read. What
// it is not sure of is an error that says what.
func (s *Statement) ReadDML() (*DML, error) {
	switch {
	case s.Dialect != Postgres:
		return nil, errors.New("the text is not PostgreSQL's")
	case s.Count != 1:
		return nil, fmt.Errorf("the text holds %d statements: send them one by one", s.Count)
	}
	r := &dmlReader{c: classifier{src: s.Text, d: s.Dialect}, t: split(scanPlain(s.Text, s.Dialect), s.Dialect)[0]}
	return r.read()
}

// dmlReader reads from the token at i on. The first error sticks.
type dmlReader struct {
	c   classifier
	t   tokens
	i   int
	d   DML
	err error
}

func (r *dmlReader) read() (*DML, error) {
	r.d.End = r.t[len(r.t)-1].end
	if err := r.whole(); err != nil {
		return nil, err
	}
	if r.t.at(0) == "WITH" {
		r.d.Reads = true
		r.i = r.t.mainStatement()
		if r.i >= len(r.t) {
			return nil, errors.New("where the WITH clause ends is not plain")
		}
	}
	for i := range r.t {
		if r.t[i].up == "(" && r.t.beginsDML(i+1) {
			return nil, errors.New("a WITH query changes rows: send it as a statement of its own")
		}
	}
	r.d.Verb = r.word()
	switch r.d.Verb {
	case "INSERT":
		r.insert()
	case "UPDATE":
		r.target(false)
		r.assignments(r.want("SET"))
	case "DELETE":
		r.target(true)
	default:
		return nil, fmt.Errorf("it is no INSERT, UPDATE or DELETE")
	}
	if r.err != nil {
		return nil, r.err
	}
	r.clauses()
	r.remarks()
	return &r.d, r.err
}

// word takes the word or symbol at hand.
func (r *dmlReader) word() string {
	w := r.t.at(r.i)
	r.i++
	return w
}

// want takes a word that has to be there.
func (r *dmlReader) want(word string) bool {
	if r.t.at(r.i) != word {
		r.fail("%s was expected", word)
		return false
	}
	r.i++
	return true
}

func (r *dmlReader) accept(word string) bool {
	if r.t.at(r.i) != word {
		return false
	}
	r.i++
	return true
}

func (r *dmlReader) fail(format string, args ...any) {
	if r.err == nil {
		where := "at its end"
		if r.i < len(r.t) {
			where = fmt.Sprintf("at byte %d", r.t[r.i].start+1)
		}
		r.err = fmt.Errorf("it cannot be read for certain: %s %s", fmt.Sprintf(format, args...), where)
	}
}

// name takes an identifier.
func (r *dmlReader) name() string {
	k := r.t.kindAt(r.i)
	if k != tokWord && k != tokQuoted {
		r.fail("a name was expected")
		return ""
	}
	if raw := r.c.src[r.t[r.i].start:r.t[r.i].end]; k == tokQuoted && raw[0] != '"' {
		r.fail(`a name in U&"" was found`)
	}
	r.i++
	return r.c.name(r.t, r.i-1)
}

// table takes the target's name and sets Ref to its last part, as written.
func (r *dmlReader) table() {
	r.d.Table = r.name()
	if r.accept(".") {
		r.d.Schema, r.d.Table = r.d.Table, r.name()
	}
	if r.t.at(r.i) == "." {
		r.fail("a name of three parts was found")
	}
	r.refer(r.i - 1)
}

func (r *dmlReader) refer(i int) {
	if r.err == nil {
		r.d.Ref = r.c.src[r.t[i].start:r.t[i].end]
	}
}

// target is that of UPDATE and DELETE.
func (r *dmlReader) target(from bool) {
	if from {
		r.want("FROM")
	}
	if r.accept("ONLY") {
		r.fail("ONLY was found")
	}
	r.table()
	r.accept("*")
	if r.accept("AS") {
		r.name()
		r.refer(r.i - 1)
		return
	}
	switch k := r.t.kindAt(r.i); r.t.at(r.i) {
	case "SET", "USING", "WHERE", "RETURNING":
	default:
		if k == tokWord || k == tokQuoted {
			r.name()
			r.refer(r.i - 1)
		}
	}
}

func (r *dmlReader) insert() {
	r.want("INTO")
	r.table()
	if r.accept("AS") {
		r.name()
		r.refer(r.i - 1)
	}
	if r.t.at(r.i) == "(" && !r.t.beginsQuery(r.i+1) {
		r.i++
		for r.err == nil {
			r.d.Columns = append(r.d.Columns, r.name())
			if !r.accept(",") {
				break
			}
		}
		r.want(")")
	}
	if r.accept("OVERRIDING") {
		r.d.OverridingUser = r.word() == "USER"
		r.want("VALUE")
	}
	switch r.t.at(r.i) {
	case "DEFAULT":
		r.i++
		r.d.DefaultValues = r.want("VALUES")
	case "VALUES":
		r.i++
		r.d.Values = r.t.width(r.i)
	case "SELECT", "TABLE", "WITH", "(":
		r.d.Reads = true
	default:
		r.fail("VALUES or a query was expected")
	}
}

// width is the number of expressions in the parentheses at i.
func (t tokens) width(i int) int {
	end := t.closing(i)
	n, depth := 1, 0
	for ; i < end; i++ {
		switch t[i].up {
		case "(", "[":
			depth++
		case ")", "]":
			depth--
		case ",":
			if depth == 1 {
				n++
			}
		}
	}
	return n
}

// assignments takes SET's list up to the clause behind it.
func (r *dmlReader) assignments(more bool) {
	for more && r.err == nil {
		if r.accept("(") {
			for r.err == nil {
				r.assigned()
				if !r.accept(",") {
					break
				}
			}
			r.want(")")
		} else {
			r.assigned()
		}
		r.want("=")
		more = r.skipExpression()
	}
}

// assigned takes one target: a column, or a part of it.
func (r *dmlReader) assigned() {
	r.d.Set = append(r.d.Set, r.name())
	for r.err == nil {
		switch r.t.at(r.i) {
		case ".":
			r.i++
			r.name()
		case "[":
			for depth := 0; r.i < len(r.t); r.i++ {
				if r.t[r.i].up == "[" {
					depth++
				} else if r.t[r.i].up == "]" {
					if depth--; depth == 0 {
						break
					}
				}
			}
			r.i++
		default:
			return
		}
	}
}

// skipExpression goes on to the next assignment, and reports whether there is one.
func (r *dmlReader) skipExpression() bool {
	depth := 0
	for ; r.i < len(r.t); r.i++ {
		switch r.t[r.i].up {
		case "(", "[":
			depth++
		case ")", "]":
			depth--
		case ",":
			if depth == 0 {
				r.i++
				return true
			}
		case "FROM", "WHERE", "RETURNING":
			if depth == 0 && r.t.clause(r.i) {
				return false
			}
		}
	}
	return false
}

// clause: a reserved word is a name behind a dot or AS only, and IS DISTINCT FROM is an operator.
func (t tokens) clause(i int) bool {
	return t.keyword(i, t[i].up) && (t[i].up != "FROM" || t.at(i-1) != "DISTINCT")
}

// clauses goes through what stands outside of parentheses.
func (r *dmlReader) clauses() {
	depth := 0
	for ; r.i < len(r.t) && r.err == nil; r.i++ {
		switch r.t[r.i].up {
		case "(", "[":
			depth++
		case ")", "]":
			depth--
		}
		if depth != 0 {
			continue
		}
		switch r.t[r.i].up {
		case "FROM", "USING":
			r.d.Reads = r.d.Reads || r.t.clause(r.i)
		case "ON":
			if r.d.Verb == "INSERT" && r.t.at(r.i+1) == "CONFLICT" {
				r.conflict()
			}
		case "RETURNING":
			if r.t.clause(r.i) {
				if r.d.Returning = true; r.t.at(r.i+1) == "WITH" {
					r.fail("RETURNING WITH was found")
				}
				return
			}
		case "CURRENT":
			if r.t.at(r.i+1) == "OF" {
				r.d.Varies = "CURRENT OF"
			}
		}
	}
}

// conflict takes ON CONFLICT [target] DO NOTHING, or DO UPDATE SET and its list.
func (r *dmlReader) conflict() {
	for r.i += 2; r.i < len(r.t); r.i++ {
		switch r.t[r.i].up {
		case "(":
			r.i = r.t.closing(r.i)
		case "DO":
			r.i++
			if r.accept("NOTHING") {
				r.d.Conflict = ConflictNothing
			} else if r.want("UPDATE") {
				r.d.Conflict = ConflictUpdate
				r.assignments(r.want("SET"))
			}
			r.i--
			return
		}
	}
	r.fail("DO was expected")
}
