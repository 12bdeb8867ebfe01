package dualsql_test

import (
	"context"
	"testing"

	"github.com/dualsql/dualsql"
)

// The protocol is another one when the pair is opened again after a crash: what is open ends as it was begun.
func TestSurvive16AnotherProtocol(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		died, next dualsql.Protocol
		at, end    string
		lost       bool // the journal
	}{
		{dualsql.TwoPhase, dualsql.Marker, "prepared", neither, false},
		{dualsql.TwoPhase, dualsql.Marker, "prepared", neither, true},
		{dualsql.TwoPhase, dualsql.Marker, "decided", both, false},
		{dualsql.TwoPhase, dualsql.Marker, "decided", both, true},
		{dualsql.Marker, dualsql.TwoPhase, "intent", neither, false},
		{dualsql.Marker, dualsql.TwoPhase, "decided", both, false},
	} {
		name := c.at
		if c.lost {
			name += ", journal lost"
		}
		t.Run(name, func(t *testing.T) {
			on{protocols: []dualsql.Protocol{c.died}}.each(t, func(t *testing.T, w *world) {
				if !runs(w.engines, c.next) {
					t.Skip("the pair has no other")
				}
				told := w.crash(crash{at: c.at + "#2"})
				after := w
				if c.lost {
					after = w.another("orphan_age=1ms")
				}
				after.protocol = c.next
				n, _ := after.recover()
				w.nothingPrepared()
				w.pending(n)
				w.kept(told)
				w.is(2, c.end)
				w.is(w.writes(n, 3)-1, both)
			})
		})
	}
}

// A server is away when recovery begins.
func TestSurvive16ServerAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ role, at, end string }{
		{"follows", "prepared", neither},
		{"follows", "decided", both},
		{"decides", "prepared", neither},
		{"decides", "decided", both},
	} {
		at := on{protocols: underTwoPhase, options: "commit_timeout=2s"}
		if c.role == "follows" {
			at.follows = server
		} else {
			at.decides = server
		}
		t.Run(c.at+", the side that "+c.role, func(t *testing.T) {
			at.each(t, func(t *testing.T, w *world) {
				told := w.crash(crash{at: c.at + "#2"})
				side := w.decides
				if c.role == "follows" {
					side = w.follows
				}
				proxy := w.behind(side)
				proxy.Down()
				n := w.open()
				if r, err := n.c.Recover(context.Background()); err == nil {
					t.Errorf("Recover = %+v, without an error", r)
				}
				if list, err := n.c.Pending(); err != nil || len(list) != 1 {
					t.Errorf("Pending = %+v, %v, want one", list, err)
				}
				proxy.Up()
				w.settled(n)
				w.kept(told)
				w.is(2, c.end)
				w.is(w.writes(n, 3)-1, both)
			})
		})
	}
}

// SQL Server with SQLite is for a laptop: under marker a crash between the two commits is mended there as well.
func TestSurvive12CrashBesideSQLite(t *testing.T) {
	t.Parallel()
	for _, engines := range [][2]string{{"sqlserver", "sqlite"}, {"sqlite", "sqlserver"}} {
		for at, end := range map[string]string{"intent": neither, "decided": both, "finished": both} {
			t.Run(engines[0]+"+"+engines[1]+"/"+at, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, engines, dualsql.Marker, "")
				told := w.crash(crash{at: at + "#2"})
				n, _ := w.recover()
				w.pending(n)
				w.kept(told)
				w.is(2, end)
				w.is(w.writes(n, 3)-1, both)
			})
		}
	}
}
