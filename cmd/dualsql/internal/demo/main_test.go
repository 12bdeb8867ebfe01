package demo

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkerArg {
		os.Exit(Work(os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// twins returns two databases with the same rows.
func twins(t *testing.T) [2]*sql.DB {
	t.Helper()
	var twins [2]*sql.DB
	for i := range twins {
		db, err := sides.Open(sides.SQLiteDSN(filepath.Join(t.TempDir(), "side.db")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if err := reset(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		execOn(t, db, consistent...)
		twins[i] = db
	}
	return twins
}

// consistent is a small business whose books are right.
var consistent = []string{
	"insert into @orders values (11, 1, 1000, 2, 500, 1001), (12, 2, 1002, 1, 100, null)",
	"insert into @order_lines values (11, 1, 5, 2, 100), (11, 2, 6, 3, 100), (12, 1, 5, 1, 100)",
	"update @stock set on_hand = on_hand - 3 where item in (5, 6)",
	"insert into @payments values (21, 1, 70, 1003)",
	"insert into @deliveries values (31, 11, 1001)",
	"update @customers set balance = 70 - 500 where id = 1",
	"update @customers set balance = -100 where id = 2",
}

func execOn(t *testing.T, db *sql.DB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := db.Exec(full(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func TestCompareFinds(t *testing.T) {
	for _, c := range []struct {
		name string
		side int
		text string
		want sides.Difference
	}{
		{"a row that only the primary has", 0, "insert into @orders values (13, 1, 1, 1, 1, null)",
			sides.Difference{Table: "orders", Rows: 3, PrimaryOnly: 1, Example: "on the primary only: orders (id 13, customer 1, entered_at 1, lines 1, total 1, delivered_at null)"}},
		{"a row that only the secondary has, before all others", 1, "insert into @payments values (1, 2, 3, 4)",
			sides.Difference{Table: "payments", Rows: 1, SecondaryOnly: 1, Example: "on the secondary only: payments (id 1, customer 2, amount 3, paid_at 4)"}},
		{"a row that the secondary lacks in the middle", 1, "delete from @order_lines where order_id = 11 and line = 2",
			sides.Difference{Table: "order_lines", Rows: 3, PrimaryOnly: 1, Example: "on the primary only: order_lines (order_id 11, line 2, item 6, quantity 3, price 100)"}},
		{"another value", 1, "update @orders set total = 501 where id = 11",
			sides.Difference{Table: "orders", Rows: 2, Different: 1, Example: "on the primary: orders (id 11, customer 1, entered_at 1000, lines 2, total 500, delivered_at 1001); " +
				"on the secondary: orders (id 11, customer 1, entered_at 1000, lines 2, total 501, delivered_at 1001)"}},
		{"null and a value", 0, "update @orders set delivered_at = null where id = 11",
			sides.Difference{Table: "orders", Rows: 2, Different: 1, Example: "on the primary: orders (id 11, customer 1, entered_at 1000, lines 2, total 500, delivered_at null); " +
				"on the secondary: orders (id 11, customer 1, entered_at 1000, lines 2, total 500, delivered_at 1001)"}},
		{"an empty table", 0, "delete from @deliveries",
			sides.Difference{Table: "deliveries", SecondaryOnly: 1, Example: "on the secondary only: deliveries (id 31, order_id 11, delivered_at 1001)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbs := twins(t)
			execOn(t, dbs[c.side], c.text)
			found, err := sides.Compare(t.Context(), dbs[0], dbs[1], comparable())
			if err != nil {
				t.Fatal(err)
			}
			p := Phase{Tables: found}
			if p.equal() {
				t.Error("the sides are called equal")
			}
			for _, d := range found {
				if d.Table == c.want.Table && d != c.want {
					t.Errorf("\ngot  %+v\nwant %+v", d, c.want)
				}
				if d.Table != c.want.Table && !d.Equal() {
					t.Errorf("%s: %+v", d.Table, d)
				}
			}
		})
	}
}

func TestCompareTwins(t *testing.T) {
	dbs := twins(t)
	found, err := sides.Compare(t.Context(), dbs[0], dbs[1], comparable())
	if p := (Phase{Tables: found}); err != nil || !p.equal() || len(found) != len(tables) {
		t.Errorf("%+v, %v", found, err)
	}
	if n, err := torn(t.Context(), dbs, 0); n != 0 || err != nil {
		t.Errorf("%d torn, %v", n, err)
	}
	execOn(t, dbs[0], "insert into @payments values (22, 1, 1, 1), (23, 1, 1, 1)")
	execOn(t, dbs[1], "insert into @payments values (23, 1, 1, 1), (24, 1, 1, 1)")
	for from, want := range map[int64]int{0: 2, 23: 1, 25: 0} {
		if n, err := torn(t.Context(), dbs, from); n != want || err != nil {
			t.Errorf("%d torn from %d on, want %d; %v", n, from, want, err)
		}
	}
}

// What is wrong on both sides alike is found too.
func TestVerifyFinds(t *testing.T) {
	for _, c := range []struct {
		name, text string
		wrong      string // the beginning of the check that fails; empty: none
	}{
		{"nothing", "update @orders set customer = customer", ""},
		{"a lost order", "delete from @orders where id = 12", "every acknowledged"},
		{"an order that was rolled back", "insert into @orders values (99, 3, 1, 0, 0, null)", "no transaction that was rolled back"},
		{"stock taken twice", "update @stock set on_hand = on_hand - 1 where item = 7", "what left the stock"},
		{"a payment charged twice", "update @customers set balance = balance + 70 where id = 1", "every customer's balance"},
		{"a lost line", "delete from @order_lines where order_id = 11 and line = 2", "every order has all"},
		{"a delivery without its order's note", "update @orders set delivered_at = 5 where id = 11", "every delivery"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbs := twins(t)
			for _, db := range dbs {
				execOn(t, db, c.text)
			}
			checks, err := verify(t.Context(), dbs, &told{
				committed:  map[string]bool{"orders 11": true, "orders 12": true, "payments 21": true, "deliveries 31": true},
				rolledBack: map[string]bool{"orders 99": true},
			})
			if err != nil {
				t.Fatal(err)
			}
			found := c.wrong == ""
			for _, check := range checks {
				if c.wrong == "" && !check.OK {
					t.Errorf("%+v", check)
				}
				if c.wrong != "" && strings.HasPrefix(check.Name, c.wrong) {
					found = !check.OK
				}
			}
			if !found {
				t.Errorf("not found: %+v", checks)
			}
		})
	}
}

// A working process dies when its parent does: its standard input ends.
func TestWorkerDiesWithItsParent(t *testing.T) {
	dir := t.TempDir()
	p, s := sides.SQLiteDSN(filepath.Join(dir, "p.db")), sides.SQLiteDSN(filepath.Join(dir, "s.db"))
	for _, dsn := range []string{p, s} {
		db, err := sides.Open(dsn)
		if err == nil {
			err = reset(context.Background(), db)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], WorkerArg)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(job{DSN: "primary='" + p + "' secondary='" + s + "' journal='" + filepath.Join(dir, "j") + "'", Seed: 1, Run: 1, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(append(text, '\n')); err != nil {
		t.Fatal(err)
	}
	worked := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), sayCommitted) && !worked {
			worked = true
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); !worked || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("worked %v, then %v", worked, err)
	}
}

// On a terminal a line is refreshed; elsewhere there is none.
func TestProgressOnTerminalsOnly(t *testing.T) {
	for _, live := range []bool{true, false} {
		var b strings.Builder
		s := &show{out: io.Writer(&b), live: live, opts: &Options{Kills: 3}}
		s.begin(&killing{told: told{committed: map[string]bool{"orders 1": true}}})
		s.clear()
		if got := strings.Contains(b.String(), "0 of 3 kills, 1 transactions"); got != live || !live && b.Len() > 0 {
			t.Errorf("live %v: %q", live, b.String())
		}
	}
}
