package dualsql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	mssql "github.com/microsoft/go-mssqldb"
)

func TestSurvive18TwoRecoverAtOnce(t *testing.T) {
	t.Parallel()
	on{protocols: mending, options: "lock_timeout=200ms"}.each(t, func(t *testing.T, w *world) {
		told := w.crash(crash{at: "decided#5", writes: 20, workers: 4})
		a, b := w.open(), w.open()
		w.eventually("recovery can begin", func() bool {
			_, err := a.c.Recover(context.Background())
			return err == nil
		})
		var wg sync.WaitGroup
		for _, n := range []*node{a, b, a, b} {
			wg.Go(func() {
				for range 5 {
					if _, err := n.c.Recover(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		w.pending(a)
		w.kept(told)
		w.same()
		w.is(w.writes(b, 9000)-1, both)
	})
}

// Of two that recover, one stops before its redo; the other ends the transaction, and enough follow that the markers are
// collected. The first must not repeat what has ended.
func TestSurvive18OneRecoversLate(t *testing.T) {
	t.Parallel()
	on{protocols: underMarker, options: "commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
		w.deferring(secondary)
		w.constrain(secondary)
		n := w.openWarm()
		var first atomic.Bool
		late, goOn := make(chan struct{}), make(chan struct{})
		w.told(write(n.DB, 1, "insert into child values (99)"), dualsql.HalfDone)
		n.c.AtCrashpoints(t, func(name string) {
			// The resolver goes on: it collects markers.
			if name == "fenced" && !bytes.Contains(debug.Stack(), []byte(").resolve(")) && first.CompareAndSwap(false, true) {
				close(late)
				<-goOn
			}
		})
		done := make(chan error)
		go func() { done <- only(n.c.Recover(context.Background())) }()
		<-late
		for side := range w.raw {
			w.exec(side, "insert into parent values (99)")
		}
		// Either another ends it meanwhile, or all wait for the late one.
		var err error
		for range collected {
			if _, err = n.Exec("update account set n = n"); err != nil {
				held(t, err)
				break
			}
		}
		if err == nil {
			w.collected()
		}
		close(goOn)
		if err := <-done; err != nil {
			t.Error(err)
		}
		w.settled(n)
		w.is(1, both)
	})
}

// fence is what a recovery of another process does first.
func (w *world) fence(side int, txid string) {
	w.Helper()
	text := fmt.Sprintf("insert into %s (txid, state, journal) values ('%s', 'A', '%s')", w.markers(side), txid, txid)
	if w.engines[side] != "sqlserver" {
		w.exec(side, text+" on conflict do nothing")
		return
	}
	var refused mssql.Error
	if _, err := w.raw[side].Exec(text); err != nil && (!errors.As(err, &refused) || refused.Number != 2627) {
		w.Fatal(err)
	}
}

func TestSurvive19FenceMeetsLiveOwner(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		action chaos.Action
		told   dualsql.Outcome
		end    string
	}{
		{"before its COMMIT", chaos.HoldRequest, dualsql.RolledBack, neither},
		{"after its COMMIT", chaos.HoldReply, dualsql.Committed, both},
	} {
		t.Run(c.name, func(t *testing.T) {
			on{decides: server, protocols: mending}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(w.decides)
				n := w.openWarm()
				rule, txid := w.hold(proxy, 1, isCommit, c.action)
				result := n.writing(1)
				w.fence(w.decides, txid())
				rule.Release()
				w.result(result, c.told)
				w.is(1, c.end)
				w.pending(n)
				w.is(w.writes(n, 2)-1, both)
			})
		})
	}
}

// The owner's process is dead, but its COMMIT is still on its way, and comes after the recovery.
func TestSurvive20LateDecision(t *testing.T) {
	t.Parallel()
	on{decides: server, protocols: mending}.each(t, func(t *testing.T, w *world) {
		rule, txid := w.hold(w.behind(w.decides), 2, isCommit, chaos.HoldRequest)
		p := w.writer(crash{})
		txid()
		p.Kill()
		n, r := w.recover()
		if len(r.RolledBack) != 1 {
			t.Errorf("Recover = %+v, want one rolled back", r)
		}
		w.close(n)
		rule.Release()
		w.alone(w.decides)
		w.is(1, both)
		w.is(2, neither)
		n, _ = w.recover()
		w.is(w.writes(n, 2)-1, both)
	})
}

func TestSurvive20LateSecondCommit(t *testing.T) {
	t.Parallel()
	on{follows: server, protocols: mending, options: "lock_timeout=200ms"}.each(t, func(t *testing.T, w *world) {
		rule, txid := w.hold(w.behind(w.follows), 2, w.isSecond(), chaos.HoldRequest)
		p := w.writer(crash{})
		txid()
		p.Kill()
		n, _ := w.recover()
		rule.Release()
		w.settled(n)
		w.is(2, both)
		w.close(n)
		w.alone(w.follows)
		w.is(2, both)
	})
}

// As before, but nothing in the tables stands in the way of doing it twice, and by the time that the COMMIT comes its
// transaction has long been ended, and the markers of that time collected.
func TestSurvive20SecondCommitAfterCollection(t *testing.T) {
	t.Parallel()
	on{follows: server, protocols: mending, options: "commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(w.follows)
		n := w.openWarm()
		const logged = "insert into log values ('late')"
		rule, txid := w.hold(proxy, 1, w.isSecond(), chaos.HoldRequest)
		_, err := n.Exec(logged)
		txid()
		w.told(err, dualsql.HalfDone)
		w.settled(n)
		w.loggedOnce(n, rule)
	})
}

// loggedOnce lets go of a late second COMMIT when the markers of its time are collected: its log entry, and the first write's, are there
// once.
func (w *world) loggedOnce(n *node, late *chaos.Rule) {
	w.Helper()
	for range collected {
		if _, err := n.Exec("update account set n = n"); err != nil {
			w.Fatal(err)
		}
	}
	w.collected()
	w.close(n)
	late.Release()
	w.alone(w.follows)
	if p, s := w.rows(primary, "log"), w.rows(secondary, "log"); len(p) != 2 || len(s) != 2 {
		w.Errorf("log has %q on the primary, %q on the secondary", p, s)
	}
}

// collected is a number of transactions after which some markers are deleted.
const collected = 300

// collected waits until that has been done.
func (w *world) collected() {
	w.Helper()
	for side := range w.raw {
		w.eventually("markers are collected", func() bool {
			return w.count(side, "select count(*) from "+w.markers(side)) < collected
		})
	}
}

// The same of one that the commit itself has redone, at once: it cannot know that it has committed before the markers go.
func TestSurvive20LateSecondCommitRedone(t *testing.T) {
	t.Parallel()
	on{follows: server, protocols: underMarker}.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(w.follows)
		n := w.openWarm()
		rule := proxy.OnRequest(w.isSecond(), chaos.LateRequest)
		_, err := n.Exec("insert into log values ('late')")
		w.told(err, dualsql.Committed)
		w.loggedOnce(n, rule)
	})
}
