package dualsql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/wal"
)

func init() { chaos.Register("survive second writer", childWritesOnce) }

// childWritesOnce says what one write comes to.
func childWritesOnce() int {
	db, err := sql.Open(dualsql.Name, os.Getenv("PAIR"))
	if err == nil {
		_, err = db.Exec("insert into parent select coalesce(max(id), 0) + 1 from parent")
		db.Close()
	}
	var locked *wal.LockedError
	switch {
	case err == nil:
		fmt.Println("written")
	case errors.As(err, &locked):
		fmt.Println("refused: journal:", err)
	default:
		fmt.Println("refused: pair:", err)
	}
	return 0
}

func TestSurvive21MarkersCollected(t *testing.T) {
	t.Parallel()
	on{protocols: mending}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		const workers, each = 4, 175
		var wg sync.WaitGroup
		for worker := range workers {
			wg.Go(func() {
				for i := range each {
					if _, err := n.Exec("insert into parent values (?)", worker*each+i); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		w.collected()
		w.same()
		w.close(n)
		for side := range w.raw {
			if got := w.count(side, "select count(*) from "+w.markers(side)); got != 0 {
				t.Errorf("an orderly end leaves %d markers on side %d", got, side)
			}
		}
	})
}

// A transaction's marker is asked for until both sides have it.
func TestSurvive21NotCollectedBeforeTheSecondCommit(t *testing.T) {
	t.Parallel()
	on{protocols: mending, follows: server}.each(t, func(t *testing.T, w *world) {
		rule, txid := w.hold(w.behind(w.follows), 2, w.isSecond(), chaos.HoldRequest)
		n := w.openWarm()
		result := n.writing(1)
		txid()
		if len(n.c.Collectable()) != 1 {
			t.Errorf("%d transactions may be forgotten, of which the first is the one that both sides have", len(n.c.Collectable()))
		}
		rule.Release()
		w.result(result, dualsql.Committed)
		if len(n.c.Collectable()) != 2 {
			t.Errorf("%d transactions may be forgotten, of the two that both sides have", len(n.c.Collectable()))
		}
	})
}

// A crash after many transactions: what has been collected was not asked for any more, and what is asked for is there.
func TestSurvive21CrashAmongCollections(t *testing.T) {
	t.Parallel()
	on{protocols: mending, options: "lock_timeout=200ms"}.each(t, func(t *testing.T, w *world) {
		told := w.crash(crash{at: "decided#400", writes: 150, workers: 4})
		n, _ := w.recover()
		w.settled(n)
		w.kept(told)
		w.same()
	})
}

// secondWriter is what another process is told that writes to the pair.
func (w *world) secondWriter() string {
	w.Helper()
	return chaos.Child(w, "survive second writer", "PAIR="+w.DSN()).WaitLine(w, "")
}

func (w *world) refuses(got string, says ...string) {
	w.Helper()
	for _, want := range append(says, "refused:") {
		if !strings.Contains(got, want) {
			w.Errorf("the second process is told %q, which does not say %q", got, want)
		}
	}
}

func TestSurvive27SecondWriter(t *testing.T) {
	t.Parallel()
	on{protocols: mending}.each(t, func(t *testing.T, w *world) {
		n, own := w.openWarm(), w.another("")
		w.refuses(w.secondWriter(), "journal:", w.journal, fmt.Sprint(os.Getpid()))
		got := own.secondWriter()
		if w.protocol == dualsql.TwoPhase {
			if got != "written" {
				t.Errorf("under 2pc the second process is told %q", got)
			}
		} else {
			w.refuses(got, "pair:", "another process", "one process at a time")
		}
		w.is(w.writes(n, 1)-1, both)
		w.close(n)
		w.eventually("another process may write", func() bool { return own.secondWriter() == "written" })
	})
}

// Processes that take the pair for one writer's and processes that do not keep each other out.
func TestSurvive27SecondWriterUnderAnotherProtocol(t *testing.T) {
	t.Parallel()
	on{protocols: mending}.each(t, func(t *testing.T, w *world) {
		other := w.another("")
		other.protocol = dualsql.Marker
		if w.protocol == dualsql.Marker {
			if other.protocol = dualsql.TwoPhase; !runs(w.engines, other.protocol) {
				t.Skip("the pair has no other")
			}
		}
		n := w.openWarm()
		w.refuses(other.secondWriter(), "pair:", "another process is the pair's writer")
		w.is(w.writes(n, 1)-1, both)
		w.close(n)
		w.eventually("another process may write", func() bool { return other.secondWriter() == "written" })
	})
}
