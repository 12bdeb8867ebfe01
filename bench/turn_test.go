package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestEachContenderBeginsInTurn(t *testing.T) {
	var firsts []int
	for round := range 4 {
		order := rotated(3, round)
		firsts = append(firsts, order[0])
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, []int{0, 1, 2}) {
			t.Errorf("round %d: %v", round, order)
		}
	}
	if !slices.Equal(firsts, []int{0, 1, 2, 0}) {
		t.Error("first in each round:", firsts)
	}
	if got := rotated(0, 5); len(got) != 0 {
		t.Error(got)
	}
}

// fake is a client that does nothing, or fails.
type fake struct {
	mu    sync.Mutex
	texts []string
	fails func(call int64) bool
	calls atomic.Int64
}

func (f *fake) perform(_ context.Context, tx []statement) error {
	f.mu.Lock()
	f.texts = append(f.texts, tx[0].text)
	f.mu.Unlock()
	if f.fails != nil && f.fails(f.calls.Add(1)) {
		return errors.New("refused")
	}
	time.Sleep(100 * time.Microsecond)
	return nil
}

func (f *fake) close() error { return nil }

func letters(r *rand.Rand) []statement {
	return []statement{{text: string(rune('a' + r.IntN(26)))}}
}

func TestTurnCountsWhatWasDone(t *testing.T) {
	f := &fake{fails: func(call int64) bool { return call%4 == 0 }}
	const length = 50 * time.Millisecond
	round, tally := turn(t.Context(), f, letters, 3, length, 1)
	if round.Transactions == 0 || round.Transactions != len(tally.times) || round.Transactions+tally.errors != len(f.texts) {
		t.Errorf("%d transactions, %d times, %d errors, %d calls", round.Transactions, len(tally.times), tally.errors, len(f.texts))
	}
	if round.Took < length || tally.first == nil {
		t.Errorf("took %v, first error %v", round.Took, tally.first)
	}
	if round.CPU <= 0 || round.Mallocs == 0 || round.Bytes == 0 {
		t.Errorf("%+v", round)
	}
}

func TestContenderThatAlwaysFailsGivesUp(t *testing.T) {
	f := &fake{fails: func(int64) bool { return true }}
	round, tally := turn(t.Context(), f, letters, 2, time.Hour, 1)
	if round.Transactions != 0 || tally.errors != 2*maxErrors {
		t.Errorf("%d transactions, %d errors", round.Transactions, tally.errors)
	}
}

func TestTheSameSeedDrawsTheSame(t *testing.T) {
	drawn := func(seed uint64) []string {
		f := &fake{}
		together(t.Context(), f, letters, 2, seed, func(done int) bool { return done < 20 })
		slices.Sort(f.texts)
		return f.texts
	}
	if !slices.Equal(drawn(1), drawn(1)) {
		t.Error("one seed, two series")
	}
	if slices.Equal(drawn(1), drawn(2)) {
		t.Error("two seeds, one series")
	}
}

func TestInterruptEndsATurn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if round, _ := turn(ctx, &fake{}, letters, 2, time.Hour, 1); round.Transactions != 0 {
		t.Errorf("%+v", round)
	}
}
