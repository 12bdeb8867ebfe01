package dualsql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
)

// hand ends what is prepared, as an operator would.
func (w *world) hand(verb string) {
	w.Helper()
	var gid string
	if err := w.raw[w.follows].QueryRow("select gid from pg_prepared_xacts where database = current_database()").Scan(&gid); err != nil {
		w.Fatal(err)
	}
	w.exec(w.follows, verb+" prepared '"+gid+"'")
}

// handAt has it ended by hand when a commit first passes a point.
func (w *world) handAt(n *node, point, verb string) {
	done := false
	n.c.AtCrashpoints(w, func(name string) {
		if name == point && !done {
			done = true
			w.hand(verb)
		}
	})
}

// byHand does on one side what transaction id has done on the other, or undoes it.
func (w *world) byHand(side, id int, undo bool) {
	w.Helper()
	if undo {
		w.exec(side, fmt.Sprintf("delete from entry where id = %d", id))
		w.exec(side, fmt.Sprintf("delete from log where v = '%d'", id))
		w.exec(side, "update account set n = n - 1")
		return
	}
	w.exec(side, fmt.Sprintf("insert into entry values (%d, 'written')", id))
	w.exec(side, fmt.Sprintf("insert into log values ('%d')", id))
	w.exec(side, "update account set n = n + 1")
}

func TestSurvive15RolledBackByHand(t *testing.T) {
	t.Parallel()
	t.Run("its owner lives", func(t *testing.T) {
		on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
			n := w.openWarm()
			w.handAt(n, "decided", "rollback")
			err := write(n.DB, 1)
			w.told(err, dualsql.HalfDone)
			if !strings.Contains(err.Error(), "rolled back by hand") {
				t.Errorf("%v does not say why", err)
			}
			w.ended(n, 1, dualsql.HalfDone, "rolled back by hand")
		})
	})
	t.Run("its owner is dead", func(t *testing.T) {
		on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
			w.crash(crash{at: "decided#2"})
			w.hand("rollback")
			n, _ := w.recover()
			w.ended(n, 2, dualsql.HalfDone, "rolled back by hand")
		})
	})
}

func TestSurvive15CommittedByHand(t *testing.T) {
	t.Parallel()
	t.Run("its owner lives", func(t *testing.T) {
		on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
			w.deferring(w.decides)
			w.constrain(w.decides)
			n := w.openWarm()
			w.handAt(n, "prepared", "commit")
			w.told(write(n.DB, 1, "insert into child values (99)"), dualsql.RolledBack)
			w.exec(w.follows, "delete from child")
			w.ended(n, 1, dualsql.InDoubt, "committed by hand")
		})
	})
	t.Run("its owner is dead", func(t *testing.T) {
		on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
			w.crash(crash{at: "prepared#2"})
			w.hand("commit")
			n, _ := w.recover()
			w.ended(n, 2, dualsql.InDoubt, "committed by hand")
		})
	})
}

// ended is what comes of transaction id, which a hand has ended against the decision: it is reported with the reason until an
// operator has made the sides equal, and holds nothing up.
func (w *world) ended(n *node, id int, state dualsql.Outcome, why string) {
	w.Helper()
	place := map[int]string{primary: primaryOnly, secondary: secondaryOnly}
	committed := w.decides
	if strings.HasPrefix(why, "committed") {
		committed = w.follows
	}
	w.is(id, place[committed])
	if p := w.pending(n, state)[0]; !strings.Contains(p.Problem, why) || !strings.Contains(p.Problem, sideName(w.follows)) {
		w.Errorf("the problem is %q, which does not say %q", p.Problem, why)
	}
	if got := w.where(w.writes(n, 5) - 1); got != both {
		w.Errorf("a later transaction is on %s", got)
	}
	w.reported(n, state)
	w.byHand(w.follows, id, committed == w.follows)
	if w.carriesRows() { // a later write has brought the secondary the primary's number, which was one off
		w.exec(secondary, fmt.Sprintf("update account set n = %d", w.count(primary, "select n from account")))
	}
	w.same()
}
