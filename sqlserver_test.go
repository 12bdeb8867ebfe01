package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	mssql "github.com/microsoft/go-mssqldb"
)

// begin opens a transaction of the test's.
func (w *world) begin(n *node, o *sql.TxOptions) *sql.Tx {
	w.Helper()
	tx, err := n.BeginTx(context.Background(), o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { tx.Rollback() })
	return tx
}

// An error that SQL Server itself has undone its statement for leaves a transaction on a SQL Server primary usable, as without
// dualsql; after any other the transaction can only be rolled back, since a part of the text may have been done.
func TestSQLServerStatementErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		goesOn     bool
	}{
		{"a duplicate key", "insert into entry values (1000000, 'again')", true},
		{"too long", "insert into entry values (7, replicate('x', 200))", true},
		{"the second statement of a batch", "insert into parent values (8); insert into entry values (1000000, 'again')", false},
		{"a procedure's second statement", "exec twice", false},
		{"a procedure that says so itself", "exec complains", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			on{primary: "sqlserver", vendors: true, protocols: mending}.each(t, func(t *testing.T, w *world) {
				w.exec(primary, "create procedure twice as begin insert into parent values (8); insert into entry values (1000000, 'again'); end")
				w.exec(primary, "create procedure complains as begin insert into parent values (8); raiserror('no', 16, 1); end")
				n := w.openWarm()
				tx := w.begin(n, nil)
				if _, err := tx.Exec("insert into parent values (7)"); err != nil {
					t.Fatal(err)
				}
				_, err := tx.Exec(c.text)
				var own mssql.Error
				if err == nil || c.goesOn && !errors.As(err, &own) {
					t.Fatalf("the statement's error is %v", err)
				}
				_, err = tx.Exec("insert into parent values (9)")
				if (err == nil) != c.goesOn {
					t.Errorf("the next statement's error is %v", err)
				}
				if err = tx.Commit(); (err == nil) != c.goesOn {
					t.Errorf("the commit's error is %v", err)
				}
				if p, s := w.rows(primary, "parent"), w.rows(secondary, "parent"); !slices.Equal(p, s) || len(p) != map[bool]int{true: 2, false: 0}[c.goesOn] {
					t.Errorf("parent is %q and %q", p, s)
				}
				w.is(w.writes(n, 2)-1, both)
			})
		})
	}
}

// Savepoints are said in each engine's own words, whichever the application's are.
func TestSQLServerSavepoints(t *testing.T) {
	on{vendors: true, protocols: mending}.each(t, func(t *testing.T, w *world) {
		set, back := "savepoint [a b]", "rollback to savepoint [a b]"
		if w.engines[primary] == "sqlserver" {
			set, back = "save tran [a b]", "rollback transaction [a b]"
		} else {
			set, back = strings.NewReplacer("[", `"`, "]", `"`).Replace(set), strings.NewReplacer("[", `"`, "]", `"`).Replace(back)
		}
		n := w.openWarm()
		tx := w.begin(n, nil)
		for _, text := range []string{"insert into parent values (1)", set, "insert into parent values (2)", back, "insert into parent values (3)"} {
			if _, err := tx.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		want := []string{`"1"`, `"3"`}
		if p, s := w.rows(primary, "parent"), w.rows(secondary, "parent"); !slices.Equal(p, want) || !slices.Equal(s, want) {
			t.Errorf("parent is %q and %q, want %q", p, s, want)
		}
		// A name that no savepoint has is a transaction's, which is the driver's to end.
		tx = w.begin(n, nil)
		if _, err := tx.Exec("rollback transaction"); !errors.Is(err, dualsql.ErrTxControl) {
			t.Errorf("ROLLBACK: %v", err)
		}
		if _, err := tx.Exec("rollback transaction nobody"); !errors.Is(err, dualsql.ErrTxControl) {
			t.Errorf("ROLLBACK to what is not there: %v", err)
		}
	})
}

func TestSQLServerIsolation(t *testing.T) {
	levels := []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadUncommitted, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSnapshot, sql.LevelSerializable}
	on{vendors: true, protocols: mending}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		n.SetMaxOpenConns(1) // what one transaction sets must not be the next one's
		for id, level := range levels {
			tx := w.begin(n, &sql.TxOptions{Isolation: level})
			if _, err := tx.Exec("insert into parent values (?)", id); err != nil {
				t.Errorf("%v: %v", level, err)
			}
			if err := tx.Commit(); err != nil {
				t.Errorf("%v: %v", level, err)
			}
		}
		if w.same(); w.count(secondary, "select count(*) from parent") != len(levels) {
			t.Error("the secondary does not have all")
		}
		if w.engines[primary] == "sqlserver" {
			if _, err := n.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "read-only") {
				t.Errorf("a read-only transaction: %v", err)
			}
			// Under SNAPSHOT the row that somebody else has changed meanwhile would be refused (error 3960).
			if tx := w.begin(n, &sql.TxOptions{Isolation: sql.LevelSnapshot}); tx.Commit() != nil {
				t.Error("an empty transaction is refused")
			}
			tx := w.begin(n, nil)
			if got := countIn(t, tx, "select count(*) from account"); got != 1 {
				t.Errorf("account has %d rows", got)
			}
			w.exec(primary, "update account set n = n + 10")
			if _, err := tx.Exec("update account set n = n - 10"); w.engines[secondary] != "postgres" && err != nil {
				t.Errorf("the isolation level before has stayed: %v", err)
			}
		}
	})
}

func countIn(t *testing.T, tx *sql.Tx, text string) (n int) {
	t.Helper()
	if err := tx.QueryRow(text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What dualsql relies on is not set by the application; all else is the session's until the pool hands its connection out anew.
func TestSQLServerSettings(t *testing.T) {
	on{primary: "sqlserver", vendors: true, protocols: mending}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		for _, text := range []string{"set nocount on", "set implicit_transactions on", "set xact_abort off", "set noexec on"} {
			if _, err := n.Exec(text); err == nil || !strings.Contains(err.Error(), "must not change") {
				t.Errorf("%s: %v", text, err)
			}
		}
		n.SetMaxOpenConns(1)
		for range 2 {
			c, err := n.Conn(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.ExecContext(dualsql.WithPrimaryOnly(context.Background()), "create table #mine (id int)"); err != nil {
				t.Errorf("a temporary table is there from before: %v", err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		w.is(w.writes(n, 1)-1, both)
	})
}

// A procedure may end the transaction in which it is called, and begin another: what the transaction wrote is then where nobody
// has looked, and the caller is told so.
func TestSQLServerProcedureEndsTransaction(t *testing.T) {
	for name, body := range map[string]string{
		"rolls back and fails":      "rollback transaction; raiserror('no', 16, 1)",
		"commits":                   "commit transaction",
		"commits and begins":        "commit transaction; begin transaction",
		"rolls back and begins":     "rollback transaction; begin transaction",
		"rolls back what has begun": "rollback transaction",
	} {
		for side := range 2 {
			t.Run(name+" on the "+sideName(side), func(t *testing.T) {
				on{primary: "sqlserver", secondary: "sqlserver", protocols: underMarker}.each(t, func(t *testing.T, w *world) {
					w.exec(side, "create procedure ends as begin "+body+"; end")
					w.exec(1-side, "create procedure ends as begin declare @nothing int; end")
					n := w.openWarm()
					tx := w.begin(n, nil)
					if _, err := tx.Exec("insert into parent values (7)"); err != nil {
						t.Fatal(err)
					}
					_, err := tx.Exec("exec ends")
					if err == nil {
						err = tx.Commit()
					}
					silent := !strings.Contains(body, "raiserror") // else the procedure says so itself
					if err == nil || outcomeOf(err) != dualsql.RolledBack || silent && !strings.Contains(err.Error(), "compare the tables") {
						t.Errorf("the caller was told %v", err)
					}
					w.pending(n)
					w.eventually("the next transaction is on both sides", func() bool { return w.where(w.writes(n, 2)-1) == both })
				})
			})
		}
	}
}

// The caller gives up while the secondary's BEGIN is on its way: nobody knows whether it has begun, and the session is not used
// again.
func TestSQLServerBeginGivenUp(t *testing.T) {
	ctx := context.Background()
	on{secondary: "sqlserver", vendors: true, protocols: mending}.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(secondary)
		n := w.openWarm()
		n.SetMaxOpenConns(1)
		tx := w.begin(n, nil)
		rule := proxy.OnRequest(chaos.SQLContains("begin transaction"), chaos.HoldReply)
		if _, err := tx.ExecContext(ctx, "insert into parent values (7)"); err != nil {
			t.Fatal(err)
		}
		w.fired(rule)
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		rule.Release()
		w.is(w.writes(n, 1)-1, both)
	})
}

// The driver's own error reaches the caller as it is.
func TestSQLServerErrorType(t *testing.T) {
	on{primary: "sqlserver", vendors: true, protocols: mending}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		_, err := n.Exec("insert into entry values (1000000, 'again')")
		if own, ok := err.(mssql.Error); !ok || own.Number != 2627 {
			t.Errorf("%T: %v", err, err)
		}
	})
}

// The other form of the driver's DSN reaches it untouched, and is the same engine.
func TestSQLServerADODSN(t *testing.T) {
	w := newWorld(t, [2]string{"sqlserver", "postgres"}, dualsql.TwoPhase, "")
	u, err := url.Parse(w.dsn[primary])
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	ado := fmt.Sprintf("server=%s;port=%s;user id=%s;password=%s;database=%s;encrypt=disable", u.Hostname(), u.Port(), u.User.Username(), password, u.Query().Get("database"))
	db, err := sql.Open(dualsql.Name, fmt.Sprintf("primary.driver=sqlserver primary='%s' secondary='%s' journal='%s' commit=2pc", ado, w.dsn[secondary], w.journal))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w.told(write(db, 1), dualsql.Committed)
	w.is(1, both)
}
