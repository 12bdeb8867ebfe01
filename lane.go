package dualsql

import (
	"context"
	"sync"
)

// maxQueued and maxQueuedSize bound what a lane holds back: a writer that is so far ahead of the secondary waits for it.
const (
	maxQueued     = 256
	maxQueuedSize = 4 << 20
)

// lane runs a transaction's statements on the secondary, in order, while the caller goes on on the primary. While it is
// busy, the secondary's session belongs to it alone. The first failure is kept; what is queued behind it does not run.
//
// A lazy lane does not run ahead: it keeps the statements back until the barrier. On a secondary with one writer at a time a
// transaction that has its place there, and waits on the primary for what one has that waits for that place, would wait for
// ever; at the barrier, or once it is the primary's one writer, it waits for nothing on the primary any more.
type lane struct {
	mu    sync.Mutex
	queue []laneJob
	busy  bool
	idle  chan struct{} // closed when busy turns false
	err   error
	lazy  bool
	// keeps: the newest statement waits until another comes, or the barrier: it may be the last, which can take more along.
	keeps bool
	leave int // the lane stops when so many are left
	// fail runs once, in the lane, after the first failure.
	fail func()
	tail chan struct{} // closed when what follows the transaction before has run; nil: nothing does

	ctx    context.Context
	cancel context.CancelFunc
}

// laneJob is one statement's turn.
type laneJob struct {
	run       func(context.Context) error
	size      int64  // of its values, in bytes
	savepoint string // that the statement sets; "" for all others
	releases  bool   // the statement releases savepoints
}

// start makes the lane ready for a transaction.
func (l *lane) start(ctx context.Context, lazy, keeps bool, fail func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.err, l.lazy, l.keeps, l.fail = nil, lazy, keeps, fail
}

// stop lets nothing more run, cuts short what is running, and waits until the lane is idle.
func (l *lane) stop() {
	l.mu.Lock()
	l.queue = nil
	cancel, idle := l.cancel, l.idle
	busy := l.busy
	l.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if busy {
		<-idle
	}
}

// add queues a statement. It waits only while the queue is full.
func (l *lane) add(ctx context.Context, job laneJob) error {
	for {
		l.mu.Lock()
		if err := l.err; err != nil {
			l.mu.Unlock()
			return err
		}
		if !l.full() {
			l.queue = append(l.queue, job)
			if !l.lazy {
				l.awake(l.kept())
			}
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		if err := l.barrier(ctx); err != nil {
			return err
		}
	}
}

// full reports whether the lane holds back as much as it may. l.mu is held.
func (l *lane) full() bool {
	var size int64
	for i := range l.queue {
		size += l.queue[i].size
	}
	return len(l.queue) >= maxQueued || size >= maxQueuedSize
}

// hurry makes a lazy lane run ahead from now on.
func (l *lane) hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lazy {
		l.lazy = false
		l.awake(l.kept())
	}
}

// kept is how many statements wait for those behind them. l.mu is held.
func (l *lane) kept() int {
	if l.keeps {
		return 1
	}
	return 0
}

// awake makes the lane run until kept statements are left. l.mu is held.
func (l *lane) awake(kept int) {
	l.leave = kept
	if !l.busy && len(l.queue) > kept {
		l.busy, l.idle = true, make(chan struct{})
		go l.run()
	}
}

// follow runs f, which ends the transaction on the secondary, while the caller goes on. The next transaction's statements
// wait for it.
func (l *lane) follow(f func()) {
	tail := make(chan struct{})
	l.mu.Lock()
	l.tail = tail
	l.mu.Unlock()
	go func() {
		defer close(tail)
		f()
	}()
}

// following reports whether what follows the transaction before is still running.
func (l *lane) following() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.tail:
		l.tail = nil
	default:
	}
	return l.tail != nil
}

func (l *lane) waitFollowing(ctx context.Context) error {
	l.mu.Lock()
	tail := l.tail
	l.mu.Unlock()
	if tail == nil {
		return nil
	}
	select {
	case <-tail:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run ends when there is nothing to run, so that an idle lane costs nothing and leaks nothing.
func (l *lane) run() {
	for {
		l.mu.Lock()
		if len(l.queue) <= l.leave {
			if l.busy = false; len(l.queue) == 0 {
				l.queue = nil
			}
			close(l.idle)
			l.mu.Unlock()
			return
		}
		job := l.queue[0]
		l.queue = l.queue[1:]
		failed := l.err != nil
		ctx, fail := l.ctx, l.fail
		l.mu.Unlock()
		if failed || l.waitFollowing(ctx) != nil { // it is stopped, and the session is not this transaction's
			continue
		}
		if err := job.run(ctx); err != nil {
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
			fail()
		}
	}
}

// beforeRollbackTo makes the secondary catch up before the primary gives back the locks that were taken since the savepoint:
// nobody else shall have them there while they are still to be taken here. A lazy lane drops those statements instead, once
// the primary has rolled back to it.
func (l *lane) beforeRollbackTo(ctx context.Context) error {
	l.mu.Lock()
	lazy := l.lazy
	l.mu.Unlock()
	if lazy {
		return l.failure()
	}
	return l.barrier(ctx)
}

// rolledBackTo drops what a lazy lane has kept back since the savepoint. Behind a release it is not plain which savepoint of
// a name is meant, and everything stays: it runs, and is rolled back on the secondary.
func (l *lane) rolledBackTo(savepoint string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lazy {
		return
	}
	for i := len(l.queue) - 1; i >= 0 && !l.queue[i].releases; i-- {
		if l.queue[i].savepoint == savepoint {
			l.queue = l.queue[:i+1]
			return
		}
	}
}

// failure returns the first failure so far, without waiting.
func (l *lane) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// barrier waits until the lane is empty and returns its first failure.
func (l *lane) barrier(ctx context.Context) error { return l.wait(ctx, 0) }

// last waits until nothing is left but a statement that the lane keeps back, and hands that one over: nil if there is none. It
// returns the first failure.
func (l *lane) last(ctx context.Context) (func(context.Context) error, error) {
	l.mu.Lock()
	kept := l.kept()
	l.mu.Unlock()
	if err := l.wait(ctx, kept); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return nil, nil
	}
	job := l.queue[0]
	l.queue = nil
	return job.run, nil
}

func (l *lane) wait(ctx context.Context, kept int) error {
	l.mu.Lock()
	l.awake(kept)
	busy, idle := l.busy, l.idle
	l.mu.Unlock()
	if err := l.waitFollowing(ctx); err != nil {
		return err
	}
	if busy {
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return l.failure()
}
