package dualsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/dualsql/dualsql"
)

// TestUnchangedByOthers: where nobody else has changed anything, nothing is refused for a change.
func TestUnchangedByOthers(t *testing.T) {
	t.Parallel()
	const functions = `create function "f$2"(int) returns text language sql immutable as 'select ''a'' || $1'; create function f(int) returns text language sql immutable as 'select ''b'' || $1'; `
	for name, texts := range map[string][]string{
		"a function's name with a dollar": {`insert into item values (1, f(1) || "f$2"(1))`},
		"a change that is taken back": {"insert into item values (1)", "savepoint a", "savepoint b", "alter table item add r text default 'x'", "insert into item values (2)",
			"release b", "rollback to a", "insert into item values (3)"},
		"a change that is taken back at the end": {"savepoint a", "create or replace function f(int) returns text language sql immutable as 'select ''c'' || $1'",
			"insert into item values (1, f(1))", "rollback to a"},
		"a change behind one that is taken back": {"insert into item values (1)", "savepoint a", "alter table item add r text default 'x'", "rollback to a",
			"alter table item add s text default 'y'", "insert into item values (2)"},
		"a table that is gone": {"create table other (id int primary key)", "insert into other values (1)", "drop table other", "insert into item values (1)"},
	} {
		for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelRepeatableRead} {
			for _, mode := range []string{"cache_statement", "simple_protocol"} {
				t.Run(fmt.Sprint(name, "/", level, "/", mode), func(t *testing.T) {
					t.Parallel()
					ctx := context.Background()
					w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "mirror=mixed")
					for side := range w.raw {
						w.exec(side, functions+"create table item (id int primary key, v text)")
						w.dsn[side] += "&default_query_exec_mode=" + mode
					}
					n := w.open()
					tx, err := n.BeginTx(ctx, &sql.TxOptions{Isolation: level})
					if err != nil {
						t.Fatal(err)
					}
					defer tx.Rollback()
					for _, text := range texts {
						if _, err := tx.Exec(text); err != nil {
							t.Fatalf("%s: %v", text, err)
						}
					}
					if err := tx.Commit(); err != nil {
						t.Error(err)
					}
					w.close(n)
					w.sameEverywhere()
				})
			}
		}
	}
}
