package dualsql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
)

// crashRow is one place at which a process dies, and the end that its second transaction then comes to.
type crashRow struct {
	point              string
	marker, besteffort string          // where it is found
	reported           dualsql.Outcome // what besteffort reports it as; zero: nothing
}

func (row crashRow) run(t *testing.T) {
	t.Run(row.point, func(t *testing.T) {
		on{}.each(t, func(t *testing.T, w *world) {
			told := w.crash(crash{at: row.point + "#2"})
			if told[1] != dualsql.Committed {
				t.Fatalf("the child was told %v", told)
			}
			n, r := w.recover()
			w.kept(told)
			if w.protocol == dualsql.BestEffort {
				w.is(2, row.besteffort)
				if row.reported != 0 {
					w.reported(n, row.reported)
				} else {
					w.pending(n)
				}
				return
			}
			w.is(2, row.marker)
			w.pending(n)
			for _, txid := range append(r.Committed, r.RolledBack...) {
				want := dualsql.RolledBack
				if row.marker == both {
					want = dualsql.Committed
				}
				if got, err := n.c.Outcome(context.Background(), txid); got != want || err != nil {
					t.Errorf("Outcome = %q, %v, want %q", got, err, want)
				}
			}
			w.is(w.writes(n, 3)-1, both)
		})
	})
}

func TestSurvive03CrashBeforeIntent(t *testing.T) {
	crashRow{point: "barrier", marker: neither, besteffort: neither}.run(t)
}

func TestSurvive06CrashBeforeDecision(t *testing.T) {
	crashRow{point: "intent", marker: neither, besteffort: neither, reported: dualsql.InDoubt}.run(t)
}

func TestSurvive12CrashAfterDecision(t *testing.T) {
	for _, row := range []crashRow{
		{point: "decided", marker: both, besteffort: primaryOnly, reported: dualsql.HalfDone},
		{point: "finished", marker: both, besteffort: both, reported: dualsql.HalfDone},
		{point: "ended", marker: both, besteffort: both},
	} {
		row.run(t)
	}
}

// Many commits are under way when the process dies, each at a place of its own.
func TestSurvive12CrashUnderLoad(t *testing.T) {
	on{protocols: underMarker, options: "lock_timeout=200ms"}.each(t, func(t *testing.T, w *world) {
		seed := uint64(time.Now().UnixNano())
		rnd := rand.New(rand.NewPCG(seed, 0))
		points := []string{"barrier", "intent", "decided", "finished", "ended"}
		c := crash{at: fmt.Sprintf("%s#%d", points[rnd.IntN(len(points))], 1+rnd.IntN(20)), writes: 20, workers: 4}
		t.Logf("seed %d: crash at %s", seed, c.at)
		told := w.crash(c)
		n, _ := w.recover()
		w.settled(n)
		w.kept(told)
		w.same()
	})
}

func TestSurvive16CrashInRecovery(t *testing.T) {
	for _, c := range []struct {
		first, second string // where the writer dies, and the first recovery
		end           string
	}{
		{"intent", "fenced", neither},
		{"intent", "ended", neither},
		{"decided", "fenced", both},
		{"decided", "redo", both},
		{"decided", "redo run", both},
		{"decided", "redo finished", both},
		{"decided", "ended", both},
		{"finished", "redo", both},
	} {
		t.Run(c.first+", "+c.second, func(t *testing.T) {
			on{protocols: underMarker}.each(t, func(t *testing.T, w *world) {
				told := w.crash(crash{at: c.first + "#2"})
				w.crashRecovery(c.second)
				n, _ := w.recover()
				w.pending(n)
				w.kept(told)
				w.is(2, c.end)
				w.is(w.writes(n, 3)-1, both)
			})
		})
	}
}

func TestSurvive17RedoMeetsChangedRows(t *testing.T) {
	for _, c := range []struct{ name, change, mend string }{
		{"row is gone", "delete from account", "insert into account values (1, 1)"},
		{"row is there already", "insert into entry values (2, 'theirs')", "delete from entry where v = 'theirs'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			on{protocols: underMarker, options: "commit_timeout=1s"}.each(t, func(t *testing.T, w *world) {
				w.crash(crash{at: "decided#2"})
				w.exec(secondary, c.change)
				changed := w.rows(secondary, "entry")
				n, _ := w.recover()
				p := w.pending(n, dualsql.HalfDone)[0]
				if p.Problem == "" {
					t.Error("nothing is said of why it cannot be ended")
				}
				if got := w.rows(secondary, "entry"); fmt.Sprint(got) != fmt.Sprint(changed) {
					t.Errorf("the secondary had %q, and now has %q", changed, got)
				}
				held(t, write(n.DB, 3))
				w.close(n)

				// The sweep at the start must leave the marker that is still asked for, however old it is.
				for side := range w.raw {
					w.exec(side, "update "+w.markers(side)+" set at = '2000-01-01 00:00:00'")
				}
				n, _ = w.recover()
				w.pending(n, dualsql.HalfDone)
				w.exec(secondary, c.mend)
				r, err := n.c.Recover(context.Background())
				if err != nil || len(r.Committed) != 1 || r.Committed[0] != p.TxID {
					t.Errorf("Recover = %+v, %v, want %s committed", r, err, p.TxID)
				}
				w.is(2, both)
				w.is(w.writes(n, 4)-1, both)
			})
		})
	}
}

func TestSurvive22JournalLost(t *testing.T) {
	on{protocols: underMarker}.each(t, func(t *testing.T, w *world) {
		w.crash(crash{at: "decided#2"})
		if err := os.RemoveAll(w.journal); err != nil {
			t.Fatal(err)
		}
		n, _ := w.recover()
		w.is(2, primaryOnly)
		w.reported(n, dualsql.HalfDone)
		// By hand:
		w.exec(secondary, "insert into entry values (2, 'written')")
		w.exec(secondary, "insert into log values ('2')")
		w.exec(secondary, "update account set n = n + 1")
		n, _ = w.recover()
		w.is(w.writes(n, 3)-1, both)
	})
}
