package tsql

import (
	"context"
	"errors"
	"time"
)

var errClosed = errors.New("the session is closed")

// start begins a request, finish ends it. In between a Cancel is for it.
func (s *session) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.running, s.cancelled = true, make(chan struct{})
	return nil
}

func (s *session) finish() {
	s.mu.Lock()
	s.running = false
	closed := s.closed
	s.mu.Unlock()
	if closed {
		s.shut()
	}
}

// Cancel is [tds.Session.Cancel]. PostgreSQL ignores a request to cancel that comes before what is to be cancelled, so it is
// repeated until that has ended.
func (s *session) Cancel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running || isClosed(s.cancelled) {
		return
	}
	close(s.cancelled)
	if s.busy {
		go s.cancelUntilIdle(s.asked)
	}
}

const (
	cancelAgain = 20 * time.Millisecond
	cancelLimit = 5 * time.Second
)

func (s *session) cancelUntilIdle(asked uint64) {
	for s.cancelOnce(asked) {
		time.Sleep(cancelAgain)
	}
}

// cancelOnce holds the mutex: PostgreSQL closes the connection that asks it to cancel when it has sent the signal, so what the
// session asks next, which needs the mutex before, is not hit.
func (s *session) cancelOnce(asked uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.busy || s.asked != asked {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), cancelLimit)
	defer cancel()
	return s.pg.CancelRequest(ctx) == nil
}

// enter is called before PostgreSQL is asked something for the request, leave when it has answered.
func (s *session) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isClosed(s.cancelled) {
		return errCancel
	}
	s.asked++
	s.busy = true
	return nil
}

func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
