package dualsql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
)

// A crashRow is a place at which a process dies in its second commit. Another recovers, and the transaction is found where the
// row says; "": the protocol does not pass there.
type crashRow struct {
	number                       int // of the row of "What must survive"
	point                        string
	twoPhase, marker, besteffort string
	reported                     dualsql.Outcome // by besteffort; zero: nothing
}

var crashTable = []crashRow{
	//                2pc      marker   besteffort   which reports
	{3, atStatements, neither, neither, neither, 0},
	{3, "barrier", neither, neither, neither, 0},
	{6, "prepared", neither, "", "", 0},
	{6, "intent", neither, neither, neither, dualsql.InDoubt},
	{12, "decided", both, both, primaryOnly, dualsql.HalfDone},
	{12, "finished", both, both, both, dualsql.HalfDone},
	{12, "ended", both, both, both, 0},
}

func (row crashRow) end(p dualsql.Protocol) string {
	switch p {
	case dualsql.TwoPhase:
		return row.twoPhase
	case dualsql.Marker:
		return row.marker
	}
	return row.besteffort
}

func TestSurvive03CrashBeforeIntent(t *testing.T)   { crashRows(t, 3, on{}) }
func TestSurvive06CrashBeforeDecision(t *testing.T) { crashRows(t, 6, on{}) }
func TestSurvive12CrashAfterDecision(t *testing.T)  { crashRows(t, 12, on{}) }

func crashRows(t *testing.T, number int, at on) {
	for _, row := range crashTable {
		if row.number == number {
			row.run(t, at)
		}
	}
}

func (row crashRow) run(t *testing.T, at on) {
	if row.marker == "" {
		at.protocols = underTwoPhase
	}
	t.Run(row.point, func(t *testing.T) {
		at.each(t, func(t *testing.T, w *world) {
			told := w.crash(crash{at: row.point + "#2"})
			if told[1] != dualsql.Committed {
				t.Fatalf("the child was told %v", told)
			}
			n, r := w.recover()
			w.kept(told)
			w.is(2, row.end(w.protocol))
			if w.protocol == dualsql.BestEffort {
				if row.reported != 0 {
					w.reported(n, row.reported)
				} else {
					w.pending(n)
				}
				return
			}
			w.pending(n)
			for _, txid := range append(r.Committed, r.RolledBack...) {
				want := dualsql.RolledBack
				if row.end(w.protocol) == both {
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

// Many commits are under way when the process dies, each at a place of its own. Under 2pc any process may recover.
func TestSurvive12CrashUnderLoad(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		at := on{protocols: mending, options: "lock_timeout=200ms"}
		name := "its own journal"
		if !own {
			at.protocols, name = underTwoPhase, "another journal"
		}
		t.Run(name, func(t *testing.T) {
			at.each(t, func(t *testing.T, w *world) {
				seed := uint64(time.Now().UnixNano())
				rnd := rand.New(rand.NewPCG(seed, 0))
				points := points(w.protocol)
				c := crash{at: fmt.Sprintf("%s#%d", points[rnd.IntN(len(points))], 1+rnd.IntN(20)), writes: 20, workers: 4}
				t.Logf("seed %d: crash at %s", seed, c.at)
				told := w.crash(c)
				if !own {
					w = w.another(w.options + " orphan_age=100ms")
				}
				n, _ := w.recover()
				w.settled(n)
				w.nothingPrepared()
				w.kept(told)
				w.same()
			})
		})
	}
}
