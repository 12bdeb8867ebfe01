package sqltext

import (
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"SELECT a, 'x' FROM t WHERE b = ? AND c ?? 'd' -- e\n; INSERT INTO t VALUES ($1, $2)",
		"WITH x AS (DELETE FROM t RETURNING *) SELECT @a, @p1 FROM x FOR UPDATE /* dualsql:mirror */",
		"CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = CASE WHEN 1 THEN 2 END; END; SELECT [a], `b`, \"c\"",
		"SELECT E'a\\'b'\n'c', U&'x', $tag$ ; $tag$, a ?| b, c @? d, e::f, g := 1.5e3",
		"DECLARE @x int = 1; EXEC p @a = @x, @b = $1.50; SET NOCOUNT ON; SAVE TRAN s; ROLLBACK TRAN s",
		"SET LOCAL a TO 'b'; RESET ALL; PRAGMA x(1); EXPLAIN (ANALYZE off) COPY (SELECT 1) TO STDOUT",
		"# c\nINSERT INTO t OUTPUT inserted.a VALUES (1) SELECT 2",
	} {
		for d := range uint8(4) {
			f.Add(seed, d, uint8(2), "a")
		}
	}
	f.Fuzz(func(t *testing.T, text string, dialect, positional uint8, name string) {
		d := Dialect(dialect % 4)
		all, _ := scan(text, d)
		pos := 0
		for _, tok := range all {
			if tok.start != pos || tok.end <= tok.start {
				t.Fatalf("token %+v does not begin at %d", tok, pos)
			}
			pos = tok.end
		}
		if pos != len(text) {
			t.Fatalf("tokens cover %d of %d bytes", pos, len(text))
		}
		s := Parse(text, d)
		for _, shape := range []Shape{{}, unknown, args(int(positional)), args(int(positional), name), args(0, name)} {
			for _, to := range []Style{AsIs, Question, Numbered, Dollar, AtP} {
				checkBind(t, s, shape, to)
			}
		}
	})
}

func checkBind(t *testing.T, s *Statement, shape Shape, to Style) {
	t.Helper()
	text, params, err := s.Bind(shape, to)
	again, paramsAgain, errAgain := s.Bind(shape, to)
	if text != again || len(params) != len(paramsAgain) || (err == nil) != (errAgain == nil) {
		t.Fatalf("%v: %q to %v twice: %q, %q", s.Dialect, s.Text, to, text, again)
	}
	if err != nil || to == AsIs || s.procedure {
		return
	}
	u, err := s.uses(shape)
	if err != nil {
		t.Fatal(err)
	}
	if !u.named && (u.style == to || u.style == AsIs) {
		if text != s.Text || params != nil {
			t.Fatalf("%v: %q to its own style: %q, %v", s.Dialect, s.Text, text, params)
		}
		return
	}
	inputs := len(params)
	if params == nil {
		inputs = u.positional
	}
	for _, p := range params {
		if p.Index >= u.positional || p.Index < 0 && p.Name == "" {
			t.Fatalf("%v: %q: no such argument %+v", s.Dialect, s.Text, p)
		}
	}
	if to == AtP { // names are kept, and compete with the numbers
		return
	}
	rendered := Parse(text, s.Dialect)
	if rendered.Kind != s.Kind || rendered.Count != s.Count {
		t.Fatalf("%v: %q is %v, rendered as %q %v", s.Dialect, s.Text, s.Kind, text, rendered.Kind)
	}
	if len(u.all) != len(s.marks) {
		return // what is no placeholder here may be one beside other arguments
	}
	for _, use := range u.all {
		if use.literal && !s.Dialect.spellsOperators() {
			return // an escaped operator that the dialect does not have
		}
	}
	same, _, err := rendered.Bind(args(inputs), to)
	if inputs > 0 && (err != nil || same != text) {
		t.Fatalf("%v: %q as %q takes %d arguments: %q, %v", s.Dialect, s.Text, text, inputs, same, err)
	}
}
