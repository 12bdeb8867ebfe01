package dualsql_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

const slots = 2

// TestSurvive24Slots has the side that prepares in a cluster of its own, with few slots.
func TestSurvive24Slots(t *testing.T) {
	t.Parallel()
	few := testdb.StartCluster(t, map[string]string{"max_prepared_transactions": fmt.Sprint(slots)})
	for _, c := range []struct {
		name string
		run  func(*testing.T, *world)
	}{{"taken", slotsTaken}, {"more commits than slots", slotsFew}, {"more connections than slots", slotsOutgrown}} {
		for _, engines := range everyPair {
			if !runs(engines, dualsql.TwoPhase) {
				continue
			}
			t.Run(c.name+"/"+engines[primary]+"+"+engines[secondary], func(t *testing.T) {
				servers := serversOf(t, engines, 0)
				servers[1-decider(engines, dualsql.TwoPhase)] = few
				c.run(t, newWorldIn(t, servers, engines, dualsql.TwoPhase, ""))
			})
		}
	}
}

func slotsTaken(t *testing.T, w *world) {
	n := w.openWarm()
	theirs, err := w.raw[w.follows].Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	for i := range slots {
		for _, text := range []string{"begin", fmt.Sprintf("insert into parent values (%d)", i), fmt.Sprintf("prepare transaction 'theirs %d'", i)} {
			if _, err := theirs.ExecContext(context.Background(), text); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, single := n.Exec("insert into parent values (100)")
	for what, err := range map[string]error{"transaction": write(n.DB, 1), "statement": single} {
		w.told(err, dualsql.RolledBack)
		if !errors.Is(err, dualsql.ErrPrepareSlots) || !strings.Contains(err.Error(), "max_prepared_transactions") {
			t.Errorf("%s: the caller was told %v, want ErrPrepareSlots and what to do", what, err)
		}
	}
	w.is(1, neither)
	w.pending(n)
	for i := range slots {
		w.exec(w.follows, fmt.Sprintf("rollback prepared 'theirs %d'", i))
	}
	w.is(w.writes(n, 2)-1, both)
}

// Each transaction is on both sides, or was refused for that reason.
func slotsFew(t *testing.T, w *world) {
	n := w.openWarm()
	const workers, each = 8, 10
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range each {
				_, err := n.Exec("insert into parent values (?)", worker*each+i)
				if err != nil && (!errors.Is(err, dualsql.ErrPrepareSlots) || outcomeOf(err) != dualsql.RolledBack) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	w.pending(n)
	w.same()
}

// It is said once.
func slotsOutgrown(t *testing.T, w *world) {
	n, log := w.logged()
	for open := 1; open <= slots+2; open++ {
		c, err := n.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		want := 0
		if open > slots {
			want = 1
		}
		if said := strings.Count(log(), fmt.Sprintf("max_prepared_transactions=%d", slots)); said != want {
			t.Errorf("with %d connections it has been said %d times:\n%s", open, said, log())
		}
	}
}

// logged opens the world's pair with a log of its own.
func (w *world) logged() (*node, func() string) {
	w.Helper()
	cfg, err := dualsql.ParseDSN(w.DSN())
	if err != nil {
		w.Fatal(err)
	}
	var mu sync.Mutex
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(b)
	}), nil))
	c, err := dualsql.NewConnector(cfg)
	if err != nil {
		w.Fatal(err)
	}
	db := sql.OpenDB(c)
	w.Cleanup(func() { db.Close() })
	return &node{db, c}, func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// unpreparable is what PostgreSQL's manual, PREPARE TRANSACTION, lists; "server" is the word of the server's that tells which.
var unpreparable = []struct{ name, text, server string }{
	{"temporary table", "create temporary table scratch (x int)", "temporary"},
	{"LISTEN", "listen news", "LISTEN"},
	{"NOTIFY", "notify news", "NOTIFY"},
	{"cursor WITH HOLD", "declare c cursor with hold for select 1", "WITH HOLD"},
	{"exported snapshot", "select pg_export_snapshot()", "exported snapshots"},
}

func TestSurvive24Unpreparable(t *testing.T) {
	t.Parallel()
	for _, u := range unpreparable {
		t.Run(u.name, func(t *testing.T) {
			on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
				ctx := context.Background()
				text := u.text
				if w.engines[secondary] != "postgres" {
					ctx = dualsql.WithPrimaryOnly(ctx)
				} else {
					ctx = dualsql.WithMirror(ctx)
				}
				if w.engines[primary] == "sqlserver" || w.engines[primary] == "sqlite" && u.name != "temporary table" {
					t.Skip("the primary has no such statement")
				}
				n := w.openWarm()
				run := func(ctx context.Context, id int) error {
					tx, err := n.BeginTx(ctx, nil)
					if err != nil {
						t.Fatal(err)
					}
					defer tx.Rollback()
					if _, err := tx.Exec("insert into entry values (?, 'written')", id); err != nil {
						t.Fatal(err)
					}
					if _, err := tx.ExecContext(ctx, text); err != nil {
						t.Fatal(err)
					}
					return tx.Commit()
				}
				err := run(ctx, 1)
				w.told(err, dualsql.RolledBack)
				if !errors.Is(err, dualsql.ErrUnpreparable) || !strings.Contains(err.Error(), u.server) || !strings.Contains(err.Error(), "WithBestEffort") {
					t.Errorf("the caller was told %v, want ErrUnpreparable, which (%s), and what to do", err, u.server)
				}
				w.is(1, neither)
				w.pending(n)
				w.told(run(dualsql.WithBestEffort(ctx), 2), dualsql.Committed)
				if got := w.where(2); got != both {
					t.Errorf("under besteffort it is on %s", got)
				}
				w.pending(n)
			})
		})
	}
}
