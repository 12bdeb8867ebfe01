package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// A block of a page begins with one of these lines.
const (
	blockBegin = "<!-- written by bench -markdown -->"
	scaleBegin = "<!-- written by bench scale -markdown -->"
	blockEnd   = "<!-- end -->"
)

// markdown returns the tables of a run for a page.
func markdown(run *result.Run) string {
	var b strings.Builder
	writeMachine(&b, run, ", Pgpool-II "+run.Machine.Pgpool)
	b.WriteString(" A round trip takes")
	for i, d := range run.Delays {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %s ms (%s)", milliseconds(d.RoundTrip), result.DelayName(d.Delay))
	}
	b.WriteString(".\n")
	for _, w := range workloads {
		var cells []*result.Cell
		for i := range run.Cells {
			if run.Cells[i].Workload == w.name {
				cells = append(cells, &run.Cells[i])
			}
		}
		if len(cells) > 0 {
			workloadTables(&b, run, w, cells)
		}
	}
	fmt.Fprintf(&b, "\nGoals:\n\n| workload | | over | cell | goal | reached | met |\n|---|---|---|---|---|---|---|\n")
	for _, r := range reachedIn(run) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %.2f | %s | %s |\n", r.workload, r.contender, r.base, r.cell.Name(), r.want, ratioText(r.ratio), r.mark())
	}
	return b.String()
}

// writeMachine says what a run was made on, and by how many rounds.
func writeMachine(b *strings.Builder, run *result.Run, more string) {
	m := run.Machine
	fmt.Fprintf(b, "%s: %s/%s, %d processors, PostgreSQL %s%s, %s; %d rounds of %v for each contender. One write of 256 bytes with its sync takes %s ms.",
		run.Date.Format("2006-01-02"), m.OS, m.Arch, m.CPUs, m.PostgreSQL, more, m.Go, run.Rounds, run.Turn, milliseconds(m.Sync))
}

// workloadTables writes two tables with a row a contender and a column a cell: throughput, and what a transaction costs.
func workloadTables(b *strings.Builder, run *result.Run, w workload, cells []*result.Cell) {
	base := baseOf(cells[0])
	fmt.Fprintf(b, "\n`%s`, %s. Throughput over that of %s; in brackets the lowest and the highest of the rounds:\n\n", w.name, w.about, base)
	writeTable(b, run, cells, func(c *result.Cell, e *result.Entry) string {
		text := ratioIn(c, e.Contender, base)
		if e.Wrong || e.Errors > 0 {
			text += ", " + databases(e)
		}
		return text
	})
	b.WriteString("\nLatency p50 / p99 in ms; the client's processor time in µs and its allocations for a transaction:\n\n")
	writeTable(b, run, cells, func(_ *result.Cell, e *result.Entry) string {
		return fmt.Sprintf("%s / %s; %.0f; %.0f", milliseconds(e.P50), milliseconds(e.P99), e.CPU().Median, e.Mallocs().Median)
	})
}

func writeTable(b *strings.Builder, run *result.Run, cells []*result.Cell, value func(*result.Cell, *result.Entry) string) {
	b.WriteString("| |")
	for _, c := range cells {
		fmt.Fprintf(b, " %s |", c.Name())
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(cells)) + "\n")
	for _, contender := range run.Contenders {
		row, there := "| "+contender.Name+" |", false
		for _, c := range cells {
			e := c.Entry(contender.Name)
			if e == nil {
				row += " – |"
				continue
			}
			there = true
			row += " " + value(c, e) + " |"
		}
		if there {
			b.WriteString(row + "\n")
		}
	}
}

// replaceBlock puts text between the two marks of a page.
func replaceBlock(page []byte, begin, text string) ([]byte, error) {
	before, rest, ok := bytes.Cut(page, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(blockEnd))
	if !ok || !ended {
		return nil, fmt.Errorf("the page needs the lines %q and %q, with what is to be replaced between them", begin, blockEnd)
	}
	return fmt.Appendf(nil, "%s%s\n\n%s\n%s%s", before, begin, text, blockEnd, after), nil
}

// writeMarkdown puts the tables of a run into a block of a page.
func writeMarkdown(file, begin, text string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if page, err = replaceBlock(page, begin, text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, page, 0o644)
}
