package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cellKey names a cell.
type cellKey struct {
	workload workload
	delay    time.Duration
	clients  int
}

// What there is to choose from.
var (
	allDelays  = []time.Duration{0, 500 * time.Microsecond, time.Millisecond, 5 * time.Millisecond}
	allClients = []int{1, 16, 64}
)

// A run without flags has the cells that the goals are about, and one of each other workload.
var defaultCells = []struct {
	workload string
	delay    time.Duration
	clients  int
}{
	{"update", 0, 1},
	{"update", 0, 16},
	{"ten", 0, 1},
	{"tpcb", 0, 16},
	{"insert", 0, 16},
	{"bulk", 0, 1},
	{"select", 0, 1},
	{"update", time.Millisecond, 1},
	{"update", time.Millisecond, 16},
	{"ten", time.Millisecond, 1},
	{"ten", time.Millisecond, 16},
}

var defaultContenders = []string{
	plain, "naive", byHand, textbook, pooled, "dualsql besteffort", "dualsql marker", both, decided, both + " statement", both + " row",
}

// planned returns the cells of a run, delay by delay. Each of the lists is what its flag says; all of them empty stand for
// the default cells, and one of them empty stands for update, no delay and 1 ms, 1 and 16 clients.
func planned(all bool, names, delays, clients string) ([]cellKey, error) {
	if !all && names == "" && delays == "" && clients == "" {
		var cells []cellKey
		for _, c := range defaultCells {
			w, err := workloadsNamed(c.workload)
			if err != nil {
				return nil, err
			}
			cells = append(cells, cellKey{w[0], c.delay, c.clients})
		}
		return cells, nil
	}
	chosen, err := workloadsNamed(orElse(names, all, "all", "update"))
	if err != nil {
		return nil, err
	}
	ds, err := parsed(delays, all, allDelays, []time.Duration{0, time.Millisecond}, time.ParseDuration)
	if err != nil {
		return nil, fmt.Errorf("-delays takes durations such as 0,500us,1ms: %w", err)
	}
	cs, err := parsed(clients, all, allClients, []int{1, 16}, strconv.Atoi)
	if err != nil {
		return nil, fmt.Errorf("-clients takes numbers such as 1,16: %w", err)
	}
	var cells []cellKey
	for _, d := range ds {
		for _, w := range chosen {
			for _, c := range cs {
				if d < 0 || c < 1 || c > branches {
					return nil, fmt.Errorf("a delay of %v with %d clients: no delay is below 0, and there are 1 to %d clients", d, c, branches)
				}
				cells = append(cells, cellKey{w, d, c})
			}
		}
	}
	return cells, nil
}

func orElse(list string, all bool, full, usual string) string {
	switch {
	case list != "":
		return list
	case all:
		return full
	}
	return usual
}

func parsed[T any](list string, all bool, full, usual []T, parse func(string) (T, error)) ([]T, error) {
	if list == "" {
		if all {
			return full, nil
		}
		return usual, nil
	}
	var values []T
	for field := range strings.SplitSeq(list, ",") {
		v, err := parse(strings.TrimSpace(field))
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

func workloadsNamed(list string) ([]workload, error) {
	return pick(workloads, list, func(w workload) string { return w.name }, "workload")
}

// pick returns what a comma-separated list names, in its own order; "all" names all.
func pick[T any](from []T, list string, name func(T) string, kind string) ([]T, error) {
	if list == "all" {
		return from, nil
	}
	var picked []T
	for _, wanted := range strings.Split(list, ",") {
		i := slices.IndexFunc(from, func(v T) bool { return short(name(v)) == short(strings.TrimSpace(wanted)) })
		if i < 0 {
			var there []string
			for _, v := range from {
				there = append(there, short(name(v)))
			}
			return nil, fmt.Errorf("there is no %s %q; there are: all, %s", kind, wanted, strings.Join(there, ", "))
		}
		picked = append(picked, from[i])
	}
	return picked, nil
}
