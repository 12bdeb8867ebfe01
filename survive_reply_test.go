package dualsql_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// isCommit matches the message that commits a transaction of the application's, with or without a marker. The transactions
// that dualsql runs for itself come in one message with their BEGIN.
func isCommit(m chaos.Message) bool {
	text := strings.ToLower(m.Text)
	return m.Type == 'Q' && strings.HasSuffix(text, "commit") && !strings.HasPrefix(text, "begin")
}

func held(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, dualsql.ErrWritesHeld) {
		t.Errorf("a write that could overtake got %v, want ErrWritesHeld", err)
	}
}

// lost is one way to lose the reply to a COMMIT.
type lost struct {
	name    string
	action  chaos.Action
	through bool // the COMMIT got to the server
}

var lostReplies = []lost{
	{"got through", chaos.DropReply, true},
	{"did not get through", chaos.CutBefore, false},
}

func TestSurvive10DecidingReplyLost(t *testing.T) {
	for _, l := range lostReplies {
		t.Run(l.name, func(t *testing.T) {
			on{primary: "postgres"}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(primary)
				n := w.openWarm()
				proxy.OnRequest(isCommit, l.action)
				err := write(n.DB, 1)
				if w.protocol == dualsql.BestEffort {
					w.told(err, dualsql.InDoubt)
					if l.through {
						w.is(1, primaryOnly)
					} else {
						w.eventually("the server has noticed", func() bool { return w.where(1) == neither })
					}
					w.reported(n, dualsql.InDoubt)
					return
				}
				if l.through {
					w.told(err, dualsql.Committed)
					w.is(1, both)
				} else {
					w.told(err, dualsql.RolledBack)
					w.is(1, neither)
				}
				w.pending(n)
				w.is(w.writes(n, 2)-1, both)
			})
		})
	}
}

// cutWhenHeld takes the server away at the moment when it has (HoldReply) or has not yet (HoldRequest) run the next COMMIT.
func cutWhenHeld(proxy *chaos.Proxy, action chaos.Action) {
	rule := proxy.OnRequest(isCommit, action)
	go func() {
		<-rule.Fired()
		proxy.Down()
	}()
}

func TestSurvive11DecidingReplyLostServerGone(t *testing.T) {
	for _, l := range []lost{{"got through", chaos.HoldReply, true}, {"did not get through", chaos.HoldRequest, false}} {
		t.Run(l.name, func(t *testing.T) {
			on{primary: "postgres", options: "commit_timeout=1s"}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(primary)
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
				proxy.Up()
				if w.protocol == dualsql.BestEffort {
					w.reported(n, dualsql.InDoubt)
					return
				}
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

// While a transaction is in doubt, none may overtake it on the secondary.
func TestSurvive11WritesHeldInDoubt(t *testing.T) {
	on{primary: "postgres", protocols: underMarker, options: "commit_timeout=1s"}.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(primary)
		n := w.openWarm()
		cutWhenHeld(proxy, chaos.HoldReply)
		w.told(write(n.DB, 1), dualsql.InDoubt)
		// The way to the primary opens for the application alone: the resolver's fence stays away.
		txid := w.pending(n, dualsql.InDoubt)[0].TxID.String()
		proxy.OnRequests(1000, chaos.SQLContains(txid), chaos.CutBefore)
		proxy.Up()
		w.eventually("a write reaches the gate", func() bool {
			err := write(n.DB, 2)
			if err == nil {
				t.Fatal("a write has overtaken the transaction in doubt")
			}
			return errors.Is(err, dualsql.ErrWritesHeld)
		})
	})
}

func TestSurvive13SecondCommitRefused(t *testing.T) {
	on{options: "commit_timeout=1s"}.each(t, func(t *testing.T, w *world) {
		w.constrain(secondary)
		n := w.openWarm()
		err := write(n.DB, 1, "insert into child values (99)")
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
	for _, l := range lostReplies {
		t.Run(l.name, func(t *testing.T) {
			on{secondary: "postgres"}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(secondary)
				n := w.openWarm()
				proxy.OnRequest(isCommit, l.action)
				err := write(n.DB, 1)
				if w.protocol == dualsql.Marker {
					w.told(err, dualsql.Committed)
					w.is(1, both)
					w.pending(n)
					w.is(w.writes(n, 2)-1, both)
					return
				}
				w.told(err, dualsql.HalfDone)
				if l.through {
					w.is(1, both)
				} else {
					w.is(1, primaryOnly)
				}
				w.reported(n, dualsql.HalfDone)
			})
		})
	}
}
