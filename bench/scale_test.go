package main

import (
	"strings"
	"testing"

	"github.com/dualsql/dualsql/bench/internal/result"
)

func TestCurvesNameContendersThatAreThere(t *testing.T) {
	for _, c := range curves() {
		list, err := contendersOf(c.contenders)
		if err != nil || len(list) != len(c.contenders) || len(c.quick) == 0 || len(c.points) < len(c.quick) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func TestScaleMarkdown(t *testing.T) {
	c := result.Curve{Name: "rows", X: "rows", Y: "time"}
	c.Add("a", 1, result.SpreadOf([]float64{2}))
	c.Add("b", 1, result.SpreadOf([]float64{3}))
	c.Add("a", 10, result.SpreadOf([]float64{1, 2, 4}))
	c.Add("b", 10, result.SpreadOf([]float64{5}))
	page := scaleMarkdown(&result.Run{Curves: []result.Curve{c}})
	for _, want := range []string{"`rows`: time, by rows:", "| | 1 | 10 |", "| a | 2.00 | 2.00 (1.00–4.00) |", "| b | 3.00 | 5.00 |"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
}
