package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// curve is something that grows, and how its cost is measured at one point.
type curve struct {
	result.Curve
	points, quick []int64
	// contenders are those that its cells compare; the first is what the ratios are to.
	contenders []string
	measure    func(ctx context.Context, b *bench, run *result.Run, c *curve, x int64) error
}

// million is the last point of the curve since, which takes long.
const million = 1_000_000

func curves() []*curve {
	named := func(name, x, y string) result.Curve { return result.Curve{Name: name, X: x, Y: y} }
	const byHandY = "time of a transaction over that of " + byHand
	return []*curve{
		{Curve: named("statements", "UPDATEs a transaction", byHandY),
			points: []int64{2, 10, 30, 100, 300, 1000}, quick: []int64{2, 100},
			contenders: []string{byHand, both}, measure: inCell(statementsWorkload, 1)},
		{Curve: named("rows", "rows an INSERT", byHandY),
			points: []int64{1, 10, 100, 1000, 10_000}, quick: []int64{1, 1000},
			contenders: []string{byHand, both + " statement", both + " row"}, measure: inCell(rowsWorkload, 1)},
		{Curve: named("clients", "clients, with one UPDATE a transaction", byHandY),
			points: []int64{1, 4, 16, 64, 128, 256}, quick: []int64{1, 64},
			contenders: []string{byHand, both}, measure: inCell(func(int64) workload { return workloads[0] }, 0)},
		{Curve: named("texts", "distinct texts of a SELECT", "time of a SELECT over that of "+plain),
			points: []int64{1, planBound / 2, planBound, 2 * planBound, 10 * planBound}, quick: []int64{1, 2 * planBound},
			contenders: []string{plain, both}, measure: inCell(textsWorkload, 1)},
		{Curve: named("journal", "MiB of journal", "time to open it over that of reading its files once"),
			points: []int64{64, 256, 1024}, quick: []int64{64},
			contenders: []string{both}, measure: openingJournal},
		{Curve: named("recovery", "open transactions in the journal", "time to end one of them over that of an INSERT by pgx on each side"),
			points: []int64{100, 1000, 10_000}, quick: []int64{1000},
			contenders: []string{both}, measure: recovering},
		{Curve: named("since", "transactions since the start", "MiB"),
			points: []int64{1000, 10_000, 100_000}, quick: []int64{1000, 10_000},
			contenders: []string{both}, measure: sinceStart},
	}
}

// scale is the command that measures curves.
func scale(args []string) error {
	flags := flag.NewFlagSet("bench scale", flag.ExitOnError)
	quick := flags.Bool("quick", false, "few points and one round: to see that it runs")
	which := flags.String("curves", "all", "curves, separated by commas: statements, rows, clients, texts, journal, recovery, since")
	long := flags.Bool("million", false, "also 1,000,000 transactions since the start")
	o := commonFlags(flags)
	_ = flags.Parse(args) // it exits
	if err := o.check(flags); err != nil {
		return err
	}
	chosen, err := pick(curves(), *which, func(c *curve) string { return c.Name }, "curve")
	if err != nil {
		return err
	}
	b := &bench{rounds: o.rounds, turn: o.turn}
	if *quick {
		b.rounds = 1
	}
	for _, c := range chosen {
		if *quick {
			c.points = c.quick
		}
		if *long && c.Name == "since" {
			c.points = append(c.points, million)
		}
	}
	run, err := b.inWorld(branches, func(ctx context.Context) (*result.Run, error) { return b.curves(ctx, chosen) })
	if err != nil {
		return err
	}
	return report(run, o.file, o.page, scaleBegin, scaleMarkdown)
}

func (b *bench) curves(ctx context.Context, chosen []*curve) (*result.Run, error) {
	var names []string
	for _, c := range chosen {
		for _, name := range c.contenders {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	var err error
	if b.contenders, err = contendersOf(names); err != nil {
		return nil, err
	}
	run, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range chosen {
		if b.contenders, err = contendersOf(c.contenders); err != nil {
			return nil, err
		}
		for _, x := range c.points {
			if err := c.measure(ctx, b, run, c, x); err != nil {
				return nil, fmt.Errorf("%s, %d: %w", c.Name, x, err)
			}
		}
		run.Curves = append(run.Curves, c.Curve)
		var text strings.Builder
		writeCurve(&text, c.Curve)
		fmt.Fprintln(os.Stdout, text.String())
	}
	return run, nil
}

// contendersOf finds contenders by their whole names.
func contendersOf(names []string) ([]contender, error) {
	return named(contenders(), strings.Join(names, ","))
}

// inCell measures points by cells, whose clients are x where none are given.
func inCell(make func(x int64) workload, clients int) func(context.Context, *bench, *result.Run, *curve, int64) error {
	return func(ctx context.Context, b *bench, run *result.Run, c *curve, x int64) error {
		key := cellKey{workload: make(x), clients: clients}
		if clients == 0 {
			key.clients = int(x)
		}
		cell, err := b.cell(ctx, key)
		if err != nil {
			return err
		}
		run.Cells = append(run.Cells, *cell)
		printCell(os.Stdout, cell)
		for _, name := range c.contenders[1:] {
			ratio, ok := cell.Ratio(c.contenders[0], name)
			if !ok {
				return fmt.Errorf("%q has nothing to be compared with", name)
			}
			c.Add(name, x, ratio)
		}
		return nil
	}
}

// scaleMarkdown returns the tables of a run for a page.
func scaleMarkdown(run *result.Run) string {
	var b strings.Builder
	writeMachine(&b, run, "")
	b.WriteString("\n\n![How costs grow](scale.svg)\n")
	for _, c := range run.Curves {
		writeCurve(&b, c)
	}
	return b.String()
}

// writeCurve writes a table with a row a series and a column a point.
func writeCurve(b *strings.Builder, c result.Curve) {
	fmt.Fprintf(b, "\n`%s`: %s, by %s:\n\n| |", c.Name, c.Y, c.X)
	for _, p := range c.Series[0].Points {
		fmt.Fprintf(b, " %d |", p.X)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(c.Series[0].Points)) + "\n")
	for _, s := range c.Series {
		fmt.Fprintf(b, "| %s |", s.Name)
		for _, p := range s.Points {
			if p.Value.Low == p.Value.High {
				fmt.Fprintf(b, " %.2f |", p.Value.Median)
			} else {
				fmt.Fprintf(b, " %s |", ratioText(p.Value))
			}
		}
		b.WriteString("\n")
	}
}
