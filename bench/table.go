package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// journalNote is about the goals that this command does not measure.
const journalNote = "The journal's own: go test -run xxx -bench 'Append$|Open' ./internal/wal in the module above: 64 writers over one bare loop, 20; opening 1 GiB over reading it, 1."

// baseOf returns what the ratios of a workload's cells are to.
func baseOf(cell *result.Cell) string {
	if cell.Entry(byHand) != nil {
		return byHand
	}
	return plain
}

// printCell prints a cell for people.
func printCell(out io.Writer, cell *result.Cell) {
	base := baseOf(cell)
	fmt.Fprintf(out, "\n%s, %s; throughput of %q is 1\n", cell.Workload, cell.Name(), base)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tratio\tof pgx\ttx/s\tp50 ms\tp99 ms\tCPU µs/tx\tallocs/tx\tKiB/tx\tdatabases")
	for i := range cell.Entries {
		e := &cell.Entries[i]
		if e.Skipped != "" {
			fmt.Fprintf(table, "%s\tleft out: %s\n", e.Contender, e.Skipped)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.0f\t%s\t%s\t%.0f\t%.0f\t%.1f\t%s\n", e.Contender, ratioIn(cell, e.Contender, base), medianIn(cell, e.Contender, plain),
			e.Throughput().Median, milliseconds(e.P50), milliseconds(e.P99), e.CPU().Median, e.Mallocs().Median, e.Bytes().Median/1024, databases(e))
	}
	_ = table.Flush()
}

func databases(e *result.Entry) string {
	if e.Errors == 0 {
		return e.Sides
	}
	return fmt.Sprintf("%s; %d transactions failed: %s", e.Sides, e.Errors, e.FirstError)
}

func ratioIn(cell *result.Cell, contender, base string) string {
	if ratio, ok := cell.Ratio(contender, base); ok {
		return ratioText(ratio)
	}
	return "–"
}

func medianIn(cell *result.Cell, contender, base string) string {
	if ratio, ok := cell.Ratio(contender, base); ok {
		return fmt.Sprintf("%.2f", ratio.Median)
	}
	return "–"
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

// printGoals prints what was to be reached and what was.
func printGoals(out io.Writer, run *result.Run) {
	fmt.Fprintln(out, "\nGoals")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "workload\tcontender\tover\tcell\tgoal\treached\tmet")
	for _, r := range reachedIn(run) {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%.2f\t%s\t%s\n", r.workload, r.contender, r.base, r.cell.Name(), r.want, ratioText(r.ratio), r.mark())
	}
	_ = table.Flush()
	fmt.Fprintln(out, journalNote)
}

// wrongs returns what a run has found to be wrong.
func wrongs(run *result.Run) []string {
	var list []string
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, e := range c.Entries {
			if e.Wrong {
				list = append(list, fmt.Sprintf("%s, %s, %s: %s", c.Workload, c.Name(), e.Contender, e.Sides))
			}
		}
	}
	return slices.Clip(list)
}
