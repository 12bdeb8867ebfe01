package main

import (
	"fmt"
	"html"
	"io"
	"math"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// The picture's measures, in pixels.
const (
	panelWidth = 520
	labelWidth = 190
	rowHeight  = 18
	headHeight = 46
	footHeight = 28
	perLine    = 2 // panels beside each other
)

// chart writes an SVG with a panel for each cell of a workload: for each contender its throughput over that of base, as a
// dot, and a line from the lowest to the highest round. The scale is logarithmic: twice and half are equally far from 1.
func chart(out io.Writer, run *result.Run, workload, base string) error {
	var cells []*result.Cell
	for i := range run.Cells {
		if c := &run.Cells[i]; c.Workload == workload && c.Entry(base) != nil {
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 {
		return fmt.Errorf("the run has no cell of the workload %q with %q", workload, base)
	}
	low, high := limits(run, cells, base)
	height := headHeight + rowHeight*len(run.Contenders) + footHeight
	return panels(out, len(cells), height, func(i, x, y int) { panel{out, x, y, low, high}.draw(run, cells[i], base, height) })
}

// panels writes an SVG of n panels, some on a line; draw draws the one with the index i, whose corner is at x, y.
func panels(out io.Writer, n, height int, draw func(i, x, y int)) error {
	width, whole := panelWidth*min(perLine, n), height*((n+perLine-1)/perLine)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, whole)
	fmt.Fprintf(out, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, whole)
	for i := range n {
		draw(i, (i%perLine)*panelWidth, (i/perLine)*height)
	}
	_, err := fmt.Fprintln(out, "</svg>")
	return err
}

// limits returns the powers of two between which all ratios lie.
func limits(run *result.Run, cells []*result.Cell, base string) (low, high float64) {
	low, high = 0.5, 2
	for _, c := range cells {
		for _, contender := range run.Contenders {
			if ratio, ok := c.Ratio(contender.Name, base); ok && ratio.Low > 0 {
				low = min(low, math.Exp2(math.Floor(math.Log2(ratio.Low))))
				high = max(high, math.Exp2(math.Ceil(math.Log2(ratio.High))))
			}
		}
	}
	return low, high
}

// panel is the part of the picture for one cell.
type panel struct {
	out       io.Writer
	x, y      int
	low, high float64
}

// at returns where a ratio is, from left to right.
func (p panel) at(ratio float64) float64 {
	const room = panelWidth - labelWidth - 60
	share := math.Log2(max(ratio, p.low)/p.low) / math.Log2(p.high/p.low)
	return float64(p.x+labelWidth) + room*share
}

func (p panel) draw(run *result.Run, c *result.Cell, base string, height int) {
	top, bottom := p.y+headHeight-8, p.y+height-footHeight
	fmt.Fprintf(p.out, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", p.x+10, p.y+18, html.EscapeString(c.Workload+", "+c.Name()))
	for ratio := p.low; ratio <= p.high; ratio *= 2 {
		colour := "#dddddd"
		if ratio == 1 {
			colour = "#666666"
		}
		fmt.Fprintf(p.out, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>`+"\n", p.at(ratio), top, p.at(ratio), bottom, colour)
		fmt.Fprintf(p.out, `<text x="%.1f" y="%d" text-anchor="middle" fill="#666666">%g</text>`+"\n", p.at(ratio), bottom+14, ratio)
	}
	y := p.y + headHeight
	for _, contender := range run.Contenders {
		ratio, ok := c.Ratio(contender.Name, base)
		if !ok {
			continue
		}
		colour := "#888888"
		if len(contender.Name) > 7 && contender.Name[:7] == "dualsql" {
			colour = "#1f6fb4"
		}
		fmt.Fprintf(p.out, `<text x="%d" y="%d">%s</text>`+"\n", p.x+10, y+8, html.EscapeString(contender.Name))
		fmt.Fprintf(p.out, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-width="2"/>`+"\n", p.at(ratio.Low), y+4, p.at(ratio.High), y+4, colour)
		fmt.Fprintf(p.out, `<circle cx="%.1f" cy="%d" r="4" fill="%s"/>`+"\n", p.at(ratio.Median), y+4, colour)
		fmt.Fprintf(p.out, `<text x="%d" y="%d" text-anchor="end">%.2f</text>`+"\n", p.x+panelWidth-14, y+8, ratio.Median)
		y += rowHeight
	}
}
