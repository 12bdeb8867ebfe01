package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
)

func entry(contender string, perRound ...int) result.Entry {
	e := result.Entry{Contender: contender, P50: time.Millisecond, P99: 2500 * time.Microsecond, Sides: "equal"}
	for _, n := range perRound {
		e.Rounds = append(e.Rounds, result.Round{Transactions: n, Took: time.Second, CPU: time.Duration(n) * time.Microsecond, Mallocs: uint64(7 * n)})
	}
	return e
}

func exampleRun() *result.Run {
	return &result.Run{
		Contenders: []result.Contender{{Name: plain}, {Name: byHand}, {Name: both}, {Name: pooled}, {Name: "dualsql marker"}},
		Delays:     []result.Delay{{RoundTrip: 50 * time.Microsecond}, {Delay: time.Millisecond, RoundTrip: 2 * time.Millisecond}},
		Cells: []result.Cell{
			{Workload: "update", Clients: 1, Entries: []result.Entry{
				entry(plain, 400, 400, 400), entry(byHand, 100, 200, 100), entry(both, 90, 220, 80),
				{Contender: pooled, Skipped: "not installed"},
			}},
			{Workload: "update", Clients: 16, Delay: time.Millisecond, Entries: []result.Entry{entry(byHand, 100), entry(both, 150)}},
			{Workload: "select", Clients: 1, Entries: []result.Entry{entry(plain, 100), entry(both, 98)}},
		},
	}
}

func TestGoals(t *testing.T) {
	var got []string
	for _, r := range reachedIn(exampleRun()) {
		got = append(got, strings.Join([]string{r.workload, r.base, r.cell.Name(), ratioText(r.ratio), r.mark()}, "; "))
	}
	want := []string{
		"select; pgx; loopback, 1 client; 0.98 (0.98–0.98); yes",
		"update; best-effort by hand; loopback, 1 client; 0.90 (0.80–1.10); no",
		"update; best-effort by hand; 1 ms, 16 clients; 1.50 (1.50–1.50); yes",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTables(t *testing.T) {
	run := exampleRun()
	var out bytes.Buffer
	printCell(&out, &run.Cells[0])
	printGoals(&out, run)
	for _, want := range []string{"left out: not installed", "0.90 (0.80–1.10)", "2.50", "update"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	page := markdown(run)
	for _, want := range []string{
		"| | loopback, 1 client | 1 ms, 16 clients |",
		"| " + both + " | 0.90 (0.80–1.10) | 1.50 (1.50–1.50) |",
		"| " + plain + " | 4.00 (2.00–4.00) | – |",
		"| " + both + " | 1.00 / 2.50; 1; 7 | 1.00 / 2.50; 1; 7 |",
		"2.00 ms (1 ms)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for _, unwanted := range []string{"dualsql marker", "not installed"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("%q in\n%s", unwanted, page)
		}
	}
}

func TestWrongDatabasesAreAnError(t *testing.T) {
	run := exampleRun()
	if err := reportCells(run, "", ""); err != nil {
		t.Error(err)
	}
	run.Cells[1].Entries[1].Wrong = true
	run.Cells[1].Entries[1].Sides = "DIFFERENT in account"
	if err := reportCells(run, "", ""); err == nil || !strings.Contains(err.Error(), both+": DIFFERENT in account") {
		t.Error(err)
	}
	if page := markdown(run); !strings.Contains(page, "DIFFERENT in account") {
		t.Error("the page hides it:\n" + page)
	}
}

func TestMarkdownReplacesItsBlockOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("before\n"+blockBegin+"\nold\n"+blockEnd+"\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var pages [2]string
	for i := range pages {
		if err := writeMarkdown(file, blockBegin, markdown(exampleRun())); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pages[i] = string(page)
	}
	if pages[0] != pages[1] {
		t.Error("the second time makes another page")
	}
	if p := pages[0]; !strings.HasPrefix(p, "before\n"+blockBegin) || !strings.HasSuffix(p, blockEnd+"\nafter\n") || strings.Contains(p, "old") {
		t.Error(p)
	}
	for _, page := range []string{"", blockBegin, blockEnd + blockBegin} {
		if _, err := replaceBlock([]byte(page), blockBegin, "x"); err == nil {
			t.Errorf("%q has no block", page)
		}
	}
}
