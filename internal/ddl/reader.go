package ddl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// reader reads one statement by recursive descent. It ends by a panic with an *Error, which Translate catches.
type reader struct {
	text    string
	dialect sqltext.Dialect
	tokens  []sqltext.Token
	pos     int
	depth   int // of expressions
	// table and names are for the names of constraints.
	table string
	names map[string]bool
}

// peek is the token n places ahead; one of kind MarkToken without a text is behind the end.
func (r *reader) peek(n int) sqltext.Token {
	if r.pos+n < len(r.tokens) {
		return r.tokens[r.pos+n]
	}
	return sqltext.Token{Kind: sqltext.MarkToken, Start: len(r.text), End: len(r.text)}
}

func (r *reader) at() int { return r.peek(0).Start }

// is reports whether these words or signs come next.
func (r *reader) is(words ...string) bool {
	for i, word := range words {
		if r.peek(i).Upper != word {
			return false
		}
	}
	return true
}

// accept takes these words or signs if they come next.
func (r *reader) accept(words ...string) bool {
	if !r.is(words...) {
		return false
	}
	r.pos += len(words)
	return true
}

// acceptOne takes the next word if it is one of these.
func (r *reader) acceptOne(words ...string) string {
	for _, word := range words {
		if r.accept(word) {
			return word
		}
	}
	return ""
}

func (r *reader) expect(words ...string) {
	for _, word := range words {
		if !r.accept(word) {
			r.unknown()
		}
	}
}

// unknown is for a token that the reader does not know at this place.
func (r *reader) unknown() {
	if r.pos >= len(r.tokens) {
		refuse(len(r.text), "the end of the text is not understood here")
	}
	t := r.peek(0)
	if t.Kind == sqltext.StringToken { // it may be a secret
		refuse(t.Start, "a string is not understood here")
	}
	if r.pos > 0 {
		refuse(t.Start, "%.40q behind %.40q is not understood", r.source(r.pos), r.source(r.pos-1))
	}
	refuse(t.Start, "%.40q is not understood", r.source(r.pos))
}

func (r *reader) source(i int) string { return r.text[r.tokens[i].Start:r.tokens[i].End] }

// end makes sure that nothing is left.
func (r *reader) end() {
	r.accept(";")
	if r.pos < len(r.tokens) {
		r.unknown()
	}
}

func (r *reader) list(one func()) {
	for one(); r.accept(","); {
		one()
	}
}

func (r *reader) parenthesized(one func()) {
	r.expect("(")
	one()
	r.expect(")")
}

// maxName is PostgreSQL's bound, in bytes; SQL Server's is higher.
const maxName = 63

// identifier takes a name. Words that are reserved in SQL are no names without quotes.
func (r *reader) identifier() string {
	t := r.peek(0)
	switch {
	case t.Kind == sqltext.NameToken && !t.Plain:
		refuse(t.Start, "the quoted name is not closed, or has escapes")
	case t.Kind == sqltext.NameToken && t.Value == "":
		refuse(t.Start, "a name is empty")
	case t.Kind == sqltext.NameToken, t.Kind == sqltext.WordToken && !reserved[t.Upper]:
	default:
		r.unknown()
	}
	if strings.HasPrefix(t.Value, "#") || strings.HasPrefix(t.Value, "@") {
		refuse(t.Start, "%q: a temporary object belongs to one session", t.Value)
	}
	if len(t.Value) > maxName {
		refuse(t.Start, "the name %.20q... has more than %d bytes, which PostgreSQL cuts off", t.Value, maxName)
	}
	r.pos++
	if r.dialect == sqltext.SQLServer && t.Kind == sqltext.WordToken {
		return sqltext.Postgres.Fold(t.Value, false) // as PostgreSQL takes it where a text goes there as it is
	}
	return t.Value
}

// object takes the name of a table or an index.
func (r *reader) object() name {
	at := r.at()
	n := name{name: r.identifier()}
	if r.accept(".") {
		n.schema, n.name = n.name, r.identifier()
	}
	if r.is(".") {
		refuse(at, "a name of more than two parts: the other side may not have a database of that name")
	}
	if strings.EqualFold(n.schema, "dbo") && r.dialect == sqltext.SQLServer {
		n.schema = "dbo"
	}
	if n.schema == map[sqltext.Dialect]string{sqltext.Postgres: "public", sqltext.SQLServer: "dbo"}[r.dialect] {
		n.schema = ""
	}
	return n
}

func (r *reader) columnList() []string {
	var all []string
	r.parenthesized(func() { r.list(func() { all = append(all, r.identifier()) }) })
	return all
}

func (r *reader) ifNotExists() bool { return r.accept("IF", "NOT", "EXISTS") }

func (r *reader) ifExists() bool { return r.accept("IF", "EXISTS") }

// number takes a whole number that a type or an identity is given.
func (r *reader) number(low, high int64) int64 {
	at, sign := r.at(), int64(1)
	if r.accept("-") {
		sign = -1
	} else {
		r.accept("+")
	}
	t := r.peek(0)
	n, err := strconv.ParseInt(t.Value, 10, 64)
	if t.Kind != sqltext.NumberToken || err != nil {
		r.unknown()
	}
	if n *= sign; n < low || n > high {
		refuse(at, "%d is not between %d and %d, as it has to be to mean the same on both sides", n, low, high)
	}
	r.pos++
	return n
}

// stringValue takes a string without escapes, with T-SQL's N before it.
func (r *reader) stringValue() string {
	if r.dialect == sqltext.SQLServer && r.is("N") && r.peek(1).Kind == sqltext.StringToken && r.peek(0).End == r.peek(1).Start {
		r.pos++
	}
	t := r.peek(0)
	if t.Kind != sqltext.StringToken {
		r.unknown()
	}
	if !t.Plain {
		refuse(t.Start, "a string with escapes, in dollar signs or not closed; write it in plain quotes")
	}
	r.pos++
	return t.Value
}

// constraintName is the name that PostgreSQL gives a constraint without one (its makeObjectName).
func (r *reader) constraintName(at int, columns []string, label string) string {
	base := strings.Join(append([]string{r.table}, columns...), "_") + "_" + label
	n := base
	for i := 1; r.names[n]; i++ {
		n = base + strconv.Itoa(i)
	}
	if len(n) > maxName {
		refuse(at, "PostgreSQL shortens the name of this constraint; write CONSTRAINT and a name before it")
	}
	r.takeName(n)
	return n
}

func (r *reader) takeName(n string) {
	if r.names == nil {
		r.names = map[string]bool{}
	}
	r.names[n] = true
}

// sameColumns refuses a constraint or an index that names a column twice.
func sameColumns(at int, columns []string) {
	for i, c := range columns {
		if slices.Contains(columns[:i], c) {
			refuse(at, "the column %q stands twice in one list", c)
		}
	}
}

// reserved are words that are no names without quotes, in PostgreSQL or in SQL Server (each manual's list of keywords).
var reserved = wordSet(`ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BETWEEN BY CASCADE CASE CHECK COLLATE COLUMN CONSTRAINT CREATE CROSS
CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE DELETE DESC DISTINCT DROP ELSE END EXCEPT
EXISTS FALSE FETCH FOR FOREIGN FROM FULL GRANT GROUP HAVING IN INITIALLY INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE
LOCALTIME LOCALTIMESTAMP NOT NULL OF OFFSET ON ONLY OR ORDER OUTER PRIMARY REFERENCES RETURNING RIGHT SELECT SESSION_USER SET SOME
SYMMETRIC TABLE THEN TO TRUE UNION UNIQUE UPDATE USER USING VALUES VIEW WHEN WHERE WINDOW WITH`)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

// shown is a name in an error.
func (n name) String() string {
	if n.schema != "" {
		return fmt.Sprintf("%s.%s", n.schema, n.name)
	}
	return n.name
}
