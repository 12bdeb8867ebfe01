package dualsql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		_, err = db.Exec("insert into log values ('theirs')")
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
	on{protocols: underMarker}.each(t, func(t *testing.T, w *world) {
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
	})
}

// A crash after many transactions: what has been collected was not asked for any more, and what is asked for is there.
func TestSurvive21CrashAmongCollections(t *testing.T) {
	on{protocols: underMarker, options: "lock_timeout=200ms"}.each(t, func(t *testing.T, w *world) {
		told := w.crash(crash{at: "decided#400", writes: 150, workers: 4})
		n, _ := w.recover()
		w.settled(n)
		w.kept(told)
		w.same()
	})
}

func TestSurvive27SecondWriter(t *testing.T) {
	on{protocols: underMarker}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		own := *w
		own.journal = filepath.Join(t.TempDir(), "journal")
		for _, c := range []struct {
			other *world
			says  []string
		}{
			{w, []string{"journal:", w.journal, fmt.Sprint(os.Getpid())}},
			{&own, []string{"pair:", "another process", "one process at a time"}},
		} {
			got := chaos.Child(t, "survive second writer", "PAIR="+c.other.DSN()).WaitLine(t, "")
			for _, want := range append(c.says, "refused:") {
				if !strings.Contains(got, want) {
					t.Errorf("the second process is told %q, which does not say %q", got, want)
				}
			}
		}
		w.is(w.writes(n, 1)-1, both)
		w.close(n)
		w.eventually("another process may write", func() bool {
			return chaos.Child(t, "survive second writer", "PAIR="+own.DSN()).WaitLine(t, "") == "written"
		})
	})
}
