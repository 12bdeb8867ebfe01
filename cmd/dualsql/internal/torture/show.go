package torture

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// show prints what goes on.
type show struct {
	out  io.Writer
	live bool // out is a terminal: a line there is refreshed while work goes on
}

func (s *show) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...) // a torture that nobody reads still has its exit code
}

func (s *show) clear() {
	if s.live {
		s.printf("\r\x1b[K")
	}
}

func (s *show) introduce(w *world) {
	ack := ""
	if w.Commit == dualsql.TwoPhase {
		ack = " ack=" + w.Ack
	}
	s.printf("%d processes with %d workers each write to one pair for %v, by commit=%s%s, and are disturbed.\n\n", w.Processes, w.Workers, w.Duration, w.Commit, ack)
	for i, dsn := range w.dsns {
		how := "its connections are cut and slowed"
		if w.proxies[i] == nil {
			how = "its connections are let be"
		}
		if w.Servers[i] != nil {
			how += ", it is stopped and started"
		}
		s.printf("   %-10s %s (%s)\n", sides.Name(i), sides.Place(dsn), how)
	}
	s.printf("   %-10s %s\n   %-10s %d\n\n", "files", w.dir, "seed", w.Seed)
}

// watch prints where the run stands: on a terminal one line that is refreshed, elsewhere a line now and then.
func (t *torture) watch(ctx context.Context) {
	every := 15 * time.Second
	if t.live {
		every = 200 * time.Millisecond
	}
	begin := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		done, seconds := t.count(), time.Since(begin).Seconds()
		if t.live { // it must fit in a line
			t.printf("\r\x1b[K   %4.0f s   %d committed, %d kills, %d server stops", seconds, t.sum().Committed, done.Kills, done.Stops)
		} else {
			t.printf("   %4.0f s   %v; %v\n", seconds, t.sum(), done)
		}
	}
}

func (s Sum) String() string {
	return fmt.Sprintf("%d committed, %d rolled back, %d in doubt, %d half done", s.Committed, s.RolledBack, s.InDoubt, s.HalfDone)
}

func (d Disturbances) String() string {
	parts := []string{}
	for _, p := range []struct {
		n    int
		text string
	}{
		{d.Kills, "kills"}, {d.LostJournals, "lost journals"}, {d.Stops, "server stops"}, {d.Cuts, "cuts"},
		{d.Outages, "outages"}, {d.Freezes, "freezes"}, {d.Slowdowns, "slowdowns"},
		{d.Messages, "lost or late messages"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprint(p.n, " ", p.text))
		}
	}
	if len(parts) == 0 {
		return "not disturbed yet"
	}
	return strings.Join(parts, ", ")
}

func (s *show) result(r *Report) {
	s.printf("   told        %v; %d could not be told, their process was killed\n", r.Told, r.Told.Untold)
	s.printf("   disturbed   %v\n", r.Disturbances)
	s.printf("   recovered   %d, at least\n", r.Recovered)
	s.printf("   markers     %d on the primary, %d on the secondary\n", r.Markers[0], r.Markers[1])
	const causes = 5
	for i, c := range r.Causes[:min(len(r.Causes), causes)] {
		title := ""
		if i == 0 {
			title = "causes"
		}
		const most = 140
		s.printf("   %-11s %d times %s\n", title, c.Count, c.Text[:min(len(c.Text), most)])
	}
	s.printf("\n")
	for _, c := range r.Checks {
		s.printf("   %v\n", c)
	}
	s.printf("\n")
}

// Verdict is the last line.
func (r *Report) Verdict() string {
	if r.OK {
		return fmt.Sprintf("Both databases are equal, and all that was told is true. (%.0f s)", r.Seconds)
	}
	return fmt.Sprintf("SOMETHING IS WRONG. This is a bug in dualsql: please report it with this output and the seed %d.\nThe tables are kept, and the files in %s", r.Seed, r.Kept)
}
