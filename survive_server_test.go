package dualsql_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/dualsql/dualsql"
)

// stop is one moment at which a server is killed, and what comes of the transaction under way.
type stop struct {
	point              string
	side               int
	marker, besteffort string // where it is found in the end
	// What the caller may be told: whether the client's machine has heard of the server's end decides between some.
	markerSays, besteffortSays []dualsql.Outcome
}

var (
	committed = []dualsql.Outcome{dualsql.Committed}
	halfDone  = []dualsql.Outcome{dualsql.HalfDone}
	undecided = []dualsql.Outcome{dualsql.RolledBack, dualsql.InDoubt}
)

var stops = []stop{
	{"barrier", primary, neither, neither, undecided, undecided},
	{"intent", primary, neither, neither, undecided, undecided},
	{"decided", primary, both, both, committed, committed},
	{"finished", primary, both, both, committed, committed},
	{"barrier", secondary, both, primaryOnly, halfDone, halfDone},
	{"intent", secondary, both, primaryOnly, halfDone, halfDone},
	{"decided", secondary, both, primaryOnly, halfDone, halfDone},
	{"finished", secondary, both, both, committed, committed},
	{"ended", secondary, both, both, committed, committed},
}

func TestSurvive25ServerKilled(t *testing.T) {
	for _, s := range stops {
		at, name := on{primary: "postgres", options: "commit_timeout=1s", alone: true}, "primary at "
		if s.side == secondary {
			at, name = on{secondary: "postgres", options: "commit_timeout=1s", alone: true}, "secondary at "
		}
		t.Run(name+s.point, func(t *testing.T) {
			at.each(t, func(t *testing.T, w *world) {
				n := w.openWarm()
				stopped := false
				dualsql.AtCrashpoints(t, func(point string) {
					if point == s.point && !stopped {
						stopped = true
						w.cluster[s.side].StopImmediate(t)
					}
				})
				err := write(n.DB, 1)
				w.cluster[s.side].Start(t)
				end, says := s.marker, s.markerSays
				if w.protocol == dualsql.BestEffort {
					end, says = s.besteffort, s.besteffortSays
				}
				told := outcomeOf(err)
				if !stopped || !slices.Contains(says, told) {
					t.Errorf("the caller was told %v, want one of %q", err, says)
				}
				w.raw[s.side].SetMaxIdleConns(0)
				switch {
				case w.protocol == dualsql.Marker:
					w.settled(n)
					w.is(1, end)
					w.is(w.writes(n, 2)-1, both)
				case told == dualsql.InDoubt || told == dualsql.HalfDone:
					w.is(1, end)
					w.reported(n, told)
				default:
					w.is(1, end)
					w.is(w.writes(n, 2)-1, both)
				}
			})
		})
	}
}

// A server that has gone between two transactions costs nothing but the connections.
func TestSurvive25ServerRestartedAtRest(t *testing.T) {
	on{primary: "postgres", secondary: "postgres", alone: true}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		id := 1
		for side := range w.raw {
			w.raw[side].SetMaxIdleConns(0)
			w.cluster[side].StopImmediate(t)
			if err := write(n.DB, id); err == nil || outcomeOf(err) != dualsql.RolledBack || errors.Is(err, dualsql.ErrWritesHeld) {
				t.Errorf("with server %d away the caller was told %v", side, err)
			}
			w.cluster[side].Start(t)
			w.is(id, neither)
			id = w.writes(n, id+1)
			w.is(id-1, both)
		}
		w.pending(n)
	})
}
