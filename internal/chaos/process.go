package chaos

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// childLimit bounds every wait for a child; it only ends a test that would hang.
	childLimit = 2 * time.Minute
	// unreadLines is how far a child may print ahead of its reader.
	unreadLines = 4096
	// childrenEnv names a directory with test binaries that were built without the race detector: it makes a process start in
	// four times the time, and one that is killed reports nothing.
	childrenEnv = "DUALSQL_TEST_CHILDREN"
)

// Process is a running or ended child. Its methods are safe for concurrent use.
type Process struct {
	name   string
	cmd    *exec.Cmd
	lines  chan string
	stderr *output
	exited chan struct{} // closed when the process has ended and been waited for
	done   chan struct{} // closed at cleanup: nobody reads lines any more
}

// Child starts the registered function in a new process of the test binary, with the variables (NAME=value) added to the
// environment. It is killed when the test ends, and when the test's process does.
func Child(tb testing.TB, name string, env ...string) *Process {
	tb.Helper()
	if !served.Load() {
		tb.Fatal("chaos: TestMain must call RunChild before it runs the tests")
	}
	if _, ok := children[name]; !ok {
		tb.Fatalf("chaos: no child %q is registered", name)
	}
	p, reader, err := start(name, env)
	if err != nil {
		tb.Fatalf("chaos: start child %q: %v", name, err)
	}
	var read sync.WaitGroup
	read.Go(func() { p.readLines(reader) })
	read.Go(func() {
		_ = p.cmd.Wait() // how it ended stands in cmd.ProcessState
		close(p.exited)
	})
	tb.Cleanup(func() {
		p.Kill()
		close(p.done)
		read.Wait()
	})
	return p
}

// executable is what children run: this binary, or the one of the same name in the directory that the environment names.
func executable() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	if dir := os.Getenv(childrenEnv); dir != "" {
		other := filepath.Join(dir, filepath.Base(own))
		if _, err := os.Stat(other); err == nil {
			return other, nil
		}
	}
	return own, nil
}

func start(name string, env []string) (*Process, io.ReadCloser, error) {
	executable, err := executable()
	if err != nil {
		return nil, nil, err
	}
	p := &Process{
		name:   name,
		cmd:    exec.Command(executable),
		lines:  make(chan string, unreadLines),
		stderr: &output{},
		exited: make(chan struct{}),
		done:   make(chan struct{}),
	}
	p.cmd.Env = append(append(os.Environ(), env...), childEnv+"="+name)
	p.cmd.Stderr = p.stderr
	p.cmd.WaitDelay = 5 * time.Second // for a grandchild that keeps stderr open
	// Nothing is written to it. It is open until the child, or this process, has ended.
	if _, err = p.cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	// Not StdoutPipe: Wait would close it under a reader that has not read all.
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	p.cmd.Stdout = writer
	err = p.cmd.Start()
	_ = writer.Close()
	if err != nil {
		_ = reader.Close()
		return nil, nil, err
	}
	return p, reader, nil
}

// readLines ends at the end of the output, or at cleanup.
func (p *Process) readLines(reader io.ReadCloser) {
	defer close(p.lines)
	defer reader.Close()
	for scanner := bufio.NewScanner(reader); scanner.Scan(); {
		select {
		case p.lines <- scanner.Text():
		case <-p.done:
			return
		}
	}
}

// Lines returns the lines of the child's standard output; it is closed at the end of the output. A child that prints
// 4096 lines ahead of the reader waits for it.
func (p *Process) Lines() <-chan string { return p.lines }

// WaitLine reads lines until one begins with prefix, and returns the rest of that line. The test fails if the output ends
// before.
func (p *Process) WaitLine(tb testing.TB, prefix string) string {
	tb.Helper()
	limit := time.NewTimer(childLimit)
	defer limit.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				<-p.exited
				tb.Fatalf("child %q ended (%v) before it printed %q; stderr:\n%s", p.name, p.cmd.ProcessState, prefix, p.Stderr())
			}
			if rest, found := strings.CutPrefix(line, prefix); found {
				return rest
			}
		case <-limit.C:
			tb.Fatalf("child %q did not print %q within %v; stderr:\n%s", p.name, prefix, childLimit, p.Stderr())
		}
	}
}

// Kill kills the child with SIGKILL, on Windows with TerminateProcess, and returns when it has ended. It does nothing to
// one that has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it fails only for a process that has ended
	<-p.exited
}

// Wait waits for the child to end by itself, and returns how it did.
func (p *Process) Wait(tb testing.TB) *os.ProcessState {
	tb.Helper()
	limit := time.NewTimer(childLimit)
	defer limit.Stop()
	select {
	case <-p.exited:
	case <-limit.C:
		tb.Fatalf("child %q did not end within %v; stderr:\n%s", p.name, childLimit, p.Stderr())
	}
	return p.cmd.ProcessState
}

// WaitKilled waits for the child to end, and fails the test unless it was killed: a child that was to crash at a point
// has not crashed if it came to its end, or panicked on the way.
func (p *Process) WaitKilled(tb testing.TB) {
	tb.Helper()
	if state := p.Wait(tb); !killed(state) {
		tb.Fatalf("child %q was to be killed, but: %v; stderr:\n%s", p.name, state, p.Stderr())
	}
}

// Stderr returns what the child has written to its standard error so far.
func (p *Process) Stderr() string { return p.stderr.String() }

// PID returns the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// killed reports whether a process was ended by KillSelf or Kill. Windows knows no signals: there os.Process.Kill leaves
// the exit code 1.
func killed(state *os.ProcessState) bool {
	if runtime.GOOS == "windows" {
		return state.ExitCode() == 1
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// output is a buffer that one goroutine fills while others look at it.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}
