package chaos

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// KillSelf ends the process as a crash does (SIGKILL, on Windows TerminateProcess): no deferred function runs, nothing is
// flushed. It does not return.
func KillSelf() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(fmt.Sprintf("chaos: cannot kill the own process: %v", err))
	}
	select {} // the signal is on its way
}

// Killer returns a hook for crash points. The spec "name" kills the process when the point of that name is passed for
// the first time, "name#3" when it is passed for the third time; with "" the hook does nothing. It panics on a
// malformed spec. The hook is safe for concurrent use.
func Killer(spec string) func(point string) {
	if spec == "" {
		return func(string) {}
	}
	name, count, counted := strings.Cut(spec, "#")
	at := int64(1)
	if counted {
		var err error
		if at, err = strconv.ParseInt(count, 10, 64); err != nil {
			at = 0
		}
	}
	if name == "" || at < 1 {
		panic(fmt.Sprintf("chaos: crash point %q is neither \"name\" nor \"name#n\" with n of at least 1", spec))
	}
	var passed atomic.Int64
	return func(point string) {
		if point == name && passed.Add(1) == at {
			KillSelf()
		}
	}
}
