package dualsql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

var twoClusters = [2]string{"postgres", "postgres"}

// TestResetIsLast: the last statement of a transaction undoes what dualsql has set for the session.
func TestResetIsLast(t *testing.T) {
	for _, protocol := range everyProtocol {
		t.Run(string(protocol), func(t *testing.T) {
			w := newWorld(t, twoClusters, protocol, "")
			n := w.openWarm()
			w.told(write(n.DB, 1, "reset all"), dualsql.Committed)
			w.is(1, both)
			w.is(w.writes(n, 2)-1, both)
		})
	}
}

// TestRoleOfPrepared: only the role that prepares can end what is prepared, and a transaction may have another role than the
// sessions of its process.
func TestRoleOfPrepared(t *testing.T) {
	for _, set := range []string{"set local role ", "set role "} {
		t.Run(set, func(t *testing.T) {
			w := newWorld(t, twoClusters, dualsql.TwoPhase, "commit_timeout=2s")
			w.close(w.openWarm()) // a superuser creates the schema
			app, tenant := w.role("app", "login"), w.role("tenant", "")
			for side := range w.raw {
				w.exec(side, "grant "+tenant+" to "+app)
				for _, schema := range []string{"public", "dualsql"} {
					w.exec(side, fmt.Sprintf("grant usage on schema %s to %s, %s", schema, app, tenant))
					w.exec(side, fmt.Sprintf("grant all on all tables in schema %s to %s, %s", schema, app, tenant))
				}
				w.dsn[side] = strings.Replace(w.dsn[side], "postgres@", app+"@", 1)
			}
			n := w.open()
			tx, err := n.Begin()
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{set + tenant, "insert into log values ('x')"} {
				if _, err := tx.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			w.told(tx.Commit(), dualsql.Committed)
			w.pending(n)
			w.close(n)
			for side := range w.raw {
				if got := w.count(side, "select count(*) from log where v = 'x'"); got != 1 {
					t.Errorf("side %d has the row %d times", side, got)
				}
			}
		})
	}
}

// role creates a role of the test's own on both sides; what it owns or may do ends with the test.
func (w *world) role(name, attributes string) string {
	w.Helper()
	for side := range w.raw {
		var database string
		if err := w.raw[side].QueryRow("select current_database()").Scan(&database); err != nil {
			w.Fatal(err)
		}
		if side == primary {
			name += "_" + strings.ToLower(database)
		}
		own := name
		w.exec(side, "create role "+own+" "+attributes)
		w.Cleanup(func() {
			w.exec(side, "drop owned by "+own)
			w.exec(side, "drop role "+own)
		})
	}
	return name
}

// TestSecondaryInTransaction: who takes the secondary's connection in a transaction that has begun there gets the one that it
// has begun on, whatever else would be due for a connection at rest.
func TestSecondaryInTransaction(t *testing.T) {
	for _, c := range []struct {
		name    string
		between func(w *world, n *node)
		over    bool // the second call's context
	}{
		{"a pool has handed it out anew", func(*world, *node) {}, false},
		{"DDL elsewhere, and no time", func(w *world, n *node) {
			if _, err := n.Exec("create table elsewhere (i int)"); err != nil {
				w.Fatal(err)
			}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, twoClusters, dualsql.TwoPhase, "ack=decided")
			proxy := w.behind(secondary)
			n := w.openWarm()
			n.SetMaxIdleConns(1)
			rule := proxy.OnRequest(chaos.SQLContains("commit prepared"), chaos.HoldRequest)
			w.told(write(n.DB, 1), dualsql.Committed)
			<-rule.Fired()
			ctx := context.Background()
			conn, err := n.Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			tx, err := conn.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			add := func(v string) {
				t.Helper()
				if _, err := tx.Exec("insert into parent values (" + v + ")"); err != nil {
					t.Fatal(err)
				}
			}
			take := func(ctx context.Context) error {
				return conn.Raw(func(driverConn any) error { return only(driverConn.(*dualsql.Conn).Secondary(ctx)) })
			}
			add("1")
			rule.Release()
			if err := take(ctx); err != nil {
				t.Fatal(err)
			}
			c.between(w, n)
			short, cancel := context.WithCancel(ctx)
			if c.over {
				cancel()
			}
			_ = take(short) // it may say that there is no time; it must change nothing
			cancel()
			add("2")
			add("3")
			w.told(tx.Commit(), dualsql.Committed)
			w.eventually("the secondary has followed", func() bool { return w.count(secondary, "select count(*) from parent") == 3 })
			w.same()
		})
	}
}

// TestSettingsOfRefused: a setting that was made in a transaction that was prepared, and then refused by the other side, does not
// stay behind on one side.
func TestSettingsOfRefused(t *testing.T) {
	w := newWorld(t, twoClusters, dualsql.TwoPhase, "")
	w.constrain(primary)
	n := w.openWarm()
	n.SetMaxOpenConns(1)
	tx, err := n.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"select set_config('TimeZone', lower('Asia/Tokyo'), false)", "insert into child values (99)"} {
		if _, err := tx.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	w.told(tx.Commit(), dualsql.RolledBack)
	if _, err := n.Exec("insert into log values (current_setting('TimeZone'))"); err != nil {
		t.Fatal(err)
	}
	if p, s := w.rows(primary, "log"), w.rows(secondary, "log"); fmt.Sprint(p) != fmt.Sprint(s) {
		t.Errorf("the primary has %q, the secondary %q", p, s)
	}
}

// TestMarkerStatementKept: commits that are refused leave no statements behind in the session.
func TestMarkerStatementKept(t *testing.T) {
	w := newWorld(t, twoClusters, dualsql.TwoPhase, "")
	w.constrain(primary)
	n := w.openWarm()
	n.SetMaxOpenConns(1)
	for range 5 {
		if _, err := n.Exec("insert into child values (99)"); err == nil {
			t.Fatal("the constraint is not there")
		}
		if _, err := n.Exec("insert into log values ('x')"); err != nil {
			t.Fatal(err)
		}
	}
	var kept int
	if err := n.QueryRow("select count(*) from pg_prepared_statements where name like 'dualsql%'").Scan(&kept); err != nil || kept > 2 { // the marker, and what mirroring relies on
		t.Errorf("the session keeps %d statements, %v", kept, err)
	}
}

// TestForgetFirst: an operator forgets a transaction before anything has connected.
func TestForgetFirst(t *testing.T) {
	w := newWorld(t, [2]string{"sqlite", "sqlite"}, dualsql.Marker, "")
	w.crash(crash{at: "decided#2"})
	lost := *w
	lost.journal += "-other"
	n, _ := lost.recover()
	txid := lost.pending(n, dualsql.HalfDone)[0].TxID
	lost.close(n)
	n = lost.open()
	if err := n.c.Forget(context.Background(), txid); err != nil {
		t.Fatal(err)
	}
	lost.pending(n)
}
