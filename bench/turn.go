package main

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// rotated returns the order of n contenders in a round: each begins in turn.
func rotated(n, round int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = (i + round) % n
	}
	return order
}

// tally is what the goroutines of a turn have done.
type tally struct {
	times  []time.Duration
	errors int
	first  error
}

// maxErrors is after how many failures a goroutine gives up for a turn.
const maxErrors = 20

// work runs transactions one after the other until more says no.
func work(ctx context.Context, c client, next func(*rand.Rand) []statement, r *rand.Rand, more func(done int) bool) (t tally) {
	for ctx.Err() == nil && t.errors < maxErrors && more(len(t.times)) {
		tx := next(r)
		start := time.Now()
		err := c.perform(ctx, tx)
		if err == nil {
			t.times = append(t.times, time.Since(start))
			continue
		}
		if t.errors++; t.first == nil {
			t.first = err
		}
	}
	return t
}

// together has as many goroutines as there are clients at work. Those of the same seed draw the same transactions.
func together(ctx context.Context, c client, next func(*rand.Rand) []statement, clients int, seed uint64, more func(done int) bool) tally {
	parts := make([]tally, clients)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() { parts[i] = work(ctx, c, next, rand.New(rand.NewPCG(seed, uint64(i))), more) })
	}
	group.Wait()
	var all tally
	for _, part := range parts {
		all.times = append(all.times, part.times...)
		all.errors += part.errors
		if all.first == nil {
			all.first = part.first
		}
	}
	return all
}

// turn measures a contender for a time. What the garbage of others costs is not on its account.
//
// Under ack=decided up to one transaction a client is on its way to the secondary when the turn ends.
func turn(ctx context.Context, c client, next func(*rand.Rand) []statement, clients int, length time.Duration, seed uint64) (result.Round, tally) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	processor, start := processorTime(), time.Now()
	t := together(ctx, c, next, clients, seed, func(int) bool { return time.Since(start) < length })
	took, used := time.Since(start), processorTime()-processor
	runtime.ReadMemStats(&after)
	return result.Round{
		Transactions: len(t.times), Took: took, CPU: used,
		Mallocs: after.Mallocs - before.Mallocs, Bytes: after.TotalAlloc - before.TotalAlloc,
	}, t
}

// medianOf returns the median time of n calls.
func medianOf(n int, do func() error) (time.Duration, error) {
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return result.Quantile(times, 0.5), nil
}
