package torture

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// calmLimit is how long every process may take, after the last disturbance, to commit again.
	calmLimit = 90 * time.Second
	// stopLimit is how long a process may take to end in good order.
	stopLimit = lastAsks + time.Minute
)

// disturb runs the processes and the disturbances for the time that was asked for, waits until all work again, and ends the
// processes.
func (t *torture) disturb(ctx context.Context) (err error) {
	// Nothing but a failure ends run; the end of ctx only ends the disturbances.
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	t.cancel = cancel
	defer func() {
		for _, s := range t.slots {
			err = errors.Join(err, s.end())
		}
	}()
	for n := range t.Processes {
		s, err := t.newSlot(n)
		if err != nil {
			return err
		}
		t.slots = append(t.slots, s)
		if err := s.start(); err != nil {
			return err
		}
	}
	t.monkey = newMonkey(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.watch(run)
	}()
	defer func() { <-ended }()
	defer cancel(nil)

	disturbed, over := context.WithTimeout(run, t.Duration)
	defer over()
	defer context.AfterFunc(ctx, over)()
	t.monkey.run(disturbed)
	if err := context.Cause(run); err != nil {
		return err
	}
	if err := t.workAgain(run); err != nil {
		return err
	}
	return t.stopAll(run)
}

// workAgain waits until every process has committed something that it began after the last disturbance.
func (t *torture) workAgain(ctx context.Context) error {
	since := make([]uint32, len(t.slots))
	for i, s := range t.slots {
		since[i], _ = t.lines(s.life)
	}
	limit := time.After(calmLimit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i, s := range t.slots {
		for {
			if _, worked := t.lines(s.life); worked > since[i] {
				break
			}
			select {
			case <-tick.C:
			case <-limit:
				return fmt.Errorf("process %d has committed nothing within %v after the last disturbance; its log is %s", s.n+1, calmLimit, t.log(s.n))
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

func (t *torture) stopAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	failures := make([]error, len(t.slots))
	var group sync.WaitGroup
	for i, s := range t.slots {
		group.Go(func() { failures[i] = s.stop(ctx) })
	}
	group.Wait()
	return errors.Join(failures...)
}
