package capture

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// catalog is one table and a few functions.
type catalog struct {
	engine.Cataloged
	table     engine.Table
	functions []engine.Function
}

func (c *catalog) Table(_ context.Context, _, name string) (*engine.Table, error) {
	if name != c.table.Name {
		return nil, nil
	}
	return &c.table, nil
}

func (c *catalog) Functions(_ context.Context, calls []sqltext.Function) (found []engine.Function, _ error) {
	for _, f := range c.functions {
		if slices.ContainsFunc(calls, func(call sqltext.Function) bool { return call.Name == f.Name }) {
			found = append(found, f)
		}
	}
	return found, nil
}

func newCatalog() *catalog {
	def := "now()"
	return &catalog{
		table: engine.Table{OID: 7, Kind: "r", Schema: "public", Name: "item", Key: []string{"id"}, DateStyle: "ISO, MDY", Intervals: "postgres", FloatDigits: 1, ArrayNulls: true, Stamp: "7 s",
			Columns: []engine.Column{{Name: "id", Type: "integer", Identity: "d", Made: []string{"int4"}}, {Name: "v", Type: "text", Made: []string{"text"}},
				{Name: "at", Type: "timestamp with time zone", Default: &def, Made: []string{"timestamptz"}}}},
		functions: []engine.Function{
			{Schema: "pg_catalog", Name: "now", Volatility: "s", Kind: "f", Language: "internal"}, {Schema: "pg_catalog", Name: "random", Volatility: "v", Kind: "f", Language: "internal"},
			{Schema: "pg_catalog", Name: "to_char", Volatility: "s", Kind: "f", Language: "internal"}, {Schema: "pg_catalog", Name: "lower", Volatility: "i", Kind: "f", Language: "internal"},
			{Schema: "public", Name: "lower", Volatility: "i", Kind: "f", Language: "sql"}, {Schema: "public", Name: "own", Volatility: "v", Kind: "f", Language: "plpgsql"},
			{Schema: "public", Name: "uuid_generate_v4", Volatility: "v", Kind: "f", Language: "c"}, {Schema: "pg_catalog", Name: "set_config", Volatility: "v", Kind: "f", Language: "internal"},
		},
	}
}

// TestRead: what is said of a text, part by part. "" stands for nothing against it.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		text         string
		change       func(*engine.Table)
		differs, why string
	}{
		{text: "update item set v = lower(v) where id = 1"},
		{text: "update item set v = to_char(at, 'YYYY')"},
		{text: "update item set v = random()", differs: "random() is not immutable"},
		{text: "update item set v = uuid_generate_v4()", differs: "uuid_generate_v4() is not immutable"},
		{text: "update item set v = own(1)", differs: "own() is not immutable", why: "own()"},
		{text: "update item set v = set_config('a', 'b', false)", differs: "set_config()", why: "set_config()"},
		{text: "update item set v = item.own", differs: "own is no column"},
		{text: "update item set at = default", differs: "default now()"},
		{text: "update item set id = 2", why: "sets id"},
		{text: "update item set v = (select 1)", differs: "reads other rows"},
		{text: "insert into item (v) values (1)", differs: "the identity column id"},
		{text: "insert into item (id, v) values (1, 2)", differs: "the column at has the default now()"},
		{text: "insert into item (id, at) values (1, 'x')"},
		{text: "insert into item values (1, 'x', null)"},
		{text: "insert into item values (1, 'x')", differs: "the column at"},
		{text: "insert into item values (1, 'x', null), (2, 'y', default)", differs: "the identity column id"},
		{text: "insert into item (id, v, at) overriding user value values (1, 2, 3)", differs: "the identity column id"},
		{text: "insert into item (id, at) values (1, null) on conflict (id) do update set id = 2", why: "sets id"},
		{text: "insert into item (id, at) values (1, null) on conflict (id) do update set v = random()", differs: "random()"},
		{text: "delete from missing", differs: "no table missing", why: "no table missing"},
		{text: "delete from item where 'a", differs: "it has no end", why: "it has no end"},
		{text: "delete from item", change: func(t *engine.Table) { t.Key = nil }, why: "no primary key"},
		{text: "insert into item values (1, 'x', null)", change: func(t *engine.Table) { t.Key = nil }},
		{text: "delete from item", change: func(t *engine.Table) { t.Kind = "v" }, differs: "goes to other tables", why: "no ordinary table"},
		{text: "delete from item", change: func(t *engine.Table) { t.Foreign = true }, differs: "goes to other tables", why: "foreign tables"},
		{text: "delete from item", change: func(t *engine.Table) { t.CascadesInto = "part" }, differs: "change part along", why: "change part along"},
		{text: "delete from item", change: func(t *engine.Table) { t.DateStyle = "German" }, why: "datestyle"},
		{text: "delete from item", change: func(t *engine.Table) { t.Columns[1].Made = []string{"int4", "regclass"} }, why: "column v"},
		{text: "delete from item", change: func(t *engine.Table) {
			t.Triggers = []engine.Trigger{{Name: "g", Before: true, Row: true, Insert: true, Language: "c"}}
		}},
		{text: "delete from item", change: func(t *engine.Table) {
			t.Triggers = []engine.Trigger{{Name: "g", Before: true, Row: true, Delete: true, Language: "c"}}
		}, differs: "trigger g", why: "cannot be read"},
		{text: "delete from item", change: func(t *engine.Table) {
			t.Triggers = []engine.Trigger{{Name: "g", Before: true, Row: true, Delete: true, Language: "plpgsql", Source: "begin old.v := own(1); return old; end"}}
		}, differs: "trigger g", why: "own()"},
	} {
		cat := newCatalog()
		if c.change != nil {
			c.change(&cat.table)
		}
		p, err := Read(context.Background(), cat, sqltext.Parse(c.text, sqltext.Postgres), engine.Postgres)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if (p.Differs == "") != (c.differs == "") || !strings.Contains(p.Differs, c.differs) {
			t.Errorf("%s: differs: %q, want %q", c.text, p.Differs, c.differs)
		}
		if (p.Why == nil) != (c.why == "") || p.Why != nil && !strings.Contains(p.Why.Error(), c.why) || (p.Rows == nil) != (p.Why != nil) {
			t.Errorf("%s: why: %v, want %q", c.text, p.Why, c.why)
		}
	}
}

func TestStatements(t *testing.T) {
	const insert = "insert into item (v) values ('a') on conflict (id) do update set v = excluded.v returning id, v;"
	row := func(id any, v any, inserted, oid string) []driver.Value {
		return []driver.Value{int64(0), "caller's", id, v, nil, inserted, oid}
	}
	for _, c := range []struct {
		secondary engine.Engine
		rows      [][]driver.Value
		want      []string
		err       string
	}{
		{engine.Postgres, nil, []string{"insert 0 [{} {} {}]"}, ""},
		{engine.Postgres, [][]driver.Value{row("1", `a"\{},NULL`, "true", "7"), row("2", nil, "true", "7"), row("3", "", "false", "7")},
			[]string{`insert 3 [{"3","1","2"} {"","a\"\\{},NULL",NULL} {NULL,NULL,NULL} 1]`, `update 3 [{"3","1","2"} {"","a\"\\{},NULL",NULL} {NULL,NULL,NULL} 1]`}, ""}, // one statement
		{engine.Postgres, [][]driver.Value{row("1", "a", "false", "7")}, []string{`update 1 [{"1"} {"a"} {NULL}]`}, ""},
		{engine.Postgres, [][]driver.Value{row("1", "a", "true", "8")}, nil, "changed meanwhile"},
		{engine.Postgres, [][]driver.Value{row(int64(1), "a", "true", "7")}, nil, "not as text"},
		{engine.SQLite, nil, []string{"delete 0 []"}, ""},
		{engine.SQLite, [][]driver.Value{row("1", "a", "true", "7"), row("2", "b", "true", "7"), row("3", "c", "false", "7")},
			[]string{"insert 2 [1 a <nil> 2 b <nil>]", "update 1 [c <nil> 3]"}, ""},
		{engine.SQLite, [][]driver.Value{row("1x", "a", "true", "7")}, nil, "column id"},
	} {
		p, err := Read(context.Background(), newCatalog(), sqltext.Parse(insert, sqltext.Postgres), c.secondary)
		if err != nil || p.Why != nil {
			t.Fatal(err, p.Why)
		}
		if want := `returning id, v, item."id"::text, item."v"::text, item."at"::text, (item.xmax = 0)::text, item.tableoid::text`; !strings.Contains(p.Rows.Text, want) || p.Rows.Extra != 5 {
			t.Errorf("the text is %s with %d columns more", p.Rows.Text, p.Rows.Extra)
		}
		all, err := p.Rows.Statements(c.rows)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v: %v, want %q", c.rows, err, c.err)
		}
		var got []string
		for _, s := range all {
			values := make([]any, len(s.Args))
			for i := range s.Args {
				values[i] = s.Args[i].Value
			}
			for _, verb := range []string{"insert into", "update ", "delete from"} {
				if strings.Contains(s.Text, verb) {
					got = append(got, fmt.Sprint(strings.Fields(verb)[0], " ", s.Rows, " ", values))
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v:\n got %q\nwant %q", c.rows, got, c.want)
		}
	}
}
