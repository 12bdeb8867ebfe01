package dualsql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// Several processes, each with a journal of its own, come upon what a dead one has left, all at once.
func TestSurvive18ProcessesRecoverAtOnce(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
		told := w.crash(crash{at: "decided#5", writes: 20, workers: 4})
		others := []*chaos.Process{w.recoverer("")} // one has the dead one's journal
		for range 2 {
			others = append(others, w.another("orphan_age=1ms").recoverer(""))
		}
		for _, p := range others {
			if state := p.Wait(t); !state.Success() {
				t.Errorf("a recovery has ended with %s: %s", state, p.Stderr())
			}
		}
		w.nothingPrepared()
		n, _ := w.recover()
		w.pending(n)
		w.kept(told)
		w.same()
		w.is(w.writes(n, 9000)-1, both)
	})
}

// A process that takes everybody for dead at once sweeps beside owners that are alive: whatever they are told is true.
func TestSurvive19SweepBesideLiveOwners(t *testing.T) {
	t.Parallel()
	for _, ack := range []string{"both", "decided"} {
		at := on{protocols: underTwoPhase, options: "lock_timeout=1s ack=" + ack}
		if ack == "decided" {
			at.secondary = "postgres"
		}
		t.Run(ack, func(t *testing.T) {
			at.each(t, func(t *testing.T, w *world) {
				n, other := w.openWarm(), w.another("orphan_age=1ns lock_timeout=1s").open()
				stop := make(chan struct{})
				var sweeping sync.WaitGroup
				sweeping.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						if _, err := other.c.Recover(context.Background()); err != nil {
							t.Error(err)
							return
						}
					}
				})
				told := w.load(n, 4, 25)
				close(stop)
				sweeping.Wait()
				w.settled(n)
				w.settled(other)
				w.nothingPrepared()
				counts := map[dualsql.Outcome]int{}
				for id, outcome := range told {
					counts[outcome]++
					if outcome == dualsql.Committed {
						w.is(id, both)
					}
				}
				w.kept(told)
				w.same()
				t.Logf("%v", counts)
				if counts[dualsql.Committed] == 0 {
					t.Error("no owner has got anywhere")
				}
			})
		})
	}
}

// load runs writes in each of some workers and returns what they were told. Between two they do some other things, for a time
// of their own, so that the sweeps meet them at all places.
func (w *world) load(n *node, workers, writes int) map[int]dualsql.Outcome {
	seed := uint64(time.Now().UnixNano())
	w.Logf("seed %d", seed)
	var mu sync.Mutex
	told := map[int]dualsql.Outcome{}
	var wg sync.WaitGroup
	for worker := range workers {
		rnd := rand.New(rand.NewPCG(seed, uint64(worker)))
		wg.Go(func() {
			for i := range writes {
				id := worker*1000 + i + 1
				err := write(n.DB, id)
				mu.Lock()
				told[id] = outcomeOf(err)
				mu.Unlock()
				for range rnd.IntN(3) {
					var count int
					if err := n.QueryRow("select count(*) from entry").Scan(&count); err != nil {
						w.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	return told
}

// The owner is slow, not dead: what it has prepared is older than orphan_age, another process has swept it, and then its COMMIT
// comes.
func TestSurvive20SweptOwner(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, decides: server}.each(t, func(t *testing.T, w *world) {
		other := w.another("orphan_age=100ms").open()
		rule, txid := w.hold(w.behind(w.decides), 2, isCommit, chaos.HoldRequest)
		n := w.openWarm()
		result := n.writing(1)
		txid()
		if _, err := other.c.Recover(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.nothingPrepared()
		rule.Release()
		if err := w.result(result, dualsql.RolledBack); !strings.Contains(err.Error(), "recovery took the transaction for dead") {
			t.Errorf("%v does not say why", err)
		}
		w.is(1, neither)
		w.pending(n)
		w.pending(other)
		w.is(w.writes(n, 2)-1, both)
	})
}

// An owner on SQLite has the write lock when it prepares: a sweep has to wait for it, and then finds it committed.
func TestSurvive20SweepWaitsForOwner(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, decides: "sqlite"}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		impatient := w.another("orphan_age=1ms lock_timeout=100ms")
		impatient.dsn[w.decides] = strings.Replace(w.dsn[w.decides], url.QueryEscape("busy_timeout(10000)"), url.QueryEscape("busy_timeout(100)"), 1)
		other, _ := impatient.recover()
		met := false
		n.c.AtCrashpoints(t, func(name string) {
			if name != "intent" || met {
				return
			}
			met = true
			var r dualsql.Recovery
			var err error
			w.eventually("it is old enough to be found", func() bool {
				r, err = other.c.Recover(context.Background())
				return err != nil || len(r.Pending) > 0
			})
			if err != nil || len(r.Pending) != 1 || r.Pending[0].Problem == "" {
				t.Errorf("Recover beside a live owner: %+v, %v, want it pending with its problem", r, err)
			}
		})
		w.told(write(n.DB, 1), dualsql.Committed)
		w.is(1, both)
		w.settled(other)
		w.is(w.writes(other, 2)-1, both)
	})
}

// The same of one that lists what is prepared, and then is held up while the owner finishes and its markers are collected: on
// the side that decides, or on both.
func TestSurvive21SweepWithOldList(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprint("collected on both sides: ", whole), func(t *testing.T) {
			on{protocols: underTwoPhase, decides: server}.each(t, func(t *testing.T, w *world) {
				late := w.another("orphan_age=1ms")
				fence := late.behind(w.decides).OnRequest(isFence, chaos.HoldRequest)
				other := late.open()
				proxy := w.behind(w.follows)
				n := w.openWarm()
				second, txid := w.hold(proxy, 1, w.isSecond(), chaos.HoldRequest)
				deletion := proxy.OnRequest(isCollection, chaos.HoldRequest)
				if whole {
					proxy.Remove(deletion)
				}
				result := n.writing(1)
				txid()
				recovered := make(chan error, 1)
				go func() { recovered <- only(other.c.Recover(context.Background())) }()
				w.fired(fence)
				second.Release()
				w.result(result, dualsql.Committed)
				closed := make(chan error, 1)
				go func() { closed <- n.Close() }() // it collects
				if !whole {
					w.fired(deletion)
				} else if err := <-closed; err != nil {
					t.Error(err)
				}
				if got := w.count(w.decides, "select count(*) from "+w.markers(w.decides)+" where state = 'C'"); got != 0 {
					t.Errorf("%d markers are left on the side that decides", got)
				}
				fence.Release()
				if err := <-recovered; err != nil {
					t.Error(err)
				}
				w.pending(other)
				deletion.Release()
				if !whole {
					if err := <-closed; err != nil {
						t.Error(err)
					}
				}
				w.is(1, both)
				w.settled(other)
			})
		})
	}
}

// The same of one that knows already that the transaction is committed.
func TestSurvive21SweepWithOldAnswer(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
		late := w.another("orphan_age=1ms")
		finish := late.behind(w.follows).OnRequest(late.isSecond(), chaos.HoldRequest)
		other := late.open()
		proxy := w.behind(w.follows)
		n := w.openWarm()
		second, txid := w.hold(proxy, 1, w.isSecond(), chaos.HoldRequest)
		result := n.writing(1)
		txid()
		recovered := make(chan error, 1)
		go func() { recovered <- only(other.c.Recover(context.Background())) }()
		w.fired(finish)
		second.Release()
		w.result(result, dualsql.Committed)
		w.close(n) // it collects
		finish.Release()
		if err := <-recovered; err != nil {
			t.Error(err)
		}
		w.pending(other)
		w.is(1, both)
	})
}

// Owners are slow where it hurts, so that the sweep of a process that takes everybody for dead wins now and then.
func TestSurvive19SweepMeetsSlowOwners(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase, decides: "postgres", options: "lock_timeout=1s"}.each(t, func(t *testing.T, w *world) {
		n, other := w.openWarm(), w.another("orphan_age=1ns lock_timeout=100ms").open()
		if _, err := other.c.Recover(context.Background()); err != nil {
			t.Fatal(err)
		}
		n.c.AtCrashpoints(t, func(name string) {
			if slices.Contains([]string{"prepared", "intent", "decided"}, name) && rand.IntN(6) == 0 {
				if _, err := other.c.Recover(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
		told := w.load(n, 4, 25)
		w.settled(n)
		w.settled(other)
		w.nothingPrepared()
		w.kept(told)
		w.same()
		counts := map[dualsql.Outcome]int{}
		for _, outcome := range told {
			counts[outcome]++
		}
		if counts[dualsql.RolledBack] == 0 || counts[dualsql.Committed] == 0 {
			t.Errorf("the sweeps have met nobody, or have let nobody through: %v", counts)
		}
	})
}
