package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
)

const killOthers = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"

// TestSessionStateOnBothSides: what a connection's session statements have left behind is the same for the secondary that it
// has, for one that takes its place, and for the redo. Each schema has a table of the same name, and search_path decides
// which one a row goes to.
func TestSessionStateOnBothSides(t *testing.T) {
	ctx := context.Background()
	inTx := func(o *sql.TxOptions, texts ...string) func(*sql.Conn) error {
		return func(c *sql.Conn) error {
			tx, err := c.BeginTx(ctx, o)
			if err != nil {
				return err
			}
			for _, text := range texts {
				if _, err := tx.ExecContext(ctx, text); err != nil {
					return errors.Join(err, tx.Rollback())
				}
			}
			return tx.Commit()
		}
	}
	run := func(text string, args ...any) func(*sql.Conn) error {
		return func(c *sql.Conn) error {
			_, err := c.ExecContext(ctx, text, args...)
			return err
		}
	}
	const set = "set search_path = other"
	for name, session := range map[string]func(*sql.Conn) error{
		"set":                        run(set),
		"set in a transaction":       inTx(nil, set),
		"set in a read-only one":     inTx(&sql.TxOptions{ReadOnly: true}, set),
		"taken back by a savepoint":  inTx(nil, "savepoint a", set, "rollback to a"),
		"kept beside a savepoint":    inTx(nil, "savepoint a", "set search_path = public", "rollback to a", "savepoint a", set, "release a"),
		"among other statements":     run(set + "; insert into item values (100)"),
		"behind other statements":    run("insert into item values (100); " + set),
		"set_config":                 run("select set_config('search_path', 'other', false)"),
		"set_config with arguments":  run("select set_config($1, $2, $3)", "search_path", "other", false),
		"set_config for one of many": inTx(nil, "select set_config('search_path', 'other', true)", "insert into item values (100)"),
		"reset":                      inTx(nil, set, "reset all"),
		"discard all":                run("discard all"),
		"quoted":                     run(`set "search_path" = other; set "search_path" = public`),
	} {
		for loss, lose := range map[string]func(t *testing.T, w *world, n *node){
			"another secondary": func(_ *testing.T, w *world, _ *node) { w.exec(secondary, killOthers) },
			"redo": func(t *testing.T, w *world, n *node) {
				n.c.AtCrashpoints(t, func(at string) {
					if at == "decided" {
						w.exec(secondary, killOthers)
					}
				})
			},
		} {
			t.Run(name+"/"+loss, func(t *testing.T) {
				w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.Marker, "")
				for side := range w.raw {
					w.exec(side, "create schema other; create table other.item (id int); create table public.item (id int)")
				}
				n := w.openWarm()
				c, err := n.Conn(ctx)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := session(c); err != nil {
					t.Fatal(err)
				}
				if _, err := c.ExecContext(ctx, "insert into item values (0)"); err != nil {
					t.Fatal(err)
				}
				lose(t, w, n)
				w.eventually("the write goes through", func() bool {
					_, err = c.ExecContext(ctx, "insert into item values (1)")
					if outcome := outcomeOf(err); outcome == dualsql.HalfDone || outcome == dualsql.InDoubt {
						t.Fatal(err)
					}
					return err == nil
				})
				for _, table := range []string{"public.item", "other.item"} {
					if p, s := w.rows(primary, table), w.rows(secondary, table); !slices.Equal(p, s) {
						t.Errorf("%s: %v on the primary, %v on the secondary", table, p, s)
					}
				}
			})
		}
	}
}

// TestRedoUnderPragmas: SQLite takes most PRAGMAs outside of a transaction only, and so must the redo.
func TestRedoUnderPragmas(t *testing.T) {
	ctx := context.Background()
	for _, pragma := range []string{"pragma foreign_keys = on", "pragma synchronous = full", "pragma journal_mode = wal"} {
		t.Run(pragma, func(t *testing.T) {
			w := newWorld(t, [2]string{"sqlite", "sqlite"}, dualsql.Marker, "")
			for side := range w.raw {
				w.dsn[side] = strings.Replace(w.dsn[side], "&_pragma=foreign_keys%281%29", "", 1)
				w.exec(side, "create table child (pid int references parent (id) on delete cascade)")
				w.exec(side, "insert into parent values (1)")
				w.exec(side, "insert into child values (1)")
			}
			n := w.openWarm()
			c, err := n.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.ExecContext(ctx, pragma); err != nil {
				t.Fatal(err)
			}
			w.exec(secondary, "create trigger no before insert on dualsql_commit begin select raise(abort, 'not now'); end")
			_, err = c.ExecContext(ctx, "delete from parent where id = 1")
			w.told(err, dualsql.HalfDone)
			w.exec(secondary, "drop trigger no")
			if r, err := n.c.Recover(ctx); err != nil || len(r.Pending) > 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			w.same()
		})
	}
}

// TestPragmaWithoutEffect: inside a transaction foreign_keys cannot be changed, so a secondary that is made later must not
// have it either.
func TestPragmaWithoutEffect(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, [2]string{"sqlite", "sqlite"}, dualsql.Marker, "")
	for side := range w.raw {
		w.exec(side, "create table child (pid int references parent (id) on delete cascade)")
		w.exec(side, "insert into parent values (1)")
		w.exec(side, "insert into child values (1)")
	}
	n := w.openWarm()
	c, err := n.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"pragma foreign_keys = off", "insert into parent values (2)"} {
		if _, err := tx.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	w.exec(secondary, "create trigger no before insert on dualsql_commit begin select raise(abort, 'not now'); end")
	_, err = c.ExecContext(ctx, "delete from parent where id = 2")
	w.told(err, dualsql.HalfDone) // and the secondary's connection is closed
	w.exec(secondary, "drop trigger no")
	if r, err := n.c.Recover(ctx); err != nil || len(r.Pending) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := c.ExecContext(ctx, "delete from parent where id = 1"); err != nil {
		t.Fatal(err)
	}
	w.same()
}

// TestRollbackToRefused: a ROLLBACK TO that the primary refuses takes nothing back on the secondary either.
func TestRollbackToRefused(t *testing.T) {
	w := newWorld(t, [2]string{"sqlite", "sqlite"}, dualsql.BestEffort, "")
	side := newMockSide(t, "primary")
	script{begins, execs("savepoint a"), execs("insert into entry values (1, 'x')"), execs("release savepoint a"),
		execFails(errMock, "rollback to savepoint a"), commits}.tell(side)
	cfg := dualsql.NewConfig()
	cfg.Primary.Connector, cfg.Secondary.DSN, cfg.Journal = side, w.dsn[secondary], w.journal
	connector, err := dualsql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"savepoint a", "insert into entry values (1, 'x')", "release savepoint a"} {
		if _, err := tx.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Exec("rollback to savepoint a"); !errors.Is(err, errMock) {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := w.count(secondary, "select count(*) from entry"); n != 1 {
		t.Errorf("the secondary has %d rows, the primary 1", n)
	}
}

// TestNoWriteUnmirrored: what writes inside of a transaction by a way that belongs to the primary's session is refused, or
// on both sides.
func TestNoWriteUnmirrored(t *testing.T) {
	for name, texts := range map[string][]string{
		"explain analyze execute":   {"prepare p as insert into entry values (2, 'x')", "explain analyze execute p"},
		"execute behind another":    {"prepare p as insert into entry values (2, 'x')", "listen a; execute p"},
		"cursor over a function":    {"declare c cursor for select add_entry(2)", "fetch all from c"},
		"function behind a listen":  {"listen a; select add_entry(2)"},
		"guard off, then function":  {`set "default_transaction_read_only" = off`, "select add_entry(2)"},
		"guard off beside a write":  {"set default_transaction_read_only = off; insert into entry values (3, 'x')", "select add_entry(2)"},
		"guard off by reset all":    {"reset all; insert into entry values (3, 'x')", "select add_entry(2)"},
		"reset of the quoted guard": {`reset "default_transaction_read_only"`, "select add_entry(2)"},
	} {
		for _, inTx := range []bool{true, false} {
			t.Run(name+map[bool]string{true: "/in a transaction", false: "/outside"}[inTx], func(t *testing.T) {
				w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.Marker, "")
				for side := range w.raw {
					w.exec(side, "create function add_entry(i int) returns int language sql as $$ insert into entry values (i, 'x') returning id $$")
					w.exec(side, "create view adding as select add_entry(4) as id")
				}
				n := w.open()
				ctx := context.Background()
				c, err := n.Conn(ctx)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if inTx {
					tx, err := c.BeginTx(ctx, nil)
					if err == nil {
						_, err = tx.Exec("insert into entry values (1, 'x')")
					}
					for _, text := range texts {
						if err == nil {
							_, err = tx.Exec(text)
						}
					}
					// Some are refused at once, some at the commit.
					if err != nil {
						_ = tx.Rollback()
					} else {
						_ = tx.Commit()
					}
				} else {
					for _, text := range append(texts, "select id from adding") {
						_, _ = c.ExecContext(ctx, text) // some are refused
					}
				}
				if p, s := w.rows(primary, "entry"), w.rows(secondary, "entry"); !slices.Equal(p, s) {
					t.Errorf("%v on the primary, %v on the secondary", p, s)
				}
			})
		}
	}
}

// TestBareAlone: a statement that runs outside of any transaction runs by itself: nothing could take back what its
// neighbours have done.
func TestBareAlone(t *testing.T) {
	w := newWorld(t, [2]string{"sqlite", "sqlite"}, dualsql.Marker, "")
	n := w.open()
	_, err := n.Exec("insert into parent values (7); vacuum; insert into account values (1, 1)")
	w.told(err, dualsql.RolledBack)
	w.same()
}

// TestOneWriterRedoes: a process that has lost the writer's locks leaves the redo to whoever holds them: the other has
// written since.
func TestOneWriterRedoes(t *testing.T) {
	w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.Marker, "")
	a := w.openWarm()
	other := *w
	other.journal += "-b"
	var b *node
	first := true
	var berr error
	a.c.AtCrashpoints(t, func(at string) {
		if at == "decided" && first {
			first = false
			w.exec(primary, killOthers)
			w.exec(secondary, killOthers)
			b = other.open()
			_, berr = b.Exec("update account set n = 20 where id = 1")
		}
	})
	_, err := a.Exec("update account set n = 10 where id = 1")
	if berr != nil {
		t.Fatal(berr)
	}
	w.told(err, dualsql.HalfDone)
	p, s := w.count(primary, "select n from account where id = 1"), w.count(secondary, "select n from account where id = 1")
	if p != s {
		t.Errorf("n is %d on the primary, %d on the secondary", p, s)
	}
}

// TestWriterLockOnBothSides: a process that has lost its sessions to the secondary, with a COMMIT to the primary still to be
// sent, has not lost the pair to another: that one's write would come between its two commits.
func TestWriterLockOnBothSides(t *testing.T) {
	w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.Marker, "")
	a := w.openWarm()
	other := *w
	other.journal += "-b"
	first := true
	var berr error
	a.c.AtCrashpoints(t, func(at string) {
		if at == "intent" && first {
			first = false
			w.exec(secondary, killOthers)
			ctx, cancel := context.WithTimeout(context.Background(), patience) // if it were let through, it would wait for the row
			defer cancel()
			_, berr = other.open().ExecContext(ctx, "update account set n = 20 where id = 1")
		}
	})
	_, err := a.Exec("update account set n = 10 where id = 1")
	if !errors.Is(berr, dualsql.ErrWriterLocked) {
		t.Errorf("the second writer was told %v, want ErrWriterLocked", berr)
	}
	w.told(err, dualsql.Committed)
	p, s := w.count(primary, "select n from account where id = 1"), w.count(secondary, "select n from account where id = 1")
	if p != 10 || s != 10 {
		t.Errorf("n is %d on the primary, %d on the secondary", p, s)
	}
}

// TestSweepKeepsWhatIsPrepared: a power loss has taken the intent of a transaction that is decided and prepared, and the
// process comes back so late that its markers are old enough to be swept. The one that is still asked for has to stay.
func TestSweepKeepsWhatIsPrepared(t *testing.T) {
	for _, pair := range everyPair {
		if !runs(pair, dualsql.TwoPhase) {
			continue
		}
		t.Run(pair[0]+"+"+pair[1], func(t *testing.T) {
			w := newWorld(t, pair, dualsql.TwoPhase, "orphan_age=1s")
			w.crash(crash{at: "decided#2"})
			lost := w.journal + "-lost"
			cut(t, w.journal, lost, func(int64) int64 { return 128 }) // the header stays: it names the journal
			w.journal = lost
			for side := range w.raw {
				w.exec(side, "update "+w.markers(side)+" set at = '2000-01-01 00:00:00'")
			}
			n := w.open()
			w.eventually("the transaction is found", func() bool {
				_, err := n.c.Recover(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				return w.where(2) == both
			})
			w.is(2, both)
		})
	}
}
