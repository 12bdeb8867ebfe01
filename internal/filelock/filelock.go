// Package filelock gives one owner at a time the right to something, by an advisory lock on a file.
//
// The lock belongs to the open descriptor: the operating system drops it when the process ends, however it
// ends, so a lock is never left behind. The descriptor is close-on-exec; a child process does not inherit it.
// The file itself stays: to remove it would let two processes each lock a file of that name.
package filelock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
)

// errHeld is what tryLock returns when somebody else has the lock.
var errHeld = errors.New("held")

// HeldError reports that the lock is held, by another process or by this one.
type HeldError struct {
	Path string
	PID  int // as the holder wrote it into the file; 0 if it cannot be read
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is locked by another owner", e.Path)
	}
	return fmt.Sprintf("%s is locked by process %d", e.Path, e.PID)
}

// Lock is a held lock. Safe for concurrent use.
type Lock struct {
	mu     sync.Mutex
	f      *os.File // nil once released
	shared bool
}

// Acquire takes the lock on the file at path, which it creates with mode 0600 if need be, and writes the
// process id into it. It does not wait: if the lock is held, by whomever, the error is a *HeldError. Any
// other error is the operating system's.
func Acquire(path string) (*Lock, error) {
	l, err := open(path, false)
	if err != nil {
		return nil, err
	}
	if err := writePID(l.f); err != nil {
		l.f.Close()
		return nil, err
	}
	return l, nil
}

// Share takes the lock on the file at path beside any number of others that share it: while one of them has it nobody can
// Acquire it. Its errors are those of Acquire.
func Share(path string) (*Lock, error) { return open(path, true) }

func open(path string, shared bool) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f, shared); err != nil {
		defer f.Close()
		if errors.Is(err, errHeld) {
			return nil, &HeldError{Path: path, PID: readPID(f)}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &Lock{f: f, shared: shared}, nil
}

// Release gives the lock up. A second call does nothing.
func (l *Lock) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	if l.shared {
		return f.Close()
	}
	// Emptied before the lock goes, so that nobody reads our pid as the next holder's.
	err := f.Truncate(0)
	return errors.Join(err, f.Close())
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(f *os.File) int {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
