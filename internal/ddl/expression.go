package ddl

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// maxDepth bounds the expressions that are read.
const maxDepth = 100

// condition reads an expression of the subset that both engines evaluate alike.
func (r *reader) condition() *expr {
	defer r.deeper()()
	e := r.conjunction()
	for at := r.at(); r.accept("OR"); at = r.at() {
		e = &expr{op: or, args: []*expr{e, r.conjunction()}, at: at}
	}
	return e
}

// deeper goes a level down, and returns what goes up again.
func (r *reader) deeper() func() {
	if r.depth++; r.depth > maxDepth {
		refuse(r.at(), "an expression of more than %d levels", maxDepth)
	}
	return func() { r.depth-- }
}

func (r *reader) conjunction() *expr {
	e := r.negation()
	for at := r.at(); r.accept("AND"); at = r.at() {
		e = &expr{op: and, args: []*expr{e, r.negation()}, at: at}
	}
	return e
}

func (r *reader) negation() *expr {
	at, n := r.at(), 0
	for r.accept("NOT") {
		n++
	}
	e := r.predicate()
	if n%2 == 1 {
		e = &expr{op: not, args: []*expr{e}, at: at}
	}
	return e
}

func (r *reader) predicate() *expr {
	left := r.sum()
	at := r.at()
	negated := func(yes, no operator) operator {
		if r.accept("NOT") {
			return no
		}
		return yes
	}
	switch {
	case r.accept("IS"):
		op := negated(isNull, isNotNull)
		word := r.acceptOne("NULL", "TRUE", "FALSE")
		switch {
		case word == "NULL":
			left = &expr{op: op, args: []*expr{left}, at: at}
		default:
			refuse(at, "IS is not translated but for NULL; compare by =")
		}
	case r.is("NOT", "IN"), r.is("IN"):
		op := negated(in, notIn)
		r.expect("IN")
		args := []*expr{left}
		r.parenthesized(func() { r.list(func() { args = append(args, r.sum()) }) })
		left = &expr{op: op, args: args, at: at}
	case r.is("NOT", "BETWEEN"), r.is("BETWEEN"):
		op := negated(between, notBetween)
		r.expect("BETWEEN")
		low := r.sum()
		r.expect("AND")
		left = &expr{op: op, args: []*expr{left, low, r.sum()}, at: at}
	case r.is("NOT", "LIKE"), r.is("LIKE"):
		op := negated(like, notLike)
		r.expect("LIKE")
		pattern := r.sum()
		if r.is("ESCAPE") {
			refuse(r.at(), "LIKE with ESCAPE")
		}
		left = &expr{op: op, args: []*expr{left, pattern}, at: at}
	default:
		if sign := r.comparison(); sign != "" {
			left = &expr{op: compare, text: sign, args: []*expr{left, r.sum()}, at: at}
		}
	}
	if at = r.at(); r.comparison() != "" || r.is("IS") {
		refuse(at, "one comparison behind another")
	}
	return left
}

// comparison takes the sign of one, whose characters stand together; "" if there is none.
func (r *reader) comparison() string {
	signs := ""
	for n := 0; n < 3; n++ {
		t := r.peek(n)
		if t.Kind != sqltext.SignToken || !strings.Contains("<>=!", t.Upper) || n > 0 && t.Start != r.peek(n-1).End {
			break
		}
		signs += t.Upper
	}
	if !slices.Contains([]string{"=", "<>", "!=", "<", "<=", ">", ">="}, signs) {
		return ""
	}
	r.pos += len(signs)
	if signs == "!=" {
		return "<>"
	}
	return signs
}

func (r *reader) sum() *expr {
	e := r.product()
	for {
		at := r.at()
		sign := r.acceptOne("+", "-")
		if sign == "" {
			return e
		}
		e = &expr{op: arithmetic, text: sign, args: []*expr{e, r.product()}, at: at}
	}
}

// product: a division has not the same digits on both engines.
func (r *reader) product() *expr {
	e := r.cast()
	for at := r.at(); r.accept("*"); at = r.at() {
		e = &expr{op: arithmetic, text: "*", args: []*expr{e, r.cast()}, at: at}
	}
	return e
}

// cast reads PostgreSQL's x::type behind a literal, as its own catalog writes it.
func (r *reader) cast() *expr {
	e := r.unary()
	for at := r.at(); r.dialect == sqltext.Postgres && r.accept(":", ":"); at = r.at() {
		e = casted(e, r.postgresType(), at)
	}
	return e
}

// casted is a literal that is cast to a type in which it stays what it is.
func casted(e *expr, t typ, at int) *expr {
	switch {
	case e.op == nullLiteral:
		return e
	case e.op == stringLiteral && t.numeric() && number.MatchString(e.text):
		return &expr{op: numberLiteral, text: e.text, at: e.at}
	case e.op == stringLiteral && t.kind == boolean:
		return truth(e)
	case e.op == stringLiteral && (t.stringy() && t.length == 0 || t.dated() && t.length == 0 || t.kind == uuid || t.kind == bytes):
		return e
	case e.op == numberLiteral && t.numeric() && whole.MatchString(e.text) && (t.kind != decimal || t.length == 0):
		return e
	case e.op == boolLiteral && t.kind == boolean:
		return e
	}
	refuse(at, "a cast that may change its value")
	return nil
}

var (
	whole  = regexp.MustCompile(`^-?[0-9]{1,18}$`)
	number = regexp.MustCompile(`^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)
)

func (r *reader) unary() *expr {
	defer r.deeper()()
	at := r.at()
	switch {
	case r.accept("-"):
		e := r.unary()
		if e.op == numberLiteral && !strings.HasPrefix(e.text, "-") {
			return &expr{op: numberLiteral, text: "-" + e.text, at: at}
		}
		return &expr{op: negative, args: []*expr{e}, at: at}
	case r.accept("+"):
		return r.unary()
	}
	return r.primary()
}

func (r *reader) primary() *expr {
	t := r.peek(0)
	e := &expr{at: t.Start}
	switch {
	case r.accept("("):
		e = r.condition()
		r.expect(")")
		return e
	case t.Kind == sqltext.StringToken, t.Upper == "N" && r.dialect == sqltext.SQLServer && r.peek(1).Kind == sqltext.StringToken:
		e.op, e.text = stringLiteral, r.stringValue()
		return e
	case t.Kind == sqltext.NumberToken:
		r.pos++
		if e.op, e.text = numberLiteral, t.Value; !number.MatchString(t.Value) {
			refuse(t.Start, "the number %.40q; write it in digits", t.Value)
		}
		return e
	case t.Kind == sqltext.MarkToken && t.Value != "":
		refuse(t.Start, "a placeholder in a statement that takes no arguments")
	case r.accept("NULL"):
		e.op = nullLiteral
		return e
	case r.dialect == sqltext.Postgres && (r.is("TRUE") || r.is("FALSE")):
		r.pos++
		e.op, e.text = boolLiteral, strings.ToLower(t.Upper)
		return e
	}
	if special := r.special(); special != nil {
		return special
	}
	if t.Kind == sqltext.WordToken && r.peek(1).Kind == sqltext.StringToken {
		refuse(t.Start, "%.40q before a string", t.Value)
	}
	e.text = r.identifier()
	switch {
	case r.is("("):
		refuse(t.Start, "the function %.40q", e.text)
	case r.is("."):
		refuse(t.Start, "a column or a function with a qualifier")
	case r.is("["):
		refuse(t.Start, "a subscript")
	}
	return e
}

// special reads the functions that both engines have, under whichever name.
func (r *reader) special() *expr {
	t := r.peek(0)
	e := &expr{at: t.Start}
	if t.Kind != sqltext.WordToken {
		return nil
	}
	words := map[string]operator{"CURRENT_TIMESTAMP": now, "LOCALTIMESTAMP": localNow, "CURRENT_DATE": today}
	calls := map[string]operator{"NOW": now, "TRANSACTION_TIMESTAMP": now, "STATEMENT_TIMESTAMP": now, "CLOCK_TIMESTAMP": now,
		"GEN_RANDOM_UUID": newUUID, "UUID_GENERATE_V4": newUUID}
	if r.dialect == sqltext.SQLServer {
		words = map[string]operator{"CURRENT_TIMESTAMP": localNow}
		calls = map[string]operator{"SYSDATETIMEOFFSET": now, "GETDATE": localNow, "SYSDATETIME": localNow, "GETUTCDATE": utcNow, "SYSUTCDATETIME": utcNow,
			"NEWID": newUUID, "NEWSEQUENTIALID": newUUID}
	}
	if op, ok := words[t.Upper]; ok {
		r.pos++
		e.op = op
		return r.atUTC(e)
	}
	if op, ok := calls[t.Upper]; ok && r.peek(1).Upper == "(" && r.peek(2).Upper == ")" {
		r.pos += 3
		e.op = op
		return r.atUTC(e)
	}
	if r.dialect == sqltext.Postgres && (t.Upper == "LENGTH" || t.Upper == "CHAR_LENGTH") && r.peek(1).Upper == "(" {
		r.pos++
		r.parenthesized(func() { e.op, e.args = length, []*expr{{text: "", at: r.at()}}; e.args[0].text = r.identifier() })
		return e
	}
	return nil
}

// atUTC takes PostgreSQL's AT TIME ZONE 'utc' behind the moment.
func (r *reader) atUTC(e *expr) *expr {
	if e.op != now || !r.is("AT", "TIME", "ZONE") {
		return e
	}
	at := r.at()
	r.pos += 3
	if r.peek(0).Kind != sqltext.StringToken || !strings.EqualFold(r.stringValue(), "utc") {
		refuse(at, "AT TIME ZONE but for 'utc'")
	}
	return &expr{op: utcNow, at: e.at}
}

// truth is a string that PostgreSQL takes for a boolean (manual, 8.6).
func truth(e *expr) *expr {
	word := strings.ToLower(strings.TrimSpace(e.text))
	switch word {
	case "t", "true", "y", "yes", "on", "1":
		return &expr{op: boolLiteral, text: "true", at: e.at}
	case "f", "false", "n", "no", "off", "0":
		return &expr{op: boolLiteral, text: "false", at: e.at}
	}
	refuse(e.at, "a string that is no boolean")
	return nil
}

// columns are those that an expression names, each once, in order.
func (e *expr) columns() []string {
	if e.op == columnRef {
		return []string{e.text}
	}
	var all []string
	for _, a := range e.args {
		for _, c := range a.columns() {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}
