package dualsql_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/dualsql/dualsql"
)

// ambients are settings of databases by which one text means one thing on the primary and another on the secondary.
var ambients = map[string]struct{ primary, secondary, insert, other string }{
	"timezone":                    {"Asia/Tokyo", "America/New_York", "insert into item (id, at) values (%d, '2026-01-02 03:04')", "UTC"},
	"datestyle":                   {"ISO, DMY", "ISO, MDY", "insert into item (id, at) values (%d, '2/1/2026')", "SQL, DMY"},
	"intervalstyle":               {"postgres", "sql_standard", "insert into item (id, span) values (%d, '-1 2:00:00')", "iso_8601"},
	"search_path":                 {"one", "two", "insert into item (id, v) values (%d, 'x')", "public"},
	"bytea_output":                {"hex", "escape", `insert into item (id, v) values (%d, '\xde00'::bytea::text)`, "hex"},
	"array_nulls":                 {"on", "off", "insert into item (id, list) values (%d, '{a,NULL}')", "on"},
	"standard_conforming_strings": {"on", "off", `insert into item (id, v) values (%d, 'a\nb')`, "on"},
	"default_text_search_config":  {"pg_catalog.english", "pg_catalog.german", "insert into item (id, v) values (%d, to_tsvector('the houses')::text)", "pg_catalog.simple"},
	"extra_float_digits":          {"1", "-5", "insert into item (id, v) values (%d, (0.1::float8 + 0.2::float8)::text)", "0"},
	"xmloption":                   {"content", "document", "insert into item (id, v) values (%d, xmlserialize(content 'a'::xml as text))", "content"},
	"transform_null_equals":       {"on", "off", "insert into item (id, v) values (%d, case when (select null::text) = null then 'same' else 'unknown' end)", "off"},
}

// TestAmbientSettings: what the servers, databases or roles have set differently does not come between the sides, whatever the
// session resets, for a secondary that is new, and for the redo.
func TestAmbientSettings(t *testing.T) {
	for name, a := range ambients {
		for _, mode := range []string{"statement", "mixed", "row"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				ctx := context.Background()
				w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.Marker, "mirror="+mode)
				for side, value := range []string{a.primary, a.secondary} {
					for _, schema := range []string{"public", "one", "two"} {
						w.exec(side, fmt.Sprintf("create schema if not exists %[1]s; create table %[1]s.item "+
							"(id int primary key, at timestamptz, span interval, v text, list text[])", schema))
					}
					w.setForDatabase(side, name, value)
				}
				n := w.open()
				n.SetMaxOpenConns(1)
				c, err := n.Conn(ctx)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				id := 0
				insert := func() {
					t.Helper()
					id++
					if _, err := c.ExecContext(ctx, fmt.Sprintf(a.insert, id)); err != nil && !errors.Is(err, dualsql.ErrNotMirrored) {
						t.Fatal(err)
					}
				}
				run := func(text string) {
					t.Helper()
					if _, err := c.ExecContext(ctx, text); err != nil {
						t.Fatalf("%s: %v", text, err)
					}
				}
				insert()
				for _, reset := range []string{"reset " + name, "set " + name + " to default", "reset all", "discard all"} {
					run(fmt.Sprintf("set %s = %q", name, a.other))
					insert()
					run(reset)
					insert()
				}
				tx, err := c.BeginTx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, text := range []string{fmt.Sprintf("set %s = %q", name, a.other), "set local " + name + " to default"} {
					if _, err := tx.Exec(text); err != nil {
						t.Fatal(err)
					}
				}
				id++
				if _, err := tx.Exec(fmt.Sprintf(a.insert, id)); err != nil && !errors.Is(err, dualsql.ErrNotMirrored) {
					t.Fatal(err)
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				run("reset " + name)
				insert()
				n.c.AtCrashpoints(t, func(at string) {
					if at == "decided" {
						w.exec(secondary, killOthers)
					}
				})
				insert()
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				w.close(n)
				for _, schema := range []string{"public", "one", "two"} {
					p, s := fmt.Sprint(w.rows(primary, schema+".item")), fmt.Sprint(w.rows(secondary, schema+".item"))
					if p != s {
						t.Errorf("%s.item:\n%s on the primary,\n%s on the secondary", schema, p, s)
					}
				}
			})
		}
	}
}

// setForDatabase changes what new connections to a PostgreSQL database find a setting to be.
func (w *world) setForDatabase(side int, name, value string) {
	w.Helper()
	const alter = "do $$ begin execute format('alter database %%I %s', current_database()); end $$"
	w.exec(side, fmt.Sprintf(alter, fmt.Sprintf("set %s = ''%s''", name, value)))
	w.Cleanup(func() { w.exec(side, fmt.Sprintf(alter, "reset all")) })
}
