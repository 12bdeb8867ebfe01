package dualsql

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/wal"
)

// hooks are what the tests have hung on the crash points, by the *coordinator; nil stands for all of the process. They change
// while background workers run.
var hooks sync.Map

func init() {
	crashpoint = func(co *coordinator, name string) {
		for _, key := range []*coordinator{co, nil} {
			if f, ok := hooks.Load(key); ok {
				f.(func(string))(name)
			}
		}
	}
}

// AtCrashpoints has f called at every crash point of this process.
func AtCrashpoints(f func(name string)) { hooks.Store((*coordinator)(nil), f) }

// AtCrashpoints has f called at the crash points of c's pair until the test ends.
func (c *Connector) AtCrashpoints(tb testing.TB, f func(name string)) {
	co := c.co
	hooks.Store(co, f)
	tb.Cleanup(func() { hooks.Delete(co) })
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
