package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
)

// Whatever a Connector offers may be called at any time, from anywhere, while others write, connect and close.
func TestConcurrentUse(t *testing.T) {
	chaos.CheckGoroutines(t)
	ctx := context.Background()
	dsn := fmt.Sprintf("primary='%s' secondary='%s' journal='%s'", testdb.SQLite(t, "a"), testdb.SQLite(t, "b"), t.TempDir())
	db, err := sql.Open(dualsql.Name, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("create table t (worker int, n int)"); err != nil {
		t.Fatal(err)
	}
	connector, err := dualsql.FromDB(db)
	if err != nil {
		t.Fatal(err)
	}
	const workers, rounds = 3, 15
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range rounds {
				if _, err := db.Exec("insert into t values (?, ?)", w, n); err != nil {
					t.Errorf("worker %d: %v", w, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range rounds {
			if r, err := connector.Recover(ctx); err != nil || len(r.Pending) != 0 {
				t.Errorf("Recover: %+v, %v", r, err)
			}
			if _, err := connector.Stats(); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range rounds {
			if pending, err := connector.Pending(); err != nil || len(pending) != 0 {
				t.Errorf("Pending: %v, %v", pending, err)
			}
			if err := connector.Forget(ctx, uuid.New()); !errors.Is(err, dualsql.ErrUnknownTx) {
				t.Errorf("Forget of nothing: %v", err)
			}
			if _, err := connector.Outcome(ctx, uuid.New()); !errors.Is(err, dualsql.ErrUnknownTx) {
				t.Errorf("Outcome of nothing: %v", err)
			}
		}
	})
	wg.Go(func() {
		for n := range rounds {
			other, err := sql.Open(dualsql.Name, dsn)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := other.Exec("insert into t values (?, ?)", workers, n); err != nil {
				t.Errorf("another pool: %v", err)
			}
			if err := other.Close(); err != nil {
				t.Errorf("closing another pool: %v", err)
			}
		}
	})
	wg.Wait()
	var n int
	if err := db.QueryRow("select count(*) from t").Scan(&n); err != nil || n != (workers+1)*rounds {
		t.Errorf("%d rows, %v; want %d", n, err, (workers+1)*rounds)
	}
	stats, err := connector.Stats()
	if err != nil || stats.Committed != (workers+1)*rounds+1 {
		t.Errorf("stats: %+v, %v; want %d committed", stats, err, (workers+1)*rounds+1)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A pair whose database does not answer while it is closed holds up no other pair, and its own next use waits.
func TestCloseHoldsUpNoOtherPair(t *testing.T) {
	w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "")
	proxy := w.behind(secondary)
	n := w.openWarm()
	collection := proxy.OnRequest(isCollection, chaos.HoldRequest)
	closed := make(chan error, 1)
	go func() { closed <- n.Close() }()
	w.fired(collection)

	other := newWorld(t, [2]string{"sqlite", "sqlite"}, dualsql.Marker, "")
	other.is(other.writes(other.open(), 1)-1, both)
	select {
	case err := <-closed:
		t.Fatalf("the first pair is closed: %v", err)
	default:
	}

	again := w.open().writing(1)
	collection.Release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	w.result(again, dualsql.Committed)
	w.is(1, both)
}
