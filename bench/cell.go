package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// warmUp is how many transactions each client makes before the first round: connections, caches, prepared statements.
const warmUp = 8

// stuckAfter is when a turn that does not end is given up, and the run with it.
const stuckAfter = 2 * time.Minute

// starter is a contender in a cell, with what it has done there.
type starter struct {
	contender
	client       client
	entry        *result.Entry
	before       [2]int64
	acknowledged int
	times        []time.Duration
}

// cell runs one workload with all contenders, interleaved, and compares their databases.
func (b *bench) cell(ctx context.Context, key cellKey) (*result.Cell, error) {
	cell := &result.Cell{Workload: key.workload.name, Delay: key.delay, Clients: key.clients}
	cell.Entries = make([]result.Entry, 0, len(b.contenders)) // its entries are pointed at: it must not move
	var all []*starter
	for _, c := range b.contenders {
		if key.workload.reads && c.writesOnly {
			continue
		}
		cell.Entries = append(cell.Entries, result.Entry{Contender: c.Name})
		s := &starter{contender: c, entry: &cell.Entries[len(cell.Entries)-1]}
		if reason := b.begin(ctx, s, key); reason != nil {
			s.entry.Skipped = reason.Error()
			continue
		}
		all = append(all, s)
	}
	for round := range b.rounds {
		for _, i := range rotated(len(all), round) {
			s := all[i]
			stuck := time.AfterFunc(stuckAfter, func() { b.fatal(fmt.Errorf("%s is stuck in %s, %s", s.Name, key.workload.name, cell.Name())) })
			measured, t := turn(ctx, s.client, key.workload.next, key.clients, b.turn, uint64(round)+1)
			stuck.Stop()
			s.entry.Rounds = append(s.entry.Rounds, measured)
			s.count(t)
			s.times = append(s.times, t.times...)
		}
	}
	for _, s := range all {
		if err := b.end(ctx, s, key); err != nil {
			s.entry.Sides, s.entry.Wrong = "NOT COMPARED: "+err.Error(), true
		}
	}
	return cell, ctx.Err()
}

func (s *starter) count(t tally) {
	s.acknowledged += len(t.times)
	s.entry.Errors += t.errors
	if s.entry.FirstError == "" && t.first != nil {
		s.entry.FirstError = t.first.Error()
	}
}

// begin gets a contender ready. Its error is the reason to leave the contender out.
func (b *bench) begin(ctx context.Context, s *starter, key cellKey) error {
	direct := b.world.direct(s.contender)
	if err := emptied(ctx, direct); err != nil {
		return err
	}
	if !key.workload.reads {
		var err error
		if s.before, err = made(ctx, key.workload, direct); err != nil {
			return err
		}
	}
	p, err := b.world.place(ctx, s.contender, key.delay, key.clients)
	if err != nil {
		return err
	}
	if s.client, err = s.open(p); err != nil {
		return err
	}
	// Seeds of rounds begin at 1, and keys that were drawn here must not be drawn again.
	t := together(ctx, s.client, key.workload.next, key.clients, 0, func(done int) bool { return done < warmUp })
	s.count(t)
	if len(t.times) == 0 && t.first != nil {
		_ = s.client.close()
		return t.first
	}
	return nil
}

// end closes a contender and compares its databases.
func (b *bench) end(ctx context.Context, s *starter, key cellKey) error {
	direct := b.world.direct(s.contender)
	if err := settled(ctx, direct); err != nil {
		return err
	}
	if err := s.client.close(); err != nil {
		return err
	}
	slices.Sort(s.times)
	s.entry.P50, s.entry.P99 = result.Quantile(s.times, 0.5), result.Quantile(s.times, 0.99)
	var err error
	s.entry.Sides, s.entry.Wrong, err = compare(ctx, s.contender, key.workload, direct, s.before, s.acknowledged, s.entry.Errors)
	return err
}
