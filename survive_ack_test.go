package dualsql_test

import (
	"context"
	"slices"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// afterDecision is where ack=decided makes a difference: the secondary follows.
var afterDecision = on{protocols: underTwoPhase, secondary: "postgres", options: "ack=decided commit_timeout=2s"}

// The caller goes on while COMMIT PREPARED is on its way.
func TestSurviveAckDecided(t *testing.T) {
	t.Parallel()
	afterDecision.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(secondary)
		n := w.openWarm()
		n.SetMaxOpenConns(1)
		rule := proxy.OnRequest(w.isSecond(), chaos.HoldRequest)
		w.told(write(n.DB, 1), dualsql.Committed)
		w.fired(rule)
		w.is(1, primaryOnly)
		w.pending(n)

		// The same connection goes on: on the primary at once, on the secondary when what is held has been answered.
		ran, result := make(chan struct{}), make(chan error, 1)
		go func() { result <- writeThen(context.Background(), n.DB, 2, func() { close(ran) }) }()
		<-ran
		w.is(1, primaryOnly)
		rule.Release()
		w.result(result, dualsql.Committed)
		w.is(2, both)
	})
}

func TestSurviveAckDecidedReplyLost(t *testing.T) {
	t.Parallel()
	for _, l := range append(slices.Clone(lostReplies), late) {
		t.Run(l.name, func(t *testing.T) {
			afterDecision.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(secondary)
				n := w.openWarm()
				rule := proxy.OnRequest(w.isSecond(), l.action)
				w.told(write(n.DB, 1), dualsql.Committed)
				w.fired(rule)
				w.is(1, both)
				rule.Release()
				w.is(w.writes(n, 2)-1, both)
				w.settled(n)
			})
		})
	}
}

// What the caller has been told holds, however long it takes; meanwhile it is listed.
func TestSurviveAckDecidedServerGone(t *testing.T) {
	t.Parallel()
	afterDecision.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(secondary)
		n := w.openWarm()
		rule := proxy.OnRequest(w.isSecond(), chaos.HoldRequest)
		w.told(write(n.DB, 1), dualsql.Committed)
		w.fired(rule)
		proxy.Down()
		w.eventually("it is listed", func() bool { list, err := n.c.Pending(); return err == nil && len(list) == 1 })
		w.pending(n, dualsql.HalfDone)
		proxy.Up()
		w.settled(n)
		w.is(1, both)
		w.is(w.writes(n, 2)-1, both)
	})
}

func TestSurviveAckDecidedCloseWaits(t *testing.T) {
	t.Parallel()
	afterDecision.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(secondary)
		n := w.openWarm()
		rule := proxy.OnRequest(w.isSecond(), chaos.HoldRequest)
		w.told(write(n.DB, 1), dualsql.Committed)
		w.fired(rule)
		closed := make(chan error, 1)
		go func() { closed <- n.Close() }()
		rule.Release()
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		if got := w.where(1); got != both {
			t.Errorf("at its end the transaction is on %s", got)
		}
		n, r := w.recover()
		if len(r.Committed) > 0 {
			t.Errorf("the journal had %v open", r.Committed)
		}
		w.pending(n)
	})
}

func TestSurviveAckDecidedCrash(t *testing.T) {
	t.Parallel()
	for _, number := range []int{6, 12} {
		crashRows(t, number, afterDecision)
	}
}
