//go:build unix

package testdb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The supervisor starts here, and not in TestMain, so that every test binary that can start a cluster can also be its
// supervisor.
func init() {
	if os.Getenv(supervisorEnv) == "" {
		return
	}
	if err := supervise(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// supervise serves requests until in is closed or the process is told to end, then stops the cluster and removes it.
func supervise(in io.Reader, out io.Writer) error {
	// In a session of its own, an interrupt typed at the terminal ends the tests and leaves the supervisor to clean up.
	// It fails only for the leader of a process group, which is out of such an interrupt's reach already.
	_, _ = syscall.Setsid()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PG") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	// A parent that is dead reads no answers; without this the write of one would kill the supervisor.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()

	requests := make(chan request)
	go func() {
		defer cancel()
		for decoder := json.NewDecoder(in); ; {
			var r request
			if decoder.Decode(&r) != nil {
				return
			}
			select {
			case requests <- r:
			case <-ctx.Done():
				return
			}
		}
	}()

	var s server
	answers := json.NewEncoder(out)
	for {
		select {
		case <-ctx.Done():
			return s.destroy()
		case r := <-requests:
			answer := response{}
			if err := s.serve(ctx, r); err != nil {
				answer.Err = err.Error()
			}
			answer.Dir, answer.Port, answer.PID = s.dir, s.port, s.pid()
			if answers.Encode(answer) != nil {
				return s.destroy()
			}
		}
	}
}

func (s *server) serve(ctx context.Context, r request) error {
	switch r.Op {
	case opCreate:
		return s.create(ctx, r.Binaries, r.Settings)
	case opStart:
		return s.start(ctx)
	case opStopFast:
		return s.stop(syscall.SIGINT)
	case opStopImmediate:
		return s.stop(syscall.SIGQUIT)
	}
	return fmt.Errorf("supervisor: unknown operation %q", r.Op)
}
