package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/child"
)

// told is what the working processes have told before they died: what a customer would have been told.
type told struct{ committed, rolledBack map[string]bool }

// life is how one working process lived.
type life struct {
	killed  bool
	ready   bool // it had recovered
	failure string
}

// live starts a working process and kills it when the time has come, counted from its first line. With a negative time it
// is let work for the opposite of it, and then ends in good order.
func live(ctx context.Context, j job, until time.Duration, t *told, progress func()) (life, error) {
	var l life
	up, ready := make(chan struct{}), make(chan struct{})
	p, err := child.Start(WorkerArg, j, os.Stderr, func(line string) { l.hear(line, t, up, ready, progress) })
	if err != nil {
		return l, err
	}
	switch {
	case until >= 0:
		if await(ctx, up, p.Ended()) {
			timer := time.NewTimer(until)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			case <-p.Ended():
			}
		}
		l.killed = p.Kill()
	case await(ctx, ready, p.Ended()) && pause(ctx, -until) == nil && p.Stop() == nil:
		select {
		case <-p.Ended():
		case <-ctx.Done():
			l.killed = p.Kill()
		}
	default:
		l.killed = p.Kill()
	}
	if ctx.Err() != nil {
		return l, ctx.Err()
	}
	if l.failure != "" {
		return l, errors.New("the working process has failed: " + l.failure)
	}
	if !l.killed && (p.Err() != nil || until >= 0) {
		return l, fmt.Errorf("the working process has ended by itself: %v", p.Err())
	}
	return l, nil
}

// await reports whether c was closed before the process ended.
func await(ctx context.Context, c, ended <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-ended:
	case <-ctx.Done():
	}
	return false
}

func (l *life) hear(line string, t *told, up, ready chan struct{}, progress func()) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case sayUp:
		close(up)
	case sayReady:
		l.ready = true
		close(ready)
	case sayCommitted:
		t.committed[rest] = true
		progress()
	case sayRolledBack:
		t.rolledBack[rest] = true
	case sayFailed:
		l.failure = rest
	}
}
