package dualsql_test

import (
	"context"
	"slices"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// points are the crash points, in the order in which a commit passes them.
func points(p dualsql.Protocol) []string {
	if p == dualsql.TwoPhase {
		return []string{"barrier", "prepared", "intent", "decided", "finished", "ended"}
	}
	return []string{"barrier", "intent", "decided", "finished", "ended"}
}

// The caller loses patience at each place that a commit passes; the commit goes on, and tells how it ended.
func TestSurvive23CallerCancels(t *testing.T) {
	t.Parallel()
	on{}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		points := points(w.protocol)
		for i, point := range points {
			for id, run := range map[int]func(context.Context) error{
				2*i + 1: func(ctx context.Context) error { return writeCtx(ctx, n.DB, 2*i+1) },
				100 + i: func(ctx context.Context) error {
					return only(n.ExecContext(ctx, "insert into parent values (?)", 100+i))
				},
			} {
				ctx, cancel := context.WithCancel(context.Background())
				var passed []string
				n.c.AtCrashpoints(t, func(name string) {
					if passed = append(passed, name); name == point {
						cancel()
					}
				})
				w.told(run(ctx), dualsql.Committed)
				if !slices.Equal(passed, points) {
					t.Errorf("passed %q", passed)
				}
				cancel()
				if id < 100 {
					w.is(id, both)
				}
			}
		}
		w.same()
		w.pending(n)
	})
}

// A message of the commit phase is on its way, or its reply, when the caller loses patience.
func TestSurvive23CallerCancelsOnTheWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		at    on
		match func(*world) func(chaos.Message) bool
	}{
		{"PREPARE", on{follows: "postgres", protocols: underTwoPhase}, func(*world) func(chaos.Message) bool { return isPrepare }},
		{"COMMIT", on{decides: server}, func(*world) func(chaos.Message) bool { return isCommit }},
		{"second COMMIT", on{follows: server}, (*world).isSecond},
	} {
		for name, action := range map[string]chaos.Action{"request": chaos.HoldRequest, "reply": chaos.HoldReply} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				c.at.each(t, func(t *testing.T, w *world) {
					side := w.decides
					if c.at.follows != "" {
						side = w.follows
					}
					proxy := w.behind(side)
					n := w.openWarm()
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					rule := proxy.OnRequest(c.match(w), action)
					result := make(chan error, 1)
					go func() { result <- writeCtx(ctx, n.DB, 1) }()
					w.fired(rule)
					cancel()
					rule.Release()
					err := <-result
					// The last statement, which goes with PREPARE, may not have been answered yet: until then he may.
					w.concluded(err, 1, err == nil || c.name != "PREPARE")
					w.pending(n)
				})
			})
		}
	}
}
