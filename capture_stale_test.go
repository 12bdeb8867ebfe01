package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
)

// TestChangedByOthers: what others change in the catalogs, past this process, between a text's first use and its next, never leaves
// the sides different: the transaction fails and can be tried again.
func TestChangedByOthers(t *testing.T) {
	t.Parallel()
	const item = "create table item (id int primary key, v text, r float8); "
	const trigger = "create function f() returns trigger language plpgsql as 'begin return new; end'; " +
		"create trigger t before insert or update on item for each row execute function f(); "
	const chance = "create or replace function f() returns trigger language plpgsql as 'begin new.r = random(); return new; end'"
	const insert = "insert into item (id) values ($1)"
	for name, c := range map[string]struct{ setup, change, text string }{
		"a default":             {item, "alter table item alter column r set default random()", insert},
		"another default":       {item + "alter table item alter column r set default 1", "alter table item alter column r set default random()", insert},
		"a column":              {item, "alter table item add column u uuid; alter table item alter column u set default gen_random_uuid()", insert},
		"an identity":           {item + "alter table item add column n int not null default 0", "alter table item alter column n drop default, alter column n add generated always as identity", insert},
		"a domain's default":    {"create domain d as float8; create table item (id int primary key, r d)", "alter domain d set default random()", insert},
		"a new trigger":         {item + "create function f() returns trigger language plpgsql as 'begin new.r = random(); return new; end'", "create trigger t before insert on item for each row execute function f()", insert},
		"a trigger's function":  {item + trigger + "alter table item disable trigger t", chance + "; alter table item enable trigger t", insert},
		"a trigger that is on":  {item + chance + "; create trigger t before insert on item for each row execute function f(); alter table item disable trigger t", "alter table item enable trigger t", insert},
		"a partition's trigger": {"create table item (id int primary key, r float8) partition by range (id); create table part partition of item default; " + chance, "create trigger t before insert on part for each row execute function f()", insert},
		"a function": {item + "create function g(int) returns text language sql immutable as 'select ''a'' || $1'",
			"create or replace function g(int) returns text language sql volatile as 'select ''b'' || random()'", "insert into item (id, v) values ($1, g($1))"},
		"a function's name with a dollar": {item + `create function "g$2"(int) returns text language sql immutable as 'select ''a'' || $1'`,
			`create or replace function "g$2"(int) returns text language sql volatile as 'select ''b'' || random()'`, `insert into item (id, v) values ($1, "g$2"($1))`},
		"a rule": {item + "create table other (id int, r float8 default random())", "create rule r as on insert to item do also insert into other (id) values (new.id)", insert},
	} {
		for _, mode := range []string{"mixed", "row"} {
			for _, how := range []string{"", "begin", "repeatable read", "read first", "default", "set", "function", "by another process", "taken back"} {
				which := "a default"
				if how == "taken back" {
					which = "a function" // which others can change in spite of the locks
				}
				if how != "" && how != "repeatable read" && (mode != "mixed" || name != which) {
					continue // how it is noticed does not depend on what it is
				}
				t.Run(strings.Join([]string{name, mode, how}, "/"), func(t *testing.T) {
					t.Parallel()
					ctx := context.Background()
					w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "mirror="+mode)
					for side := range w.raw {
						w.exec(side, c.setup)
						w.exec(side, "create function raised() returns text language sql as $$ select set_config('default_transaction_isolation', 'repeatable read', false) $$")
						if how == "default" {
							w.setForDatabase(side, "default_transaction_isolation", "repeatable read")
						}
					}
					change := func() {
						if how == "by another process" {
							other := w.another("mirror=" + mode).open()
							tx, err := other.Begin()
							if err != nil {
								t.Fatal(err)
							}
							if _, err := tx.Exec("/* dualsql:mirror */ " + c.change); err != nil {
								t.Fatal(err)
							}
							if err := tx.Commit(); err != nil {
								t.Fatal(err)
							}
							w.close(other)
							return
						}
						for side := range w.raw {
							w.exec(side, c.change)
						}
					}
					n := w.open()
					n.SetMaxOpenConns(1)
					if _, err := n.Exec(c.text, 1); err != nil {
						t.Fatal(err)
					}
					if how == "function" { // that gives the session another level
						var level string
						if err := n.QueryRow("select raised()").Scan(&level); err != nil {
							t.Fatal(err)
						}
					}
					write := func() (err error) {
						if how == "" || how == "by another process" {
							change()
							_, err = n.Exec(c.text, 2)
							return err
						}
						var o sql.TxOptions
						if how == "repeatable read" {
							o.Isolation = sql.LevelRepeatableRead
						}
						tx, err := n.BeginTx(ctx, &o)
						if err != nil {
							t.Fatal(err)
						}
						defer tx.Rollback()
						if how == "set" {
							if _, err := tx.Exec("set transaction isolation level serializable"); err != nil {
								t.Fatal(err)
							}
						}
						if how != "begin" {
							var n int
							if err := tx.QueryRow("select count(*) from account").Scan(&n); err != nil {
								t.Fatal(err)
							}
						}
						if how == "taken back" { // a change of its own
							if _, err := tx.Exec(c.text, 2); err != nil {
								t.Fatal(err)
							}
							for _, text := range []string{"savepoint a", "create table own (id int)", "rollback to a"} {
								if _, err := tx.Exec(text); err != nil {
									t.Fatal(err)
								}
							}
							change()
							return tx.Commit()
						}
						change()
						if _, err := tx.Exec(c.text, 2); err != nil {
							return err
						}
						return tx.Commit()
					}
					if err := write(); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
						if mode != "row" || err != nil { // what rows say holds where the primary alone has computed them
							t.Errorf("%v, want that the table has been changed", err)
						}
					}
					for id := 3; id < 5; id++ {
						var differ *dualsql.DivergenceError // by the secondary's own trigger
						if _, err := n.Exec(c.text, id); err != nil && !errors.Is(err, dualsql.ErrNotMirrored) && !errors.As(err, &differ) {
							t.Error(err)
						}
					}
					w.close(n)
					for _, table := range []string{"item", "other"} {
						if table == "other" && name != "a rule" {
							continue
						}
						if p, s := fmt.Sprint(w.rows(primary, table)), fmt.Sprint(w.rows(secondary, table)); p != s {
							t.Errorf("%s:\n%s on the primary,\n%s on the secondary", table, p, s)
						}
					}
				})
			}
		}
	}
}

// TestFunctionReplacedBeforeTheSecondary: a text that the secondary runs later than the primary meets the same function there.
func TestFunctionReplacedBeforeTheSecondary(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres", options: "mirror=mixed"}.each(t, func(t *testing.T, w *world) {
		const function = "create or replace function g(int) returns text language sql immutable as 'select ''%s'' || $1'"
		for side := range w.raw {
			w.exec(side, "create table item (id int primary key, v text); insert into item values (1, '')")
			w.exec(side, fmt.Sprintf(function, "old"))
		}
		n := w.open()
		tx, err := n.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		locker, err := w.raw[secondary].Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer locker.Rollback()
		if _, err := locker.Exec("select from item for update"); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("update item set v = g(id)"); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("insert into item values (2, 'x')"); err != nil { // the first is not kept back for the commit then
			t.Fatal(err)
		}
		w.eventually("the secondary waits", func() bool {
			return w.count(secondary, "select count(*) from pg_locks where not granted and locktype in ('tuple', 'transactionid')") > 0
		})
		for side := range w.raw {
			w.exec(side, fmt.Sprintf(function, "new"))
		}
		if err := locker.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
			t.Errorf("%v, want that the function has been changed", err)
		}
		w.close(n)
		w.sameEverywhere()
	})
}
