package sqltext

import (
	"reflect"
	"testing"
)

func at(indexes ...int) (params []Param) {
	for _, i := range indexes {
		params = append(params, Param{Index: i})
	}
	return params
}

func named(name string) Param { return Param{Index: -1, Name: name} }

func args(n int, names ...string) Shape { return Shape{Positional: n, Names: names} }

var unknown = Shape{Unknown: true}

func TestBind(t *testing.T) {
	tests := []struct {
		rule   string
		d      Dialect
		text   string
		shape  Shape
		to     Style
		want   string
		params []Param
	}{
		{"nothing to do", Postgres, "SELECT 1", args(0), Dollar, "SELECT 1", nil},
		{"as is: unchecked", Postgres, "SELECT ?, $1", args(5), AsIs, "SELECT ?, $1", nil},

		{"? to $n: by order", Postgres, "a = ? AND b=?", args(2), Dollar, "a = $1 AND b=$2", nil},
		{"? to @pN", Postgres, "a = ? AND b=?", args(2), AtP, "a = @p1 AND b=@p2", nil},
		{"? to ?n", SQLite, "a = ? AND b=?", args(2), Numbered, "a = ?1 AND b=?2", nil},
		{"? to ?", SQLite, "a = ? AND b=?", args(2), Question, "a = ? AND b=?", nil},
		{"$n keeps numbers", Postgres, "$2, $1, $2", args(2), AtP, "@p2, @p1, @p2", nil},
		{"$n to $n", Postgres, "$2, $1, $2", args(2), Dollar, "$2, $1, $2", nil},
		{"$n to ?: order and repetition", Postgres, "$2, $1, $2", args(2), Question, "?, ?, ?", at(1, 0, 1)},
		{"$n to ?: in order", Postgres, "$1, $2", args(2), Question, "?, ?", nil},
		{"unused numbers keep their argument", Postgres, "$2", args(2), Numbered, "?2", nil},
		{"unused numbers are not sent to ?", Postgres, "$2", args(2), Question, "?", at(1)},
		{"@pN, any case", SQLServer, "@p1, @P2", args(2), Dollar, "$1, $2", nil},
		{"@pN to itself", SQLServer, "@p1, @P2", args(2), AtP, "@p1, @P2", nil},
		{"?n", SQLite, "?2, ?1", args(2), Dollar, "$2, $1", nil},
		{"?n to itself", SQLite, "?2, ?1", args(2), Numbered, "?2, ?1", nil},

		{"@name by first appearance", SQLServer, "@b, @a, @b", args(0, "a", "b"), Dollar, "$1, $2, $1", []Param{named("b"), named("a")}},
		{"@name to ?", SQLServer, "@b, @a, @b", args(0, "a", "b"), Question, "?, ?, ?", []Param{named("b"), named("a"), named("b")}},
		{"@name is kept for SQL Server", SQLServer, "@b, @a", args(0, "a", "b"), AtP, "@b, @a", nil},
		{"SQL Server: case of names", SQLServer, "@ID", args(0, "id"), Dollar, "$1", []Param{named("id")}},
		{"glued to =", Postgres, "a=@a", args(0, "a"), Dollar, "a=$1", []Param{named("a")}},
		{"@p1 as a name", Postgres, "@p1", args(0, "p1"), Dollar, "$1", []Param{named("p1")}},
		{"only names that were passed", Postgres, "@a + @b", args(0, "a"), Dollar, "$1 + @b", []Param{named("a")}},
		{"names beside ?", Postgres, "?, @a, ?, @a", args(2, "a"), Dollar, "$1, $2, $3, $2", []Param{{Index: 0}, named("a"), {Index: 1}}},
		{"names beside $n come behind", Postgres, "@a, $2, $1", args(2, "a"), Dollar, "$3, $2, $1", []Param{{Index: 0}, {Index: 1}, named("a")}},
		{"names beside @pN for SQL Server", SQLServer, "@a, @p1", args(1, "a"), AtP, "@a, @p1", []Param{{Index: 0}, named("a")}},
		{"names beside ? for SQL Server", SQLServer, "?, @a, ?", args(2, "a"), AtP, "@p1, @a, @p3", []Param{{Index: 0}, named("a"), {Index: 1}}},
		{"unknown: every @name", Postgres, "@a = b", unknown, Dollar, "$1 = b", []Param{named("a")}},
		{"unknown: @pN is a number", SQLServer, "@p2, @p1", unknown, Dollar, "$2, $1", nil},

		{"quoted, no placeholder", Postgres, `'?' "?" $$?$$ E'\'?' /* ? */ ? -- ?`, args(1), Dollar, `'?' "?" $$?$$ E'\'?' /* ? */ $1 -- ?`, nil},
		{"quoted, no placeholder", SQLServer, "'@p1' [@p1] \"@p1\" @p1", args(1), Dollar, "'@p1' [@p1] \"@p1\" $1", nil},
		{"quoted, no placeholder", SQLite, "`?` [?] ?", args(1), Dollar, "`?` [?] $1", nil},
		{"casts", Postgres, "?::jsonb, x::int, a[1:2], f(a := ?)", args(2), Dollar, "$1::jsonb, x::int, a[1:2], f(a := $2)", nil},
		{"$n makes ? an operator", Postgres, "a ? 'k' AND b = $1", args(1), AtP, "a ? 'k' AND b = @p1", nil},
		{"@pN makes ? an operator", Postgres, "a ? 'k' AND b = @p1", args(1), Dollar, "a ? 'k' AND b = $1", nil},
		{"an operator is doubled where ? is a placeholder", Postgres, "a ? 'k' AND b = $1", args(1), Question, "a ?? 'k' AND b = ?", nil},
		{"no arguments: ? is an operator", Postgres, "a ? 'k', b ?? 'k'", args(0), Dollar, "a ? 'k', b ?? 'k'", nil},
		{"?? is the operator", Postgres, "a ?? 'k' AND b = ?", args(1), Dollar, "a ? 'k' AND b = $1", nil},
		{"?? stays for ?", Postgres, "a ?? 'k' AND b = ?", args(1), Question, "a ?? 'k' AND b = ?", nil},
		{"??| and ??&", Postgres, "a ??| b AND c ??& ?", args(1), Dollar, "a ?| b AND c ?& $1", nil},
		{"?| ?& @? are operators", Postgres, "a ?| b AND c ?& d AND e @? ? AND f ?| ?", args(2), Dollar, "a ?| b AND c ?& d AND e @? $1 AND f ?| $2", nil},
		{"?|| and ?&& are not", Postgres, "?||'x', ?&&b, x @@?", args(3), Dollar, "$1 ||'x', $2 &&b, x @@ $3", nil},
		{"@> <@ @@ are operators", Postgres, "a @> b, a<@b, a @@b, @@ c, x@b, @b", args(0, "b"), Dollar, "a @> b, a<@b, a @@b, @@ c, x@b, $1", []Param{named("b")}},
		{"@> is one while the arguments are unknown", Postgres, "a @> b AND c = @d", unknown, Dollar, "a @> b AND c = $1", []Param{named("d")}},
		{"< before @name", SQLServer, "a<@b", args(0, "b"), Dollar, "a<$1", []Param{named("b")}},

		{"T-SQL: local variables", SQLServer, "DECLARE @x int = 1, @y int; SELECT @x, @p1", args(1), Dollar, "DECLARE @x int = 1, @y int; SELECT @x, $1", nil},
		{"T-SQL: local @p1", SQLServer, "DECLARE @p1 int; SELECT @p1, ?", args(1), Dollar, "DECLARE @p1 int; SELECT @p1, $1", nil},
		{"T-SQL: local variables, unknown", SQLServer, "DECLARE @x int SELECT @x, @a", unknown, Dollar, "DECLARE @x int SELECT @x, $1", []Param{named("a")}},
		{"T-SQL: @@x", SQLServer, "SELECT @@ROWCOUNT, @a", unknown, Dollar, "SELECT @@ROWCOUNT, $1", []Param{named("a")}},
		{"T-SQL: labels of EXEC", SQLServer, "EXEC @r = p @a = @a, @b = @p1", args(1, "a", "r"), Dollar, "EXEC $2 = p @a = $3, @b = $1",
			[]Param{{Index: 0}, named("r"), named("a")}},
		{"T-SQL: a routine's own parameters", SQLServer, "CREATE PROC p @a int AS SELECT @a", unknown, AtP, "CREATE PROC p @a int AS SELECT @a", nil},
		{"T-SQL: money", SQLServer, "a > $5 AND b = @p1", args(1), Dollar, "a > $5 AND b = $1", nil},
		{"T-SQL: money", SQLServer, "a > $5, $1.50", args(0), Dollar, "a > $5, $1.50", nil},
		{"T-SQL: a procedure's name alone", SQLServer, "dbo.p", args(1, "a"), AtP, "dbo.p", nil},

		{"nothing grows together", Postgres, "LIMIT?OFFSET?", args(2), Dollar, "LIMIT $1 OFFSET $2", nil},
		{"nothing grows together", Postgres, "$1?$2", args(2), Question, "? ?? ?", nil},
		{"no space makes a comment", Generic, "a #?", args(1), Dollar, "a #$1", nil},
		{"nothing grows together", Postgres, "??1, ?", args(1), Dollar, "? 1, $1", nil},
	}
	for _, tt := range tests {
		got, params, err := Parse(tt.text, tt.d).Bind(tt.shape, tt.to)
		if err != nil || got != tt.want || !reflect.DeepEqual(params, tt.params) {
			t.Errorf("%s (%v): %q\n got %q %v %v\nwant %q %v", tt.rule, tt.d, tt.text, got, params, err, tt.want, tt.params)
		}
	}
}

func TestBindErrors(t *testing.T) {
	tests := []struct {
		d     Dialect
		text  string
		shape Shape
		want  string
	}{
		{Postgres, "?, ?, ?", args(2), "the statement has 3 placeholders, 2 arguments were passed"},
		{Postgres, "?", args(2), "the statement has 1 placeholder, 2 arguments were passed"},
		{Postgres, "$3", args(1), "the statement has 3 placeholders, 1 argument was passed"},
		{Postgres, "$1", args(0), "the statement has 1 placeholder, 0 arguments were passed"},
		{Postgres, "SELECT 1", args(1), "the statement has 0 placeholders, 1 argument was passed"},
		{Postgres, "$1, @a", args(2, "a"), "the statement has 1 positional placeholder, 2 positional arguments and 1 named one (@a) were passed"},
		{Postgres, "$1", args(0, "a"), "an argument @a was passed, the statement has no placeholder of that name"},
		{Postgres, "@a", args(0, "a", "b"), "an argument @b was passed"},
		{Postgres, "@a", args(0, "a", "a"), "two arguments have the name @a"},
		{SQLServer, "@a", args(0, "a", "A"), "two arguments have the name @A"},
		{SQLite, "@a, @b", args(0, "a"), "the statement has the placeholder @b, 1 named argument (@a) was passed"},
		{Postgres, "$0", args(1), "$0 is out of range"},
		{Postgres, "$0", unknown, "$0 is out of range"},
		{Postgres, "$65536", unknown, "$65536 is out of range"},
		{Postgres, "$99999999999999999999999", unknown, "$9999999999999999999 is out of range"},
		{SQLServer, "@p0", args(1), "@p0 is out of range"},
		{Postgres, "$1, @p1", args(1), "mixes the placeholders $1 and @p1"},
		{Postgres, "?1, ?2, $1", args(1), "mixes the placeholders $1 and ?1"},
		{SQLite, "$1, ?", args(1), "mixes the placeholders $1 and ?"},
		{SQLServer, "$5, ?", args(1), "mixes the placeholders $5 and ?"},
		{SQLServer, "?, @p1", args(2), "mixes the placeholders @p1 and ?"},
		{SQLServer, "dbo.p", args(1), "a procedure's name alone"},
	}
	for _, tt := range tests {
		text, params, err := Parse(tt.text, tt.d).Bind(tt.shape, Dollar)
		if err == nil || !errorHas(err, tt.want) || text != "" || params != nil {
			t.Errorf("%v: %q with %v: %q %v %v, want error %q", tt.d, tt.text, tt.shape, text, params, err, tt.want)
		}
	}
}

func TestBindOfSameStyleAllocatesNoText(t *testing.T) {
	s := Parse("SELECT * FROM t WHERE a = $1 AND b = $2", Postgres)
	shape := args(2)
	allocs := testing.AllocsPerRun(100, func() {
		if text, params, err := s.Bind(shape, Dollar); text != s.Text || params != nil || err != nil {
			t.Fatal(text, params, err)
		}
	})
	if allocs > 4 {
		t.Errorf("%v allocations", allocs)
	}
}
