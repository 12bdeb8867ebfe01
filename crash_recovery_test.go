package dualsql_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/dualsql/dualsql"
)

// crashTable16 is row 16: where the writer dies, then the recovery; and where the transaction is after another recovery.
var crashTable16 = []struct{ first, second, twoPhase, marker string }{
	//                       2pc      marker
	{"prepared", "fenced", neither, ""},
	{"prepared", "finished", neither, ""},
	{"prepared", "ended", neither, ""},
	{"intent", "fenced", neither, neither},
	{"intent", "ended", neither, neither},
	{"decided", "fenced", both, both},
	{"decided", "redo", "", both},
	{"decided", "redo run", "", both},
	{"decided", "redo finished", "", both},
	{"decided", "finished", both, ""},
	{"decided", "ended", both, both},
	{"finished", "redo", "", both},
	{"finished", "finished", both, ""},
}

func TestSurvive16CrashInRecovery(t *testing.T) {
	t.Parallel()
	for _, row := range crashTable16 {
		for protocol, end := range map[dualsql.Protocol]string{dualsql.TwoPhase: row.twoPhase, dualsql.Marker: row.marker} {
			if end == "" {
				continue
			}
			t.Run(row.first+", "+row.second, func(t *testing.T) {
				on{protocols: []dualsql.Protocol{protocol}}.each(t, func(t *testing.T, w *world) {
					told := w.crash(crash{at: row.first + "#2"})
					w.crashRecovery(row.second)
					n, _ := w.recover()
					w.pending(n)
					w.kept(told)
					w.is(2, end)
					w.is(w.writes(n, 3)-1, both)
				})
			})
		}
	}
}

// The recovery that dies is another process's, and so is the one that ends it: nobody has the writer's journal.
func TestSurvive16CrashInSweep(t *testing.T) {
	t.Parallel()
	for _, row := range crashTable16 {
		if row.twoPhase == "" || row.first == "finished" || row.second == "ended" {
			continue // nothing is prepared any more, or it has no entry to end
		}
		t.Run(row.first+", "+row.second, func(t *testing.T) {
			on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
				told := w.crash(crash{at: row.first + "#2"})
				w.another("orphan_age=1ms").crashRecovery(row.second)
				w = w.another("orphan_age=1ms")
				n, _ := w.recover()
				w.nothingPrepared()
				w.pending(n)
				w.kept(told)
				w.is(2, row.twoPhase)
				w.is(w.writes(n, 3)-1, both)
			})
		})
	}
}

func TestSurvive17RedoMeetsChangedRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, change, mend string }{
		{"row is gone", "delete from account", "insert into account values (1, 1)"},
		{"row is there already", "insert into entry values (2, 'theirs')", "delete from entry where v = 'theirs'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			on{protocols: underMarker, options: "commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
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
	t.Parallel()
	on{protocols: underMarker}.each(t, func(t *testing.T, w *world) {
		w.crash(crash{at: "decided#2"})
		if err := os.RemoveAll(w.journal); err != nil {
			t.Fatal(err)
		}
		n, _ := w.recover()
		w.is(2, primaryOnly)
		w.reported(n, dualsql.HalfDone)
		w.byHand(secondary, 2, false)
		n, _ = w.recover()
		w.is(w.writes(n, 3)-1, both)
	})
}

// Under 2pc nothing is lost with the journal: the transaction ends as it does with it, a little later.
func TestSurvive22JournalLostUnderTwoPhase(t *testing.T) {
	t.Parallel()
	for _, row := range crashTable {
		if row.number == 3 {
			continue
		}
		t.Run(row.point, func(t *testing.T) {
			on{protocols: underTwoPhase, options: "orphan_age=300ms"}.each(t, func(t *testing.T, w *world) {
				told := w.crash(crash{at: row.point + "#2"})
				w = w.another(w.options)
				n, _ := w.recover()
				w.nothingPrepared()
				w.pending(n)
				w.kept(told)
				w.is(2, row.twoPhase)
				w.is(w.writes(n, 3)-1, both)
			})
		})
	}
}
