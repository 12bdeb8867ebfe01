package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPlanned(t *testing.T) {
	for _, c := range []struct {
		all                    bool
		names, delays, clients string
		want                   int
	}{
		{false, "", "", "", len(defaultCells)},
		{true, "", "", "", len(workloads) * len(allDelays) * len(allClients)},
		{false, "ten", "", "", 4},
		{false, "", "5ms", "64", 1},
		{true, "ten,update", "0, 1ms", "", 2 * 2 * len(allClients)},
		{false, "all", "0", "1", len(workloads)},
	} {
		cells, err := planned(c.all, c.names, c.delays, c.clients)
		if err != nil || len(cells) != c.want {
			t.Errorf("%+v: %d cells, err %v", c, len(cells), err)
		}
	}
	for _, c := range []struct{ names, delays, clients, want string }{
		{"updates", "", "", "update, tpcb"},
		{"", "1", "", "-delays"},
		{"", "-1ms", "", "delay"},
		{"", "", "x", "-clients"},
		{"", "", "0", "clients"},
		{"", "", "65", "64 clients"},
	} {
		if _, err := planned(false, c.names, c.delays, c.clients); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestDefaultContendersAreThere(t *testing.T) {
	chosen, err := named(contenders(), strings.Join(defaultContenders, "|"))
	if err == nil {
		t.Error("a separator of another kind", chosen)
	}
	for _, name := range defaultContenders {
		if _, err := named(contenders(), name); err != nil {
			t.Error(err)
		}
		if _, err := named(contenders(), short(name)); err != nil {
			t.Error(err)
		}
	}
}

// Databases and directories have these names.
func TestShortNamesAreDifferent(t *testing.T) {
	var names []string
	for _, c := range contenders() {
		name := short(c.Name)
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || slices.Contains(names, name) {
			t.Errorf("%q of %q", name, c.Name)
		}
		names = append(names, name)
	}
}

// A run without flags shows every goal.
func TestDefaultCellsAreThoseOfTheGoals(t *testing.T) {
	for _, g := range goals {
		for _, name := range []string{g.contender, g.base} {
			if !slices.Contains(defaultContenders, name) {
				t.Errorf("%q is not in a run without flags", name)
			}
		}
		if !slices.ContainsFunc(defaultCells, func(c struct {
			workload string
			delay    time.Duration
			clients  int
		}) bool {
			return c.workload == g.workload && slices.Contains(g.delays, c.delay) && slices.Contains(g.clients, c.clients)
		}) {
			t.Errorf("no cell of %+v", g)
		}
	}
}
