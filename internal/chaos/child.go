package chaos

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// childEnv names the registered function that a process runs in place of its tests.
const childEnv = "DUALSQL_CHAOS_CHILD"

var (
	children = map[string]func() int{}
	served   atomic.Bool // RunChild was called: a child of this test binary will not run the tests again
)

// Register names a function that Child can run in a process of its own; the function returns the exit code. It is called
// before RunChild, and panics on a name that is taken.
func Register(name string, run func() int) {
	if _, taken := children[name]; taken {
		panic(fmt.Sprintf("chaos: child %q registered twice", name))
	}
	children[name] = run
}

// RunChild is called first in TestMain. In a process that Child started it runs the named function and ends the process;
// in any other it returns. A child kills itself when the process that started it is gone, and panics when it has run for
// longer than any test takes.
func RunChild() {
	name := os.Getenv(childEnv)
	if name == "" {
		served.Store(true)
		return
	}
	run, ok := children[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "chaos: no child %q is registered\n", name)
		os.Exit(2)
	}
	// The child's own children are none of the parent's.
	if err := os.Unsetenv(childEnv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	served.Store(true)
	// Who reads its lines waits for ever for a child that hangs.
	time.AfterFunc(2*childLimit, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("chaos: child %q has run for %v", name, 2*childLimit))
	})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the parent never writes: this returns when it is gone
		KillSelf()
	}()
	os.Exit(run())
}
