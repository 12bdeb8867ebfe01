//go:build unix

package testdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dualsql/dualsql/internal/testdb/localport"
)

const (
	startLimit = 90 * time.Second // a loaded machine with two cores needs seconds
	stopLimit  = 30 * time.Second // an immediate stop kills what has not gone after 5 s
	pollEvery  = 10 * time.Millisecond
)

// server is the supervisor's PostgreSQL: the processes and the directory. It is used by one goroutine.
type server struct {
	binaries string
	dir      string
	port     int
	account  *account
	process  *os.Process   // the postmaster, nil when stopped
	exited   chan struct{} // closed when the postmaster has ended; it ends after its own children
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }
func (s *server) log() string  { return filepath.Join(s.dir, logName) }

func (s *server) pid() int {
	if s.process == nil {
		return 0
	}
	return s.process.Pid
}

// create makes the directory and the cluster in it, and starts it.
func (s *server) create(ctx context.Context, binaries string, settings map[string]string) error {
	s.binaries = binaries
	var err error
	if s.account, err = findAccount(); err != nil {
		return err
	}
	if s.dir, err = s.account.makeDir(); err != nil {
		return err
	}
	if err := s.initdb(ctx); err != nil {
		return err
	}
	if err := s.configure(settings); err != nil {
		return err
	}
	// The port is only known to have been free a moment ago: another process may be quicker.
	const attempts = 5
	for range attempts {
		if s.port, err = localport.Free(); err != nil {
			return err
		}
		if err = s.start(ctx); err == nil || !strings.Contains(err.Error(), "Address already in use") {
			return err
		}
	}
	return err
}

func (s *server) initdb(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.binaries, "initdb"), "--pgdata", s.data(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	s.prepare(cmd)
	cmd.SysProcAttr.Setpgid = true // initdb runs postgres: cancelling ends the group
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = stopLimit
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w\n%s", s.dir, err, out)
	}
	return nil
}

// configure appends to postgresql.conf, where ALTER SYSTEM can still override a setting; the command line would win.
func (s *server) configure(settings map[string]string) error {
	var conf strings.Builder
	conf.WriteString("\n")
	for name, value := range settings {
		value = strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(value)
		fmt.Fprintf(&conf, "%s = '%s'\n", name, value)
	}
	file, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(conf.String())
	return errors.Join(err, file.Close())
}

// prepare gives a command the account, a directory that the account may enter, and an environment without the caller's
// locale: messages stay in English.
func (s *server) prepare(cmd *exec.Cmd) {
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account.credential}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "LC_") && !strings.HasPrefix(variable, "LANG") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C")
}

// start starts the postmaster and waits until the cluster takes connections. It does nothing when it already runs.
func (s *server) start(ctx context.Context) error {
	if s.process != nil {
		select {
		case <-s.exited: // somebody killed it
			s.process = nil
		default:
			return nil
		}
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	from, err := log.Seek(0, 2)
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(s.binaries, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port),
		"-c", "unix_socket_directories="+socketDir(s.dir))
	s.prepare(cmd)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	s.process, s.exited = cmd.Process, make(chan struct{})
	go func(exited chan struct{}) {
		defer close(exited)
		_ = cmd.Wait() // how it ended stands in its log
	}(s.exited)

	if err := s.waitReady(ctx); err != nil {
		return errors.Join(fmt.Errorf("postgres on port %d: %w\n%s", s.port, err, tail(s.log(), from)), s.stop(syscall.SIGQUIT))
	}
	return nil
}

// waitReady waits until the postmaster says that it takes connections.
func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for !s.ready() {
		select {
		case <-s.exited:
			return errors.New("it ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w", startLimit, ctx.Err())
		case <-poll.C:
		}
	}
	return nil
}

// ready reads the file in which the postmaster notes its process id in line 1 and its state in line 8, as "pg_ctl start" does. To
// connect would have it fork a process each time only to refuse.
func (s *server) ready() bool {
	file, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	lines := strings.Split(string(file), "\n")
	return err == nil && len(lines) > 7 && lines[0] == strconv.Itoa(s.process.Pid) && strings.TrimSpace(lines[7]) == "ready"
}

// stop sends the postmaster the signal of a shutdown mode (SIGINT fast, SIGQUIT immediate; PostgreSQL manual,
// "Shutting Down the Server") and waits for its end. It does nothing when it is stopped.
func (s *server) stop(mode syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	var failure error
	for _, signal := range []syscall.Signal{mode, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := s.process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop postgres %d: %w", s.process.Pid, err)
		}
		select {
		case <-s.exited:
			s.process = nil
			return failure
		case <-time.After(stopLimit):
			failure = fmt.Errorf("postgres %d did not stop within %v of %v", s.process.Pid, stopLimit, signal)
		}
	}
	return failure
}

// destroy leaves nothing: no process and no directory.
func (s *server) destroy() error {
	failure := s.stop(syscall.SIGQUIT)
	if s.dir == "" {
		return failure
	}
	// The processes that a cancelled initdb leaves are killed but may still be writing.
	deadline := time.Now().Add(stopLimit)
	for {
		err := os.RemoveAll(s.dir)
		if err == nil {
			return failure
		}
		if time.Now().After(deadline) {
			return errors.Join(failure, err)
		}
		time.Sleep(pollEvery)
	}
}
