package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// TestPostgresTable: what row mode relies on, read in every one of pgx's modes.
func TestPostgresTable(t *testing.T) {
	dsn, watch := newEarlyDatabase(t)
	ctx := context.Background()
	for _, text := range []string{
		`create schema "S s"`, `create type "S s".mood as enum ('a')`, "create domain short as varchar(3) default 'd'",
		`create table "S s"."T" (id int generated always as identity, k text not null, m "S s".mood[], s short, n numeric(4, 2) default 1 + 1,
			c char(3), p bpchar, g int generated always as (1 + 1) stored, r regclass[], gone int, primary key (k, id) include (n))`,
		`alter table "S s"."T" drop column gone`,
		"create function f() returns trigger language plpgsql as 'begin return new; end'",
		`create trigger b before insert or update on "S s"."T" for each row execute function f()`,
		`create trigger a after delete on "S s"."T" execute function f()`,
		`create trigger off before update on "S s"."T" for each row execute function f()`, `alter table "S s"."T" disable trigger off`,
		"create table parent (id int primary key)",
		`create table child (id int references parent on delete cascade); create trigger t before delete on child for each row execute function f()`,
		"create table loose (a int not null, b int, unique (b), exclude (a with =)); create unique index on loose (a) where a > 1; create unique index on loose ((a + 1))",
		"create table own (a int not null, b int not null); create unique index on own (b, a)",
	} {
		if _, err := watch.simple(ctx, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	for _, mode := range execModes {
		p := newProbe(t, dsn, mode, true)
		got, err := p.Table(ctx, "S s", "T")
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s.%s key=%v\n", got.Kind, got.Schema, got.Name, got.Key)
		for _, c := range got.Columns {
			def := ""
			if c.Default != nil {
				def = *c.Default
			}
			fmt.Fprintf(&b, "%s: %s default=%s identity=%s generated=%v bounded=%v padded=%v made=%v\n", c.Name, c.Type, def, c.Identity, c.Generated, c.Bounded, c.Padded, c.Made)
		}
		for _, g := range got.Triggers {
			fmt.Fprintf(&b, "%s before=%v row=%v insert=%v update=%v delete=%v %s\n", g.Name, g.Before, g.Row, g.Insert, g.Update, g.Delete, g.Language)
		}
		const want = `r S s.T key=[k id]
id: integer default= identity=a generated=false bounded=false padded=false made=[int4]
k: text default= identity= generated=false bounded=false padded=false made=[text]
m: "S s"._mood default= identity= generated=false bounded=false padded=false made=[_mood mood]
s: public.short default='d'::character varying identity= generated=false bounded=false padded=false made=[short varchar]
n: numeric default=(1 + 1) identity= generated=false bounded=true padded=false made=[numeric]
c: bpchar default= identity= generated=false bounded=true padded=false made=[bpchar]
p: bpchar default= identity= generated=false bounded=false padded=true made=[bpchar]
g: integer default= identity= generated=true bounded=false padded=false made=[int4]
r: regclass[] default= identity= generated=false bounded=false padded=false made=[_regclass regclass]
a before=false row=false insert=false update=false delete=true plpgsql
b before=true row=true insert=true update=true delete=false plpgsql
`
		if b.String() != want {
			t.Errorf("%s: got\n%s\nwant\n%s", mode, &b, want)
		}
		for name, want := range map[string]string{"parent": "[id] child", "loose": "[] ", "own": "[b a] "} {
			if got, err := p.Table(ctx, "", name); err != nil || fmt.Sprint(got.Key, " ", got.CascadesInto) != want {
				t.Errorf("%s: %s: %+v, %v, want %s", mode, name, got, err, want)
			}
		}
		if got, err := p.Table(ctx, "", "T"); got != nil || err != nil {
			t.Errorf("%s: a table that is not on the path: %v, %v", mode, got, err)
		}
		functions, err := p.Functions(ctx, []sqltext.Function{{Name: "now"}, {Schema: "public", Name: "f"}, {Schema: "pg_catalog", Name: "f"}, {Name: "missing"}})
		for i := range functions {
			if functions[i].Stamp == 0 {
				t.Errorf("%s: function %s has no stamp", mode, functions[i].Name)
			}
			functions[i].Stamp = 0
		}
		if err != nil || len(functions) != 2 || !slices.Contains(functions, Function{"pg_catalog", "now", "s", "f", "internal", 0}) ||
			!slices.Contains(functions, Function{"public", "f", "v", "f", "plpgsql", 0}) {
			t.Errorf("%s: functions: %v, %v", mode, functions, err)
		}
	}
}
