package main

import (
	"fmt"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// goal is a ratio of throughput that dualsql is to reach, in each cell of the workload that it names.
type goal struct {
	workload        string
	contender, base string
	delays          []time.Duration
	clients         []int
	want            float64
}

var (
	loopback    = []time.Duration{0}
	millisecond = []time.Duration{time.Millisecond}
	either      = []time.Duration{0, time.Millisecond}
)

var goals = []goal{
	{"select", both, plain, loopback, []int{1, 16}, 0.97},
	{"update", both, byHand, loopback, []int{1, 16}, 1.0},
	{"update", both, byHand, millisecond, []int{1, 16}, 1.5},
	{"update", decided, byHand, millisecond, []int{1, 16}, 2.0},
	{"update", both, textbook, either, []int{1, 16}, 1.5},
	{"update", both, pooled, either, []int{16}, 2.0},
	{"ten", both, byHand, millisecond, []int{1, 16}, 1.8},
}

// reached is a goal in one cell.
type reached struct {
	goal
	cell  *result.Cell
	ratio result.Spread
}

func (r reached) met() bool { return r.ratio.Median >= r.want }

func (r reached) mark() string {
	if r.met() {
		return "yes"
	}
	return "no"
}

// reachedIn returns the goals in those cells of a run that have both contenders.
func reachedIn(run *result.Run) []reached {
	var list []reached
	for _, g := range goals {
		for _, d := range g.delays {
			for _, n := range g.clients {
				cell := run.Cell(g.workload, d, n)
				if cell == nil {
					continue
				}
				if ratio, ok := cell.Ratio(g.contender, g.base); ok {
					list = append(list, reached{g, cell, ratio})
				}
			}
		}
	}
	return list
}

// ratioText is how tables show a ratio: its median, and the lowest and highest of the rounds.
func ratioText(s result.Spread) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Low, s.High)
}
