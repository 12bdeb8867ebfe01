package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// told is what the working processes have told before they died: what a customer would have been told.
type told struct{ committed, rolledBack map[string]bool }

// life is how one working process lived.
type life struct {
	killed  bool
	ready   bool // it had recovered
	failure string
}

// live starts a working process and kills it when the time has come, counted from its first line. With a negative time it
// is let work for the opposite of it, and then ends in good order.
func live(ctx context.Context, j job, until time.Duration, t *told, progress func()) (life, error) {
	var l life
	executable, err := os.Executable()
	if err != nil {
		return l, err
	}
	cmd := exec.Command(executable, WorkerArg)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return l, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return l, err
	}
	if err := cmd.Start(); err != nil {
		return l, err
	}
	first, err := json.Marshal(j)
	if err != nil {
		return l, err
	}
	if _, err := in.Write(append(first, '\n')); err != nil {
		return l, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	up, ready, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		l.listen(out, t, up, ready, progress)
	}()
	kill := func() {
		l.killed = cmd.Process.Kill() == nil
		<-ended
	}
	switch {
	case until >= 0:
		if await(ctx, up, ended) {
			timer := time.NewTimer(until)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			case <-ended:
			}
		}
		kill()
	case await(ctx, ready, ended) && pause(ctx, -until) == nil:
		if _, err := io.WriteString(in, "stop\n"); err != nil {
			kill()
			break
		}
		select {
		case <-ended:
		case <-ctx.Done():
			kill()
		}
	default:
		kill()
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return l, ctx.Err()
	}
	if l.failure != "" {
		return l, errors.New("the working process has failed: " + l.failure)
	}
	// Windows knows no signals: there a killed process has an exit code.
	if l.killed && runtime.GOOS != "windows" {
		l.killed = !cmd.ProcessState.Exited()
	}
	if !l.killed && (err != nil || until >= 0) {
		return l, fmt.Errorf("the working process has ended by itself: %v", cmd.ProcessState)
	}
	return l, nil
}

// await reports whether c was closed before the process ended.
func await(ctx context.Context, c, ended <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-ended:
	case <-ctx.Done():
	}
	return false
}

// listen reads what the process prints until it is dead.
func (l *life) listen(out io.Reader, t *told, up, ready chan struct{}, progress func()) {
	for s := bufio.NewScanner(out); s.Scan(); {
		word, rest, _ := strings.Cut(s.Text(), " ")
		switch word {
		case sayUp:
			close(up)
		case sayReady:
			l.ready = true
			close(ready)
		case sayCommitted:
			t.committed[rest] = true
			progress()
		case sayRolledBack:
			t.rolledBack[rest] = true
		case sayFailed:
			l.failure = rest
		}
	}
}
