package main

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
	"github.com/dualsql/dualsql/internal/testdb"
)

// forgetful leaves out the second database now and then.
type forgetful struct {
	handWritten
	calls chan int
}

func (f *forgetful) perform(ctx context.Context, tx []statement) error {
	n := <-f.calls
	f.calls <- n + 1
	if n%10 != 9 {
		return f.handWritten.perform(ctx, tx)
	}
	return (&single{f.pools[0]}).perform(ctx, tx)
}

// idle says that it has done what it has not.
type idle struct{ pools }

func (i idle) perform(context.Context, []statement) error { return nil }

// The comparison finds what a contender has left undone, on one database or on both; and where a value of the database's own
// differs, it says so of contenders that run texts twice, and holds it against those that carry rows over.
func TestComparison(t *testing.T) {
	if reason := testdb.PostgresUnavailable(); reason != "" {
		t.Skip(reason)
	}
	hand := func(name string, open func(place) (client, error)) contender {
		return contender{Contender: result.Contender{Name: name}, sides: 2, open: open}
	}
	all := []contender{
		hand("forgetful", func(p place) (client, error) {
			sides, err := openPools(p)
			f := &forgetful{handWritten{sides}, make(chan int, 1)}
			f.calls <- 0
			return f, err
		}),
		hand("idle", func(p place) (client, error) {
			sides, err := openPools(p)
			return idle{sides}, err
		}),
		hand("boastful", openByHand), // it runs texts twice
		hand("refused", func(p place) (client, error) {
			db, err := sql.Open("pgx", p.dsn[0]+"&user=nobody")
			return &single{db}, err
		}),
	}
	all[2].exact = true
	chosen, err := named(contenders(), strings.Join([]string{plain, "naive", byHand, textbook, both, both + " statement", decided}, ","))
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, chosen...)
	b := &bench{contenders: all, rounds: 2, turn: 150 * time.Millisecond}
	if b.world, err = newWorld(2); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.world.close(); err != nil {
			t.Error(err)
		}
	}()
	cells, err := planned(false, "update,insert,tpcb,ten", "0", "2")
	if err != nil {
		t.Fatal(err)
	}
	cells[1].delay = 300 * time.Microsecond
	run, err := b.run(t.Context(), cells)
	if err != nil {
		t.Fatal(err)
	}
	for i := range run.Cells {
		cell := &run.Cells[i]
		computed := map[string]string{"insert": " but for id, at", "tpcb": " but for mtime"}[cell.Workload]
		boast := map[string]string{"update": "equal", "insert": "DIFFERENT in entry", "tpcb": "DIFFERENT in pgbench_history", "ten": "equal"}[cell.Workload]
		for name, want := range map[string]string{
			"forgetful": "WRONG: side 2 ", "idle": "WRONG: side 1 ", "boastful": boast, plain: "one database",
			"naive": "equal" + computed, byHand: "equal" + computed, textbook: "equal" + computed, both + " statement": "equal" + computed,
			both: "equal", decided: "equal",
		} {
			e := cell.Entry(name)
			if e == nil {
				t.Fatalf("%s: no %s", cell.Workload, name)
			}
			exact := want == "equal" || strings.HasPrefix(want, "equal but")
			if exact && e.Sides != want || !strings.HasPrefix(e.Sides, want) || e.Wrong != (strings.ToUpper(want[:5]) == want[:5]) || e.Errors > 0 {
				t.Errorf("%s, %s: %q, wrong %v, %d errors %s; want %q", cell.Workload, name, e.Sides, e.Wrong, e.Errors, e.FirstError, want)
			}
			if e.P50 > e.P99 || name != "idle" && e.P50 <= 2*cell.Delay {
				t.Errorf("%s, %s: p50 %v, p99 %v", cell.Workload, name, e.P50, e.P99)
			}
		}
		if e := cell.Entry("refused"); e != nil {
			t.Errorf("%s: %+v", cell.Workload, e)
		}
	}
	if len(run.Delays) != 2 || run.Delays[1].RoundTrip < 600*time.Microsecond || run.Machine.Sync == 0 || run.Machine.PostgreSQL == "" {
		t.Errorf("%+v %+v", run.Delays, run.Machine)
	}
}
