package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
)

func entry(contender string, transactions int) result.Entry {
	return result.Entry{Contender: contender, Rounds: []result.Round{{Transactions: transactions, Took: time.Second}}}
}

func TestChart(t *testing.T) {
	run := &result.Run{
		Contenders: []result.Contender{{Name: "hand"}, {Name: "dualsql <2pc>"}, {Name: "absent"}},
		Cells: []result.Cell{
			{Workload: "update", Clients: 1, Entries: []result.Entry{entry("hand", 100), entry("dualsql <2pc>", 800)}},
			{Workload: "update", Clients: 16, Entries: []result.Entry{entry("hand", 100), entry("dualsql <2pc>", 25)}},
			{Workload: "ten", Clients: 1, Entries: []result.Entry{entry("hand", 100)}},
		},
	}
	var out bytes.Buffer
	if err := chart(&out, run, "update", "hand"); err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(bytes.NewReader(out.Bytes())); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	text := out.String()
	for _, want := range []string{"update, loopback, 1 client<", "update, loopback, 16 clients<", ">8.00<", ">0.25<", "&lt;2pc&gt;"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if n := strings.Count(text, "<circle"); n != 4 {
		t.Errorf("%d dots, want 4", n)
	}
	if strings.Contains(text, "ten") || strings.Contains(text, "absent") {
		t.Error("more than was asked for")
	}
	if err := chart(io.Discard, run, "scan", "hand"); err == nil {
		t.Error("a picture of nothing")
	}
}

func TestTwiceAndHalfAreEquallyFarFromOne(t *testing.T) {
	p := panel{low: 0.25, high: 4}
	if up, down := p.at(2)-p.at(1), p.at(1)-p.at(0.5); up-down > 1e-9 || down-up > 1e-9 || up <= 0 {
		t.Error(up, down)
	}
}

func TestCurveChart(t *testing.T) {
	c := result.Curve{Name: "rows", X: "rows", Y: "a < b"}
	for _, x := range []int64{1, 10, 100} {
		c.Add("one", x, result.SpreadOf([]float64{float64(x)}))
		c.Add("two", x, result.SpreadOf([]float64{0}))
	}
	var out bytes.Buffer
	if err := curveChart(&out, []result.Curve{c}); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(out.Bytes(), new(struct{})); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "<circle"); n != 6 || strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
		t.Errorf("%d dots, want 6:\n%s", n, out.String())
	}
}
