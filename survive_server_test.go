package dualsql_test

import (
	"errors"
	"testing"

	"github.com/dualsql/dualsql"
)

// A stop is one moment at which a server is killed. It says, by protocol, where the transaction under way may be found in the
// end, by what the caller may have been told: whether this machine has heard of the server's end decides between some.
type stop struct {
	point                        string
	twoPhase, marker, besteffort ends
}

type ends map[dualsql.Outcome]string

var (
	isCommitted = ends{dualsql.Committed: both}
	isUndone    = ends{dualsql.RolledBack: neither, dualsql.InDoubt: neither}
	follows     = ends{dualsql.HalfDone: both} // once the server is back
	isCut       = ends{dualsql.HalfDone: primaryOnly}
	// What the server has prepared, and has said so, is prepared; else nothing is decided.
	isUndoneOrFollows = ends{dualsql.RolledBack: neither, dualsql.HalfDone: both}
)

// stops are the moments, by the side whose server is killed: the one that decides, the one that follows.
var stops = map[string][]stop{
	"decides": {
		{"barrier", isUndone, isUndone, isUndone},
		{"prepared", isUndone, nil, nil},
		{"intent", isUndone, isUndone, isUndone},
		{"decided", isCommitted, isCommitted, isCommitted},
		{"finished", isCommitted, isCommitted, isCommitted},
	},
	"follows": {
		{"barrier", isUndoneOrFollows, follows, isCut},
		{"prepared", follows, nil, nil},
		{"intent", follows, follows, isCut},
		{"decided", follows, follows, isCut},
		{"finished", isCommitted, isCommitted, isCommitted},
		{"ended", isCommitted, isCommitted, isCommitted},
	},
}

func (s stop) ends(p dualsql.Protocol) ends {
	switch p {
	case dualsql.TwoPhase:
		return s.twoPhase
	case dualsql.Marker:
		return s.marker
	}
	return s.besteffort
}

func TestSurvive25ServerKilled(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"decides", "follows"} {
		for _, s := range stops[role] {
			at := on{options: "commit_timeout=2s", stops: true}
			if s.marker == nil {
				at.protocols = underTwoPhase
			}
			if role == "decides" {
				at.decides = server
			} else {
				at.follows = server
			}
			t.Run("the side that "+role+" at "+s.point, func(t *testing.T) {
				at.each(t, func(t *testing.T, w *world) {
					side := w.decides
					if role == "follows" {
						side = w.follows
					}
					s.run(w, side)
				})
			})
		}
	}
}

func (s stop) run(w *world, side int) {
	w.Helper()
	n := w.openWarm()
	stopped := false
	n.c.AtCrashpoints(w, func(point string) {
		if point == s.point && !stopped {
			stopped = true
			w.server[side].StopImmediate(w)
		}
	})
	err := write(n.DB, 1)
	w.server[side].Start(w)
	told := outcomeOf(err)
	end, may := s.ends(w.protocol)[told]
	if !stopped || !may {
		w.Errorf("the caller was told %v, want one of %q", err, s.ends(w.protocol))
	}
	w.dropIdle(side)
	if w.protocol == dualsql.BestEffort && (told == dualsql.InDoubt || told == dualsql.HalfDone) {
		w.is(1, end)
		w.reported(n, told)
		return
	}
	w.settled(n)
	w.is(1, end)
	w.is(w.writes(n, 2)-1, both)
}

// A server that has gone between two transactions costs nothing but the connections.
func TestSurvive25ServerRestartedAtRest(t *testing.T) {
	t.Parallel()
	on{primary: server, secondary: server, stops: true}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		id := 1
		for side := range w.raw {
			w.dropIdle(side)
			w.server[side].StopImmediate(t)
			if err := write(n.DB, id); err == nil || outcomeOf(err) != dualsql.RolledBack || errors.Is(err, dualsql.ErrWritesHeld) {
				t.Errorf("with server %d away the caller was told %v", side, err)
			}
			w.server[side].Start(t)
			w.is(id, neither)
			id = w.writes(n, id+1)
			w.is(id-1, both)
		}
		w.pending(n)
	})
}

// Under ack=decided the caller has been told when the server that follows is killed.
func TestSurvive25ServerKilledAckDecided(t *testing.T) {
	t.Parallel()
	at := afterDecision
	at.stops, at.options = true, "ack=decided commit_timeout=2s"
	at.each(t, func(t *testing.T, w *world) { stop{point: "decided", twoPhase: isCommitted}.run(w, w.follows) })
}
