package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorder is a test that keeps its errors for itself.
type recorder struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) finish() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// startWaiter returns when the goroutine that it starts is inside waitForEver, where its stack shows it.
func startWaiter(stop chan struct{}) {
	running := make(chan struct{})
	go waitForEver(running, stop)
	<-running
}

func waitForEver(running, stop chan struct{}) {
	close(running)
	<-stop
}

func TestCheckGoroutines(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	startWaiter(stop) // there before: not a leak

	t.Run("none left", func(t *testing.T) {
		r := &recorder{TB: t}
		checkGoroutines(r, time.Minute)
		ended := make(chan struct{})
		startWaiter(ended)
		r.Cleanup(func() { close(ended) })
		if r.finish(); len(r.errors) > 0 {
			t.Errorf("reported %q", r.errors)
		}
	})
	t.Run("one left", func(t *testing.T) {
		r := &recorder{TB: t}
		checkGoroutines(r, 0)
		left := make(chan struct{})
		defer close(left)
		startWaiter(left)
		r.finish()
		if len(r.errors) != 1 || !strings.Contains(r.errors[0], "waitForEver") || !strings.HasPrefix(r.errors[0], "1 gor") {
			t.Errorf("reported %q", r.errors)
		}
	})
}
