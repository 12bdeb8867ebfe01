package dualsql_test

import (
	"context"
	"slices"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// The caller loses patience at each place that a commit passes; the commit goes on, and tells how it ended.
func TestSurvive23CallerCancels(t *testing.T) {
	on{alone: true}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		points := []string{"barrier", "intent", "decided", "finished", "ended"}
		for i, point := range points {
			for id, run := range map[int]func(context.Context) error{
				2*i + 1: func(ctx context.Context) error { return writeCtx(ctx, n.DB, 2*i+1) },
				100 + i: func(ctx context.Context) error {
					return only(n.ExecContext(ctx, "insert into parent values (?)", 100+i))
				},
			} {
				ctx, cancel := context.WithCancel(context.Background())
				var passed []string
				dualsql.AtCrashpoints(t, func(name string) {
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

// The COMMIT is on its way when the caller loses patience.
func TestSurvive23CallerCancelsOnTheWire(t *testing.T) {
	for side, name := range []string{primary: "primary", secondary: "secondary"} {
		for _, action := range []chaos.Action{chaos.HoldRequest, chaos.HoldReply} {
			t.Run(name, func(t *testing.T) {
				at := on{primary: "postgres"}
				if side == secondary {
					at = on{secondary: "postgres"}
				}
				at.each(t, func(t *testing.T, w *world) {
					proxy := w.behind(side)
					n := w.openWarm()
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					rule := proxy.OnRequest(isCommit, action)
					result := make(chan error)
					go func() { result <- writeCtx(ctx, n.DB, 1) }()
					<-rule.Fired()
					cancel()
					rule.Release()
					w.told(<-result, dualsql.Committed)
					w.is(1, both)
					w.pending(n)
				})
			})
		}
	}
}
