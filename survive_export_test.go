package dualsql

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/wal"
)

// hook is what the tests have hung on the crash points. It changes while background workers run.
var hook atomic.Pointer[func(name string)]

func init() {
	crashpoint = func(name string) {
		if f := hook.Load(); f != nil {
			(*f)(name)
		}
	}
}

// AtCrashpoints has f called at every crash point of this process until the test ends. tb may be nil.
func AtCrashpoints(tb testing.TB, f func(name string)) {
	hook.Store(&f)
	if tb != nil {
		tb.Cleanup(func() { hook.Store(nil) })
	}
}

// JournalOn has the journals that are opened from now on, until the test ends, on fs.
func JournalOn(tb testing.TB, fs wal.FS) {
	journalFS = fs
	tb.Cleanup(func() { journalFS = nil })
}

// Collectable lists the transactions whose markers are deleted with the next batch.
func (c *Connector) Collectable() []uuid.UUID {
	m := &c.co.markers
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ready)
}
