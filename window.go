package dualsql

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// window holds the transactions whose deciding COMMIT has been sent and that have not ended on the secondary.
//
// A statement that ran on the primary may have seen the effects of any of them. So its copy in the lane waits until those
// that were in the window when it had run on the primary have left it, or it would run on a secondary where they have not
// happened yet. Safe for concurrent use.
type window struct {
	count atomic.Int32 // of flights, so that the common case takes no lock
	mu    sync.Mutex
	m     map[*flight]struct{}
}

// flight is one transaction in the window.
type flight struct {
	w    *window
	txid uuid.UUID
	// landed is closed when the commit phase is over: the transaction has left the window, or is stuck.
	landed chan struct{}
	// stuck: its end on the secondary has to wait for the resolver. It is set before landed is closed.
	stuck bool
	// left is closed when the transaction is out of the window.
	left chan struct{}
}

func (w *window) enter(txid uuid.UUID) *flight {
	f := &flight{w: w, txid: txid, landed: make(chan struct{}), left: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.m == nil {
		w.m = map[*flight]struct{}{}
	}
	w.m[f] = struct{}{}
	w.count.Add(1)
	return f
}

// stick ends the commit phase without an end; the flight stays in the window until leave.
func (f *flight) stick() {
	f.stuck = true
	close(f.landed)
}

func (f *flight) leave() {
	f.w.mu.Lock()
	delete(f.w.m, f)
	f.w.count.Add(-1)
	f.w.mu.Unlock()
	if !f.stuck {
		close(f.landed)
	}
	close(f.left)
}

// ahead returns the transactions that are in the window now.
func (w *window) ahead() []*flight {
	if w.count.Load() == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]*flight, 0, len(w.m))
	for f := range w.m {
		list = append(list, f)
	}
	return list
}

// stuck returns a stuck transaction, if there is one.
func (w *window) stuck() *flight {
	for _, f := range w.ahead() {
		select {
		case <-f.landed:
			if f.stuck {
				return f
			}
		default:
		}
	}
	return nil
}

// wait returns when the commit phase of each flight is over, and the first that is stuck and has not left.
func wait(ctx context.Context, flights []*flight) (*flight, error) {
	for _, f := range flights {
		select {
		case <-f.landed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if f.stuck {
			select {
			case <-f.left:
			default:
				return f, nil
			}
		}
	}
	return nil, nil
}
