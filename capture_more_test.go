package dualsql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql"
)

// TestMixedModeKeepsTexts: a text that does the same on both sides is run on both, and rows go where it may not. A trigger on the
// secondary alone tells what came there.
func TestMixedModeKeepsTexts(t *testing.T) {
	t.Parallel()
	on{protocols: underMarker, primary: "postgres", secondary: "postgres", options: "mirror=mixed"}.each(t, func(t *testing.T, w *world) {
		for side := range w.raw {
			w.exec(side, "create table item (id int primary key, n int, v text default 'x', f float8, at timestamptz default '2020-01-01Z', c int default 1 + 1)")
			w.exec(side, "create table numbered (id serial primary key, v text)")
			w.exec(side, "insert into item select i, 0 from generate_series(1, 1000) i; insert into numbered select i from generate_series(51, 55) i")
			w.exec(side, "create function own_immutable(int) returns int language sql immutable as 'select $1'; create function own_stable(int) returns int language sql stable as 'select $1'")
		}
		w.exec(secondary, "create table seen (text text)")
		w.exec(secondary, "create function saw() returns trigger language plpgsql as $$ begin insert into seen values (current_query()); return null; end $$")
		w.exec(secondary, "create trigger saw after insert or update or delete on item for each statement execute function saw()")
		w.exec(secondary, "create trigger saw after insert or update or delete on numbered for each statement execute function saw()")
		n := w.open()
		const asText, asRows = true, false
		before := 0
		for _, c := range []struct {
			want bool
			text string
			args []any
		}{
			{asText, "update item set n = n + $1 where id = $2", []any{1, 2}},
			{asText, "update item set n = 0, v = upper(v) || 'x' where id in (1, 2) or v is not distinct from $1", []any{"now and then, or later: which is more than a date can say, surely"}},
			{asText, "update item i set v = default, c = default where i.id = 3", nil},
			{asText, "update item set v = to_char(at, 'YYYY') where extract(year from at) = 2020", nil},
			{asText, "update item set n = own_immutable(n)", nil},
			{asText, "insert into item (id) values (?)", []any{2001}},
			{asText, "insert into item values (2002, 1), (2003, coalesce(nullif(1, 2), 3)) on conflict (id) do update set n = item.n + excluded.n returning id", nil},
			{asText, "insert into numbered (id, v) values ($1, $2)", []any{100, "x"}},
			{asText, "insert into numbered values (101)", nil},
			{asText, "delete from item where id = any($1) and n::text = '1'", []any{[]int{2002}}},
			{asText, "delete from item where id > 1500", nil},
			{asRows, "update item set n = own_stable(n) where id = 1", nil},
			{asRows, "update item set n = (select max(id) from numbered) where id = 1", nil},
			{asRows, "update item set at = 'now' where id = 1", nil},
			{asRows, "update item set at = $1 where id = 1", []any{"tomorrow"}},
			{asRows, "update item set v = current_user where id = 1", nil},
			{asRows, "update item set v = ctid::text where id = 1", nil},
			{asRows, "update item set v = 'item'::regclass::oid::text where id = 1", nil},
			{asRows, "update item set f = random() where id = 1", nil},
			{asRows, "insert into numbered (v) values ($1)", []any{"x"}},
			{asRows, "insert into numbered values (default, 'x')", nil},
			{asRows, "insert into item (id) select max(id) + 1 from item", nil},
			{asRows, "delete from item where id in (select id from item order by id desc limit 1)", nil},
		} {
			if _, err := n.Exec(c.text, c.args...); err != nil {
				t.Fatalf("%s: %v", c.text, err)
			}
			asText := w.count(secondary, fmt.Sprintf("select count(*) from (select * from seen offset %d) s where text not like 'with sent %%'", before)) > 0
			if asText != c.want {
				t.Errorf("%s: went over as text: %v, want %v", c.text, asText, c.want)
			}
			after := w.count(secondary, "select count(*) from seen")
			if after == before {
				t.Errorf("%s: nothing has come", c.text)
			}
			before = after
		}
		w.exec(secondary, "drop table seen")
		w.close(n)
		w.sameEverywhere()
	})
}

// TestRowModePrepared: a prepared statement goes the way of its text, also when the table has changed since.
func TestRowModePrepared(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"mirror=row", "mirror=mixed"} {
		on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres", options: mode}.each(t, func(t *testing.T, w *world) {
			for side := range w.raw {
				w.exec(side, "create table item (id int generated always as identity primary key, v text, r float8 default random())")
			}
			n := w.open()
			n.SetMaxOpenConns(1)
			exec := func(text string, args ...any) {
				t.Helper()
				if _, err := n.Exec(text, args...); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			insert, err := n.Prepare("insert into item (v) values (?) returning id")
			if err != nil {
				t.Fatal(err)
			}
			defer insert.Close()
			update, err := n.Prepare("update item set r = random() where id = $1")
			if err != nil {
				t.Fatal(err)
			}
			defer update.Close()
			for want := 1; want <= 4; want++ {
				var id int
				if err := insert.QueryRow("x").Scan(&id); err != nil || id != want {
					t.Fatalf("id %d, %v, want %d", id, err, want)
				}
				if res, err := update.Exec(id); err != nil {
					t.Fatal(err)
				} else if n, _ := res.RowsAffected(); n != 1 {
					t.Errorf("%d rows affected", n)
				}
				switch want {
				case 2:
					exec("alter table item add column u uuid")
					exec("alter table item alter column u set default gen_random_uuid()")
				case 3:
					exec("alter table item drop column v, add column v varchar(9)")
				}
			}
			w.close(n)
			w.sameEverywhere()
		})
	}
}

// TestRowModeChangedBehindIt: a table that others have changed, past dualsql, is never written as it was before.
func TestRowModeChangedBehindIt(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres", options: "mirror=row"}.each(t, func(t *testing.T, w *world) {
		for side := range w.raw {
			w.exec(side, "create table item (id int primary key, r float8)")
		}
		n := w.open()
		n.SetMaxOpenConns(1)
		for i, change := range []string{"", "alter table item add column u uuid; alter table item alter column u set default gen_random_uuid()", "alter table item drop column r, add column r float8",
			"alter table item alter column r type numeric", "create trigger t before update on item for each row execute function suppress_redundant_updates_trigger()"} {
			for side := range w.raw {
				if change != "" {
					w.exec(side, change)
				}
			}
			_, err := n.Exec("insert into item (id, r) values ($1, random())", i)
			if (err != nil) != (i > 0) {
				t.Errorf("behind %q: %v", change, err)
			}
			if _, err := n.Exec("insert into item (id, r) values ($1, random())", i+10); err != nil {
				t.Errorf("behind %q, again: %v", change, err)
			}
			w.sameEverywhere()
		}
	})
}

// TestMixedModeBesideDDL: a write that waits for a transaction that gives a column another default leaves no difference.
func TestMixedModeBesideDDL(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres", options: "mirror=mixed"}.each(t, func(t *testing.T, w *world) {
		for side := range w.raw {
			w.exec(side, "create table item (id int primary key, r float8 default 0, s float8)")
		}
		n := w.open()
		for i, column := range []string{"r", "s"} {
			if _, err := n.Exec("insert into item (id) values ($1)", i); err != nil {
				t.Fatal(err)
			}
			tx, err := n.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("alter table item alter column " + column + " set default random()"); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := n.Exec("insert into item (id) values ($1)", i+10)
				done <- err
			}()
			w.eventually("the write waits", func() bool {
				return w.count(primary, "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())") > 0
			})
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil && !strings.Contains(err.Error(), "changed meanwhile") {
				t.Error(err)
			}
			if _, err := n.Exec("insert into item (id) values ($1)", i+20); err != nil {
				t.Error(err)
			}
		}
		w.close(n)
		w.sameEverywhere()
	})
}

// TestRowModeSecondaryTrigger: a trigger of the secondary's own that changes what was not carried over is noticed.
func TestRowModeSecondaryTrigger(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres", options: "mirror=row"}.each(t, func(t *testing.T, w *world) {
		for side := range w.raw {
			w.exec(side, "create table item (id int primary key, v text, at timestamptz); insert into item values (1)")
		}
		w.exec(secondary, setAt)
		w.exec(secondary, "create trigger t before update on item for each row execute function f()")
		n := w.open()
		var divergence *dualsql.DivergenceError
		if _, err := n.Exec("update item set v = 'x'"); !errors.As(err, &divergence) {
			t.Errorf("got %v, want a *DivergenceError", err)
		}
		w.close(n)
		w.sameEverywhere()
	})
}

// TestRowModeSettings: a session whose texts of values are not exact is refused, for as long as it is so.
func TestRowModeSettings(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres", options: "mirror=row"}.each(t, func(t *testing.T, w *world) {
		for side := range w.raw {
			w.exec(side, "create table item (id int primary key, at timestamptz default now(), r float8 default random())")
		}
		n := w.open()
		n.SetMaxOpenConns(1)
		for i, c := range []struct{ set, refused string }{
			{"set datestyle = 'SQL, DMY'", "datestyle"}, {"reset datestyle", ""}, {"set intervalstyle = sql_standard", "intervalstyle"}, {"reset all", ""},
			{"set array_nulls = off", "array_nulls"}, {"set array_nulls = on; set extra_float_digits = 0", "extra_float_digits"}, {"select set_config('extra_float_digits', '3', false)", ""},
		} {
			if _, err := n.Exec(c.set); err != nil {
				t.Fatalf("%s: %v", c.set, err)
			}
			_, err := n.Exec("insert into item (id) values ($1)", i)
			if refused := errors.Is(err, dualsql.ErrNotMirrored); refused != (c.refused != "") || refused && !strings.Contains(err.Error(), c.refused) || !refused && err != nil {
				t.Errorf("behind %s: %v", c.set, err)
			}
		}
		w.close(n)
		w.sameEverywhere()
	})
}

// TestRowModeProcesses: two processes write to the same rows, from what they find there.
func TestRowModeProcesses(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"mirror=row", "mirror=mixed"} {
		on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres", options: mode}.each(t, func(t *testing.T, w *world) {
			for side := range w.raw {
				w.exec(side, "create table item (id int primary key, n int, r float8); insert into item values (1, 0), (2, 0), (3, 0); create table sums (id serial primary key, n int, r float8 default random())")
			}
			nodes := []*node{w.open(), w.another(mode).open()}
			var group sync.WaitGroup
			var committed atomic.Int64
			for i := range 4 {
				group.Go(func() {
					for k := range 20 {
						tx, err := nodes[i%2].Begin()
						if err != nil {
							t.Error(err)
							return
						}
						_, err = tx.Exec("update item set n = n + 1, r = random() where id = $1", k%3+1)
						if err == nil {
							_, err = tx.Exec("insert into sums (n) select sum(n) from item")
						}
						if err == nil {
							err = tx.Commit()
						} else {
							_ = tx.Rollback() // the cause is what counts
						}
						switch outcomeOf(err) {
						case dualsql.Committed:
							committed.Add(1)
						case dualsql.RolledBack:
						default:
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			if n := w.count(primary, "select sum(n) from item"); int64(n) != committed.Load() || n == 0 {
				t.Errorf("%d increments, %d transactions were committed", n, committed.Load())
			}
			for _, n := range nodes {
				w.close(n)
			}
			w.sameEverywhere()
		})
	}
}

// TestRowModeExecModes: rows go over in whatever way pgx sends its arguments.
func TestRowModeExecModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		on{protocols: underMarker, primary: "postgres", secondary: "postgres", options: "mirror=mixed"}.each(t, func(t *testing.T, w *world) {
			for side := range w.raw {
				w.exec(side, "create table item (id serial primary key, v text, r float8 default random(), b bytea, a text[])")
				w.dsn[side] += "&default_query_exec_mode=" + mode
			}
			n := w.open()
			var id int
			if err := n.QueryRow("insert into item (v) values ($1) returning id", pgx.QueryExecModeSimpleProtocol, "it's").Scan(&id); err != nil || id != 1 {
				t.Errorf("%s: id %d, %v", mode, id, err)
			}
			for _, s := range []rowStep{
				do(1, "update item set r = random() where v = @v", sql.Named("v", "it's")), do(1, "update item set r = random() where v = @v", pgx.NamedArgs{"v": "it's"}),
				do(1, "update item set r = random(), b = $1, a = $2", []byte{0, 1}, []string{"a", `b"\{}`}), do(1, "update item set v = $1 where id = $2", "x", 1), do(1, "delete from item where random() < 2"),
				do(2, "insert into item (v) values ('a'), (?)", "b"),
			} {
				if err := s.play(w, t.Context(), n); err != nil {
					t.Errorf("%s: %s: %v", mode, s.text, err)
				}
			}
			w.close(n)
			w.sameEverywhere()
		})
	}
}

// TestMirrorNeedsPostgres: what a pair cannot have is said when it is opened.
func TestMirrorNeedsPostgres(t *testing.T) {
	for dsn, says := range map[string]string{
		"primary=file:/tmp/a.db secondary=postgres://b/b journal=/tmp/j mirror=row":               "the primary is sqlite",
		"primary=postgres://a/a secondary.driver=sqlmock secondary=b journal=/tmp/j mirror=mixed": "the secondary is generic",
	} {
		cfg, err := dualsql.ParseDSN(dsn)
		if err == nil {
			_, err = dualsql.NewConnector(cfg)
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error that says %q", dsn, err, says)
		}
	}
}

// TestRowModeRedo: what a secondary that is lost at its COMMIT gets from the journal are the rows of the primary.
func TestRowModeRedo(t *testing.T) {
	for _, mode := range []string{"mirror=row", "mirror=mixed"} {
		on{protocols: underMarker, primary: "postgres", secondary: "postgres", options: mode}.each(t, func(t *testing.T, w *world) {
			for side := range w.raw {
				w.exec(side, "create table item (id serial primary key, r float8 default random(), v text)")
			}
			n := w.openWarm()
			lost := false
			n.c.AtCrashpoints(t, func(at string) {
				if at == "decided" && !lost {
					lost = true
					w.exec(secondary, killOthers)
				}
			})
			tx, err := n.Begin()
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"insert into item (v) values ('a'), ('b'), (E'c\\n')", "update item set r = random() where v <> 'a'", "delete from item where v = 'b' and random() < 2",
				"insert into item (id, v) values (1, 'd'), (9, 'e') on conflict (id) do update set r = random(), v = excluded.v", "update item set v = v || '!'"} {
				if _, err := tx.Exec(text); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			w.told(tx.Commit(), dualsql.Committed)
			if !lost {
				t.Error("the secondary was not lost")
			}
			w.close(n)
			w.sameEverywhere()
		})
	}
}

// A key that the other vendor would compute itself cannot be sent.
func TestRowModeGeneratedKeyBesideSQLite(t *testing.T) {
	w := newWorld(t, [2]string{"postgres", "sqlite"}, dualsql.TwoPhase, "mirror=row")
	w.exec(primary, "create table item (a int, k int generated always as (a + 1) stored primary key)")
	w.exec(primary, "insert into item (a) values (1)")
	w.exec(secondary, "create table item (a int, k int primary key)")
	w.exec(secondary, "insert into item values (1, 2)")
	n := w.open()
	for _, text := range []string{"delete from item where a = 1", "update item set a = 2"} {
		if _, err := n.Exec(text); !errors.Is(err, dualsql.ErrNotMirrored) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A connection that is closed in a transaction that has changed tables holds up no others.
func TestMixedModeConnClosedWhileAltering(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "mirror=mixed")
	n := w.openWarm()
	w.exec(primary, "create table keyless (n int)")
	w.exec(secondary, "create table keyless (n int)")
	c, err := n.c.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.(*dualsql.Conn).BeginTx(ctx, driver.TxOptions{}); err == nil {
		_, err = c.(*dualsql.Conn).ExecContext(ctx, "create table never (n int)", nil)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Exec("update keyless set n = 1 where n = 2"); err != nil {
		t.Errorf("behind the closed connection: %v", err)
	}
}

// What a procedure or a DO block changes is a change of tables for other connections too, and so is what only the primary gets.
func TestMixedModeBesideCalls(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]func(n *node) error{
		"DO": func(n *node) error {
			return only(n.Exec("do $$ begin alter table item alter column r set default random(); end $$"))
		},
		"the primary alone": func(n *node) error {
			return only(n.ExecContext(dualsql.WithPrimaryOnly(ctx), "alter table item alter column r set default random()"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "mirror=mixed")
			n := w.open()
			if _, err := n.Exec("create table item (id int primary key, r float8)"); err != nil {
				t.Fatal(err)
			}
			c, err := n.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for id := range 2 {
				if _, err := c.ExecContext(ctx, "insert into item (id) values ($1)", id); err != nil {
					t.Fatal(err)
				}
				if id == 0 {
					if err := change(n); err != nil {
						t.Fatal(err)
					}
				}
			}
			if p, s := w.rows(primary, "item"), w.rows(secondary, "item"); !slices.Equal(p, s) {
				t.Errorf("item has %q on the primary, %q on the secondary", p, s)
			}
		})
	}
}
