package chaos

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	leakLimit = 10 * time.Second
	leakPoll  = 10 * time.Millisecond
)

// background are the goroutines that the runtime and the testing package start at any time and keep.
var background = []string{
	"os/signal.signal_recv",
	"os/signal.loop",
	"runtime.ensureSigM",
	"created by runtime.",
	"created by testing.",
}

// CheckGoroutines is called at the start of a test. When the test and the cleanups registered after this call are done,
// it fails the test if there are goroutines that were not there before, and prints their stacks. It gives them 10 s to
// end. The test must not run in parallel with others.
func CheckGoroutines(tb testing.TB) {
	tb.Helper()
	checkGoroutines(tb, leakLimit)
}

func checkGoroutines(tb testing.TB, limit time.Duration) {
	tb.Helper()
	before := map[string]bool{}
	for id := range goroutines() {
		before[id] = true
	}
	tb.Cleanup(func() {
		deadline := time.Now().Add(limit)
		for {
			leaked := leaks(before)
			if len(leaked) == 0 {
				return
			}
			if time.Now().After(deadline) {
				tb.Errorf("%d goroutines left behind:\n\n%s", len(leaked), strings.Join(leaked, "\n\n"))
				return
			}
			time.Sleep(leakPoll)
		}
	})
}

func leaks(before map[string]bool) []string {
	var leaked []string
	for id, stack := range goroutines() {
		if !before[id] && !isBackground(stack) {
			leaked = append(leaked, stack)
		}
	}
	return leaked
}

func isBackground(stack string) bool {
	for _, mark := range background {
		if strings.Contains(stack, mark) {
			return true
		}
	}
	return false
}

// goroutines returns the stacks of all goroutines by their ids. An id is never used again.
func goroutines() map[string]string {
	stacks := map[string]string{}
	for stack := range strings.SplitSeq(string(allStacks()), "\n\n") {
		// "goroutine 18 [chan receive]:"
		if id, _, ok := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " "); ok {
			stacks[id] = strings.TrimSpace(stack)
		}
	}
	return stacks
}

func allStacks() []byte {
	for buffer := make([]byte, 64<<10); ; buffer = make([]byte, 2*len(buffer)) {
		if n := runtime.Stack(buffer, true); n < len(buffer) {
			return bytes.Clone(buffer[:n])
		}
	}
}
