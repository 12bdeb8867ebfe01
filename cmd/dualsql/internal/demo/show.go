package demo

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// show prints what the demo finds.
type show struct {
	out  io.Writer
	live bool // out is a terminal: a line there is refreshed while work goes on
	opts *Options

	at   *killing
	last time.Time
}

func (s *show) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...) // a demo that nobody reads still has its exit code
}

func (s *show) introduce(w *world) {
	s.printf("An order entry (new orders, payments, deliveries) writes to two databases at once, with %d workers.\n"+
		"Again and again, at random moments, its process is killed with SIGKILL and started anew.\n\n", s.opts.Workers)
	s.printf("   primary    %s\n   secondary  %s\n   seed       %d\n\n", sides.Place(w.dsns[0]), sides.Place(w.dsns[1]), s.opts.Seed)
}

func (s *show) begin(k *killing) {
	s.at, s.last = k, time.Time{}
	s.progress()
}

// progress refreshes the line on the terminal, ten times a second at most. In one half it is called from one goroutine at
// a time.
func (s *show) progress() {
	if !s.live || time.Since(s.last) < 100*time.Millisecond {
		return
	}
	s.last = time.Now()
	k := s.at
	line := fmt.Sprintf("   %d of %d kills, %d transactions acknowledged", k.kills, s.opts.Kills, len(k.told.committed))
	if r := k.phase.Recovery; r != nil {
		line += fmt.Sprintf(", %d cut in half", r.Torn)
	}
	s.printf("\r\x1b[K%s", line)
}

func (s *show) clear() {
	if s.live {
		s.printf("\r\x1b[K")
	}
}

func (s *show) printHandWritten(p *Phase) {
	s.printf("1. By hand: begin both, write both, commit the one, commit the other\n\n")
	s.printf("   %d kills, %d transactions acknowledged\n", p.Kills, p.Acknowledged)
	if p.Torn == 0 && p.equal() {
		s.printf("   no kill fell between two commits this time; try more --kills\n\n")
		return
	}
	s.printf("   %s torn: on one side, and not on the other. The databases have drifted apart:\n\n", count(p.Torn, "transaction is", "transactions are"))
	s.printTables(p)
	s.printExample(p)
	s.printf("\n   No error was reported, and nothing will ever repair it.\n\n")
}

func (s *show) printDualsql(p *Phase) {
	r := p.Recovery
	s.printf("2. With dualsql: the same work and the same kills, on one *sql.DB from sql.Open(\"dualsql\", ...)\n\n")
	s.printf("   %d kills, %d transactions acknowledged\n", p.Kills, p.Acknowledged)
	s.printf("   %s cut commits short: %s open in the journal,\n", count(r.KillsOpen, "kill", "kills"), count(r.Open, "transaction was", "transactions were"))
	s.printf("   %d of them on one side only at that moment\n", r.Torn)
	if r.KillsInRecovery > 0 {
		s.printf("   %s while it was still recovering from the one before\n", count(r.KillsInRecovery, "kill came", "kills came"))
	}
	s.printf("   the next start always settled it: %d committed on both sides, %d rolled back on both, %d still open\n\n", r.Finished, r.RolledBack, r.Pending)
	s.printTables(p)
	s.printf("\n")
	for _, c := range p.Checks {
		s.printf("   %v\n", c)
	}
	s.printExample(p)
	s.printf("\n")
}

// printExample shows a row that is missing on one side or, if there is none, one that differs.
func (s *show) printExample(p *Phase) {
	example := ""
	for _, d := range p.Tables {
		if d.PrimaryOnly+d.SecondaryOnly > 0 {
			example = d.Example
			break
		}
		if example == "" {
			example = d.Example
		}
	}
	if example != "" {
		s.printf("\n   for example %s\n", shorten(example))
	}
}

func (s *show) printTables(p *Phase) {
	s.printf("   %-12s %8s %14s %16s %10s\n", "table", "rows", "primary only", "secondary only", "different")
	for _, d := range p.Tables {
		s.printf("   %-12s %8d %14d %16d %10d\n", d.Table, d.Rows, d.PrimaryOnly, d.SecondaryOnly, d.Different)
	}
}

// Verdict is the last line.
func (r *Report) Verdict() string {
	kept := ""
	if r.Kept != "" {
		kept = "\nThe files are kept in " + r.Kept
	}
	if !r.Equal {
		return "THE TWO DATABASES ARE NOT EQUAL, or a check has failed. This is a bug in dualsql: please report it with this output." + kept
	}
	return fmt.Sprintf("With dualsql the two databases are equal, row by row and column by column, after %d kills. (%.0f s)%s", r.Dualsql.Kills, r.Seconds, kept)
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}

func shorten(s string) string {
	const most = 140
	if r := []rune(s); len(r) > most {
		return strings.TrimSpace(string(r[:most])) + "…"
	}
	return s
}
