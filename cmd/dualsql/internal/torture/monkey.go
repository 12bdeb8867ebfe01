package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos/netproxy"
)

// monkey disturbs. What it does, and when, comes from the seed; what that meets does not.
type monkey struct {
	t      *torture
	random *rand.Rand
	acts   []act
	weight int

	running sync.WaitGroup
	network [2]sync.Mutex // held while a side's network is disturbed
	servers [2]sync.Mutex // held while a side's server is down

	mu    sync.Mutex
	count Disturbances
}

// act is one kind of disturbance. draw takes what is random about it and returns what to do.
type act struct {
	weight int
	draw   func() func(context.Context) error
}

// between is the mean time from one disturbance to the next.
const between = 400 * time.Millisecond

func newMonkey(t *torture) *monkey {
	m := &monkey{t: t, random: rand.New(rand.NewPCG(t.Seed, 0))}
	m.add(70, m.killOne)
	m.add(3, m.killAll)
	if t.Commit == dualsql.TwoPhase {
		m.add(8, m.killAndLoseJournal)
	}
	for i, p := range t.proxies {
		if p != nil {
			m.add(4, func() func(context.Context) error { return m.cut(p) })
			m.add(3, func() func(context.Context) error { return m.outage(i, p) })
			m.add(25, func() func(context.Context) error { return m.lose(p) })
			m.add(2, func() func(context.Context) error { return m.freeze(i, p) })
			m.add(4, func() func(context.Context) error { return m.slow(i, p) })
		}
	}
	for i, s := range t.Servers {
		if s != nil {
			m.add(3, func() func(context.Context) error { return m.stopServer(i, s) })
		}
	}
	return m
}

func (m *monkey) add(weight int, draw func() func(context.Context) error) {
	m.acts = append(m.acts, act{weight, draw})
	m.weight += weight
}

// run disturbs until ctx ends. When it returns, everything is up and as it should be.
func (m *monkey) run(ctx context.Context) {
	for pause(ctx, m.within(2*between)) == nil {
		do := m.next()
		m.running.Go(func() {
			if err := do(ctx); err != nil {
				m.t.cancel(err)
			}
		})
	}
	m.running.Wait()
}

func (m *monkey) next() func(context.Context) error {
	n := m.random.IntN(m.weight)
	for _, a := range m.acts {
		if n < a.weight {
			return a.draw()
		}
		n -= a.weight
	}
	panic("unreachable")
}

func (m *monkey) within(d time.Duration) time.Duration {
	return time.Duration(m.random.Int64N(int64(d)))
}

func (m *monkey) did(n *int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*n++
}

func (t *torture) count() Disturbances {
	t.monkey.mu.Lock()
	defer t.monkey.mu.Unlock()
	return t.monkey.count
}

const restartWithin = 400 * time.Millisecond

func (m *monkey) killOne() func(context.Context) error {
	return m.kill(m.random.IntN(len(m.t.slots)), false)
}

func (m *monkey) killAndLoseJournal() func(context.Context) error {
	return m.kill(m.random.IntN(len(m.t.slots)), true)
}

func (m *monkey) kill(n int, loseJournal bool) func(context.Context) error {
	after := m.within(restartWithin)
	return func(ctx context.Context) error {
		done, err := m.t.slots[n].kill(ctx, loseJournal, after)
		if done {
			m.did(&m.count.Kills)
		}
		if done && loseJournal {
			m.did(&m.count.LostJournals)
		}
		return err
	}
}

// killAll is what happens to the processes when their machine goes down.
func (m *monkey) killAll() func(context.Context) error {
	var each []func(context.Context) error
	for n := range m.t.slots {
		each = append(each, m.kill(n, false))
	}
	return func(ctx context.Context) error {
		for _, kill := range each {
			m.running.Go(func() {
				if err := kill(ctx); err != nil {
					m.t.cancel(err)
				}
			})
		}
		return nil
	}
}

func (m *monkey) cut(p *netproxy.Proxy) func(context.Context) error {
	return func(context.Context) error {
		p.Cut()
		m.did(&m.count.Cuts)
		return nil
	}
}

// onNetwork does something to a side's network for a while, unless something is being done to it already.
func (m *monkey) onNetwork(side int, n *int, length time.Duration, begin func(), end func() error) func(context.Context) error {
	return func(ctx context.Context) error {
		if !m.network[side].TryLock() {
			return nil
		}
		defer m.network[side].Unlock()
		begin()
		m.did(n)
		_ = pause(ctx, length)
		return end()
	}
}

func (m *monkey) outage(side int, p *netproxy.Proxy) func(context.Context) error {
	return m.onNetwork(side, &m.count.Outages, m.within(time.Second), p.Down, p.Up)
}

func (m *monkey) freeze(side int, p *netproxy.Proxy) func(context.Context) error {
	return m.onNetwork(side, &m.count.Freezes, m.within(2*time.Second), p.Freeze, func() error { p.Thaw(); return nil })
}

func (m *monkey) slow(side int, p *netproxy.Proxy) func(context.Context) error {
	delay := m.within(40 * time.Millisecond)
	return m.onNetwork(side, &m.count.Slowdowns, m.within(3*time.Second), func() { p.Delay(delay) }, func() error { p.Delay(0); return nil })
}

func (m *monkey) stopServer(side int, s Server) func(context.Context) error {
	length := m.within(time.Second)
	return func(ctx context.Context) error {
		if !m.servers[side].TryLock() {
			return nil
		}
		defer m.servers[side].Unlock()
		if err := s.Kill(); err != nil {
			return fmt.Errorf("stop a server: %w", err)
		}
		m.did(&m.count.Stops)
		_ = pause(ctx, length)
		if err := s.Start(); err != nil {
			return fmt.Errorf("start a server: %w", err)
		}
		return nil
	}
}
