package dualsql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dualsql/dualsql/internal/engine"
)

// spares keeps one idle session a side between dualsql's own tasks: a connection costs a server far more than what a task does
// on it. Safe for concurrent use.
type spares struct {
	mu     sync.Mutex
	idle   [2]engine.Marking
	since  [2]time.Time
	closed bool
}

// spareTime is how long a session is kept that nobody needs, at least.
const spareTime = 5 * time.Second

func (p *spares) take(role engine.Role) engine.Marking {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.idle[role]
	p.idle[role] = nil
	return s
}

// put reports whether s is kept.
func (p *spares) put(role engine.Role, s engine.Marking) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.idle[role] != nil {
		return false
	}
	p.idle[role], p.since[role] = s, time.Now()
	return true
}

// expire closes what has been idle since before.
func (p *spares) expire(before time.Time) {
	p.mu.Lock()
	var old [2]engine.Marking
	for role, s := range p.idle {
		if s != nil && p.since[role].Before(before) {
			old[role], p.idle[role] = s, nil
		}
	}
	p.mu.Unlock()
	closeAll(old)
}

func (p *spares) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	closeAll(p.idle)
	p.idle = [2]engine.Marking{}
}

// withSession runs f on a session to one side that no connection of the application uses.
func (co *coordinator) withSession(ctx context.Context, role engine.Role, f func(engine.Marking) error) error {
	s, err := co.spareSession(ctx, role)
	if err != nil {
		return err
	}
	if err = f(s); err == nil && s.Valid() && s.Status() == engine.TxIdle && co.spares.put(role, s) {
		return nil
	}
	return errors.Join(err, s.Close())
}

// spareSession takes the idle session if it still answers, and else connects.
func (co *coordinator) spareSession(ctx context.Context, role engine.Role) (engine.Marking, error) {
	if s := co.spares.take(role); s != nil {
		ping, cancel := context.WithTimeout(ctx, co.sides[role].connectTimeout/4) // the rest is for another
		err := s.Ping(ping)
		cancel()
		if err == nil {
			return s, nil
		}
		_ = s.Close()
	}
	return co.ownSession(ctx, role)
}

// ownSession connects; the caller closes the session.
func (co *coordinator) ownSession(ctx context.Context, role engine.Role) (engine.Marking, error) {
	s, err := co.sides[role].connect(ctx)
	if err != nil {
		return nil, err
	}
	m, ok := s.(engine.Marking)
	if !ok {
		_ = s.Close()
		return nil, fmt.Errorf("dualsql: %s: the %s engine carries no commit markers", role, co.sides[role].engine.Name())
	}
	return m, nil
}
