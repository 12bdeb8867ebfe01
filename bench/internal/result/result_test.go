package result

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSpreadOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{9, 1}, Spread{1, 5, 9}},
		{[]float64{9, 1, 2}, Spread{1, 2, 9}},
		{[]float64{4, 9, 1, 2}, Spread{1, 3, 9}},
	} {
		if got := SpreadOf(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}

func TestSpreadOfLeavesTheOrderAlone(t *testing.T) {
	values := []float64{3, 1, 2}
	SpreadOf(values)
	if !reflect.DeepEqual(values, []float64{3, 1, 2}) {
		t.Error("sorted in place:", values)
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, c := range []struct {
		values []int
		q      float64
		want   int
	}{
		{nil, 0.5, 0}, {[]int{7}, 0.5, 7}, {[]int{7}, 0.99, 7}, {[]int{1, 2, 3}, 0.5, 2}, {[]int{1, 2, 3, 4}, 0.5, 2},
		{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100}, {hundred[:50], 0.99, 50},
	} {
		if got := Quantile(c.values, c.q); got != c.want {
			t.Errorf("%v of %d values: %v, want %v", c.q, len(c.values), got, c.want)
		}
	}
}

func rounds(perSecond ...int) []Round {
	var list []Round
	for _, n := range perSecond {
		list = append(list, Round{Transactions: 2 * n, Took: 2 * time.Second, CPU: time.Duration(n) * time.Millisecond, Mallocs: uint64(20 * n), Bytes: uint64(200 * n)})
	}
	return list
}

func TestEntry(t *testing.T) {
	e := Entry{Rounds: rounds(100, 300, 200)}
	if got := e.Throughput(); got != (Spread{100, 200, 300}) {
		t.Error("throughput", got)
	}
	if got := e.CPU(); got != (Spread{500, 500, 500}) {
		t.Error("µs a transaction", got)
	}
	if got := e.Mallocs(); got != (Spread{10, 10, 10}) {
		t.Error("allocations", got)
	}
	if got := e.Bytes(); got != (Spread{100, 100, 100}) {
		t.Error("bytes", got)
	}
	idle := Entry{Rounds: []Round{{Took: time.Second, CPU: time.Second}}}
	if got := idle.CPU().Median; math.IsInf(got, 0) || math.IsNaN(got) {
		t.Error("a round without a transaction", got)
	}
}

// A machine that gets slower by half in the second round does not change the ratio.
func TestRatioIsTakenRoundByRound(t *testing.T) {
	c := Cell{Entries: []Entry{
		{Contender: "a", Rounds: rounds(200, 100, 220)},
		{Contender: "b", Rounds: rounds(100, 50, 100)},
		{Contender: "idle", Rounds: rounds(0)},
		{Contender: "c", Skipped: "not there"},
	}}
	if got, ok := c.Ratio("a", "b"); !ok || got != (Spread{2, 2, 2.2}) {
		t.Error(got, ok)
	}
	for _, pair := range [][2]string{{"a", "c"}, {"c", "a"}, {"a", "nobody"}, {"a", "idle"}} {
		if got, ok := c.Ratio(pair[0], pair[1]); ok {
			t.Error(pair, got)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		cell Cell
		want string
	}{
		{Cell{Clients: 1}, "loopback, 1 client"},
		{Cell{Clients: 16, Delay: 500 * time.Microsecond}, "0.5 ms, 16 clients"},
		{Cell{Clients: 64, Delay: 5 * time.Millisecond}, "5 ms, 64 clients"},
	} {
		if got := c.cell.Name(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestWriteAndRead(t *testing.T) {
	run := &Run{
		Date: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC), Rounds: 5, Turn: time.Second,
		Machine:    Machine{OS: "linux", Arch: "amd64", CPUs: 2, Go: "go1", PostgreSQL: "15", Pgpool: "4", Sync: time.Millisecond},
		Delays:     []Delay{{time.Millisecond, 3 * time.Millisecond}},
		Contenders: []Contender{{"a", "the first"}},
		Cells: []Cell{{"update", time.Millisecond, 16, []Entry{
			{Contender: "a", Rounds: rounds(1, 2), P50: 1, P99: 2, Sides: "equal", Wrong: true, Errors: 1, FirstError: "no"},
			{Contender: "b", Skipped: "not there"},
		}}},
	}
	file := filepath.Join(t.TempDir(), "run.json")
	if err := run.Write(file); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, run) {
		t.Errorf("%+v, want %+v", got, run)
	}
	if c := got.Cell("update", time.Millisecond, 16); c == nil || c.Entry("a") == nil || c.Entry("b") != nil || c.Entry("z") != nil {
		t.Errorf("%+v", c)
	}
	if got.Cell("update", 0, 16) != nil || got.Cell("ten", time.Millisecond, 16) != nil || got.Cell("update", time.Millisecond, 1) != nil {
		t.Error("a cell that is not there")
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	if _, err := Read("result.go"); err == nil || !strings.Contains(err.Error(), "-json") {
		t.Error(err)
	}
}
