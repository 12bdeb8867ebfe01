package result

import (
	"cmp"
	"slices"
	"time"
)

// Spread is a median and the lowest and highest of what it was taken from.
type Spread struct{ Low, Median, High float64 }

// SpreadOf returns the spread of some values, at least one.
func SpreadOf(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{sorted[0], (sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[n-1]}
}

// Quantile returns the smallest of the sorted values that a share of q of them does not exceed, zero if there is none.
func Quantile[T cmp.Ordered](sorted []T, q float64) (value T) {
	if len(sorted) == 0 {
		return value
	}
	i := int(q * float64(len(sorted)))
	if float64(i) == q*float64(len(sorted)) {
		i--
	}
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// Throughput returns the transactions a second, over the rounds.
func (e *Entry) Throughput() Spread { return e.over(Round.throughput) }

// CPU returns the client's processor time for a transaction, in microseconds, over the rounds.
func (e *Entry) CPU() Spread {
	return e.over(func(r Round) float64 {
		return float64(r.CPU) / float64(time.Microsecond) / float64(max(r.Transactions, 1))
	})
}

// Mallocs returns the client's allocations for a transaction, over the rounds.
func (e *Entry) Mallocs() Spread {
	return e.over(func(r Round) float64 { return float64(r.Mallocs) / float64(max(r.Transactions, 1)) })
}

// Bytes returns the bytes that the client allocates for a transaction, over the rounds.
func (e *Entry) Bytes() Spread {
	return e.over(func(r Round) float64 { return float64(r.Bytes) / float64(max(r.Transactions, 1)) })
}

func (e *Entry) over(f func(Round) float64) Spread {
	values := make([]float64, len(e.Rounds))
	for i, r := range e.Rounds {
		values[i] = f(r)
	}
	return SpreadOf(values)
}

func (r Round) throughput() float64 { return float64(r.Transactions) / r.Took.Seconds() }

// Ratio returns the throughput of one contender over that of another: the ratio is taken round by round, because in a
// round both have met the same machine. It is false if one of them has not run.
func (c *Cell) Ratio(contender, base string) (Spread, bool) {
	e, b := c.Entry(contender), c.Entry(base)
	if e == nil || b == nil {
		return Spread{}, false
	}
	var ratios []float64
	for i := range min(len(e.Rounds), len(b.Rounds)) {
		if below := b.Rounds[i].throughput(); below > 0 {
			ratios = append(ratios, e.Rounds[i].throughput()/below)
		}
	}
	if len(ratios) == 0 {
		return Spread{}, false
	}
	return SpreadOf(ratios), true
}
