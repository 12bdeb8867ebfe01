package main

import (
	"fmt"
	"html"
	"io"
	"math"

	"github.com/dualsql/dualsql/bench/internal/result"
)

const curveHeight = 280

var colours = []string{"#1f6fb4", "#c0392b", "#2e8b57", "#888888"}

// curveChart writes an SVG with a panel a curve. Both scales are logarithmic: a cost that is proportional is a straight line, and
// one that stays is level.
func curveChart(out io.Writer, curves []result.Curve) error {
	return panels(out, len(curves), curveHeight, func(i, x, y int) { drawCurve(out, curves[i], x, y) })
}

func drawCurve(out io.Writer, c result.Curve, x0, y0 int) {
	low, high, first, last := 0.5, 2.0, math.MaxFloat64, 1.0
	for _, s := range c.Series {
		for _, p := range s.Points {
			low, high = min(low, max(p.Value.Low, 0.01)), max(high, p.Value.High)
			first, last = min(first, float64(p.X)), max(last, float64(p.X))
		}
	}
	low, high = math.Exp2(math.Floor(math.Log2(low))), math.Exp2(math.Ceil(math.Log2(high)))
	left, right, top, bottom := float64(x0+50), float64(x0+panelWidth-170), float64(y0+34), float64(y0+curveHeight-44)
	across := func(x int64) float64 {
		if first == last {
			return left
		}
		return left + (right-left)*math.Log(float64(x)/first)/math.Log(last/first)
	}
	up := func(v float64) float64 { return bottom - (bottom-top)*math.Log(max(v, low)/low)/math.Log(high/low) }
	fmt.Fprintf(out, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", x0+10, y0+18, html.EscapeString(c.Name+": "+c.Y))
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" fill="#666666">%s</text>`+"\n", left, bottom+34, html.EscapeString(c.X))
	step := max(1, math.Ceil(math.Log2(high/low)/8))
	for v := low; v <= high; v *= math.Exp2(step) {
		fmt.Fprintf(out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#dddddd"/>`+"\n", left, up(v), right, up(v))
		fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="end" fill="#666666">%.3g</text>`+"\n", left-4, up(v)+4, v)
	}
	for i, s := range c.Series {
		colour := colours[i%len(colours)]
		fmt.Fprintf(out, `<text x="%.1f" y="%d" fill="%s">%s</text>`+"\n", right+10, y0+50+i*rowHeight, colour, html.EscapeString(s.Name))
		for k, p := range s.Points {
			if k > 0 {
				before := s.Points[k-1]
				fmt.Fprintf(out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", across(before.X), up(before.Value.Median), across(p.X), up(p.Value.Median), colour)
			}
			fmt.Fprintf(out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="2"/>`+"\n", across(p.X), up(p.Value.Low), across(p.X), up(p.Value.High), colour)
			fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", across(p.X), up(p.Value.Median), colour)
			if i == 0 {
				fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#666666">%d</text>`+"\n", across(p.X), bottom+16, p.X)
			}
		}
	}
}
