package main

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

func TestArgumentsFitTheTexts(t *testing.T) {
	parameter := regexp.MustCompile(`\$(\d+)`)
	for _, w := range workloads {
		r := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			tx := w.next(r)
			for _, s := range tx {
				highest := 0
				for _, m := range parameter.FindAllStringSubmatch(s.text, -1) {
					n, err := strconv.Atoi(m[1])
					if err != nil {
						t.Fatal(err)
					}
					highest = max(highest, n)
				}
				if highest != len(s.args) {
					t.Errorf("%s: %d parameters, %d arguments: %.80s", w.name, highest, len(s.args), s.text)
				}
				if w.reads && !s.read {
					t.Errorf("%s writes: %s", w.name, s.text)
				}
			}
			if writes := slices.ContainsFunc(tx, func(s statement) bool { return !s.read }); writes == w.reads {
				t.Errorf("%s: reads is %v", w.name, w.reads)
			}
		}
		if w.reads != (w.done == "") || w.reads != (len(w.tables) == 0) {
			t.Errorf("%s: what is compared?", w.name)
		}
	}
}

// Two clients that lock rows in different orders would wait for each other.
func TestTenUpdatesAreInTheOrderOfTheirKeys(t *testing.T) {
	ten, err := workloadsNamed("ten")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var ids []int
		for _, s := range ten[0].next(r) {
			ids = append(ids, s.args[0].(int))
		}
		if len(ids) != 10 || !slices.IsSorted(ids) {
			t.Error(ids)
		}
	}
}
