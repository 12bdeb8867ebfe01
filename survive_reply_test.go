package dualsql_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

func held(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, dualsql.ErrWritesHeld) {
		t.Errorf("a write that could overtake got %v, want ErrWritesHeld", err)
	}
}

func TestSurvive10DecidingReplyLost(t *testing.T) {
	t.Parallel()
	for _, l := range append(slices.Clone(lostReplies), late) {
		t.Run(l.name, func(t *testing.T) {
			on{decides: server}.each(t, func(t *testing.T, w *world) {
				if l == late && w.protocol == dualsql.BestEffort && w.engines[w.decides] == "sqlserver" {
					t.Skip("a batch whose client has gone is run to its end by SQL Server, or it is not")
				}
				proxy := w.behind(w.decides)
				n := w.openWarm()
				rule := proxy.OnRequest(isCommit, l.action)
				var cancelled <-chan struct{}
				if l == late && w.protocol == dualsql.BestEffort {
					cancelled = w.cancelled(n)
				}
				err := write(n.DB, 1)
				if cancelled != nil {
					<-cancelled
				}
				if w.protocol == dualsql.BestEffort {
					w.told(err, dualsql.InDoubt)
					rule.Release()
					switch l {
					case lostReplies[1]:
						w.eventually("the server has noticed", func() bool { return w.where(1) == neither })
					case late:
						w.eventually("it has come", func() bool { return w.where(1) == primaryOnly })
					default:
						w.is(1, primaryOnly)
					}
					w.reported(n, dualsql.InDoubt)
					return
				}
				w.concluded(err, 1, l.through)
				w.pending(n)
				rule.Release()
				w.is(w.writes(n, 2)-1, both)
			})
		})
	}
}

// The fence that asks how it ended is cut too, between its marker and its question: what has not been answered is no answer.
func TestSurvive10FenceCut(t *testing.T) {
	t.Parallel()
	for _, l := range lostReplies {
		t.Run(l.name, func(t *testing.T) {
			on{decides: server, protocols: mending}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(w.decides)
				n := w.openWarm()
				proxy.OnRequest(isCommit, l.action)
				cut := proxy.OnRequest(chaos.SQLContains("select state"), chaos.CutBefore)
				err := write(n.DB, 1)
				w.fired(cut)
				w.concluded(err, 1, l.through)
				w.pending(n)
				w.is(w.writes(n, 2)-1, both)
			})
		})
	}
}

func TestSurvive11DecidingReplyLostServerGone(t *testing.T) {
	t.Parallel()
	for _, l := range []lost{{"got through", chaos.HoldReply, true}, {"did not get through", chaos.HoldRequest, false}} {
		t.Run(l.name, func(t *testing.T) {
			on{decides: server, options: "commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(w.decides)
				n := w.openWarm()
				cutWhenHeld(proxy, l.action)
				err := write(n.DB, 1)
				var inDoubt *dualsql.InDoubtError
				if !errors.As(err, &inDoubt) {
					t.Fatalf("the caller was told %v, want an *InDoubtError", err)
				}
				if p := w.pending(n, dualsql.InDoubt)[0]; p.TxID != inDoubt.TxID {
					t.Errorf("pending is %s, the caller was told %s", p.TxID, inDoubt.TxID)
				}
				cut := proxy.OnRequest(chaos.SQLContains("select state"), chaos.CutBefore) // the resolver's first fence, half way
				proxy.Up()
				if w.protocol == dualsql.BestEffort {
					w.reported(n, dualsql.InDoubt)
					return
				}
				w.fired(cut)
				w.settled(n)
				want, place := dualsql.RolledBack, neither
				if l.through {
					want, place = dualsql.Committed, both
				}
				outcome := func() {
					t.Helper()
					if got, err := n.c.Outcome(context.Background(), inDoubt.TxID); got != want || err != nil {
						t.Errorf("Outcome = %q, %v, want %q", got, err, want)
					}
				}
				outcome()
				w.is(1, place)
				w.is(w.writes(n, 2)-1, both)
				w.close(n)
				n = w.open()
				outcome() // a restart does not forget what a caller may still ask for
			})
		})
	}
}

// While a transaction is in doubt, none may overtake it on the side that follows.
func TestSurvive11WritesHeldInDoubt(t *testing.T) {
	t.Parallel()
	on{decides: server, protocols: mending, options: "commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(w.decides)
		n := w.openWarm()
		cutWhenHeld(proxy, chaos.HoldReply)
		w.told(write(n.DB, 1), dualsql.InDoubt)
		// The way opens for the application alone: the resolver's fence stays away.
		txid := w.pending(n, dualsql.InDoubt)[0].TxID.String()
		fence := proxy.OnRequests(1000, chaos.SQLContains(txid), chaos.CutBefore)
		proxy.Up()
		w.eventually("a write reaches the gate", func() bool {
			err := write(n.DB, 2)
			if err == nil {
				t.Fatal("a write has overtaken the transaction in doubt")
			}
			return errors.Is(err, dualsql.ErrWritesHeld)
		})
		proxy.Remove(fence)
		w.settled(n)
		w.is(1, both)
		w.is(w.writes(n, 3)-1, both)
	})
}

// Under 2pc this cannot be: what would refuse it refuses PREPARE, before anything is decided.
func TestSurvive13SecondCommitRefused(t *testing.T) {
	t.Parallel()
	on{options: "commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
		w.deferring(w.follows)
		w.constrain(w.follows)
		n := w.openWarm()
		err := write(n.DB, 1, "insert into child values (99)")
		if w.protocol == dualsql.TwoPhase {
			w.refused(n, err, w.follows)
			return
		}
		var halfDone *dualsql.HalfDoneError
		if !errors.As(err, &halfDone) || halfDone.Committed != "primary" || halfDone.Pending != "secondary" {
			t.Fatalf("the caller was told %v, want a *HalfDoneError", err)
		}
		w.is(1, primaryOnly)
		w.pending(n, dualsql.HalfDone)
		if w.protocol == dualsql.BestEffort {
			w.reported(n, dualsql.HalfDone)
			return
		}
		held(t, write(n.DB, 2))
		if got := w.where(2); got != neither {
			t.Errorf("the write that was held back is on %s", got)
		}
		for side := range w.raw {
			w.exec(side, "insert into parent values (99)")
		}
		w.settled(n)
		if got, err := n.c.Outcome(context.Background(), halfDone.TxID); got != dualsql.Committed || err != nil {
			t.Errorf("Outcome = %q, %v", got, err)
		}
		w.is(1, both)
		w.is(w.writes(n, 3)-1, both)
	})
}

func TestSurvive14SecondReplyLost(t *testing.T) {
	t.Parallel()
	for _, l := range append(slices.Clone(lostReplies), late) {
		t.Run(l.name, func(t *testing.T) {
			at := on{follows: server}
			if l == late {
				at.protocols = underTwoPhase // under the others it keeps its locks until it comes: row 20
			}
			at.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(w.follows)
				n := w.openWarm()
				rule := proxy.OnRequest(w.isSecond(), l.action)
				err := write(n.DB, 1)
				if w.protocol == dualsql.BestEffort {
					w.told(err, dualsql.HalfDone)
					if l.through {
						w.is(1, both)
					} else {
						w.is(1, primaryOnly)
					}
					w.reported(n, dualsql.HalfDone)
					return
				}
				w.told(err, dualsql.Committed)
				w.is(1, both)
				w.pending(n)
				rule.Release()
				w.is(w.writes(n, 2)-1, both)
				w.close(n)
				w.alone(w.follows) // what came late has come
				w.is(1, both)
			})
		})
	}
}
