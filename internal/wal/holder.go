package wal

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/dualsql/dualsql/internal/filelock"
)

// Holder tells whether a process holds the log in dir, and its process id, or 0 if that is not known. It looks by taking
// the lock for a moment, and creates nothing; a directory that is not there is held by nobody.
func Holder(dir string) (held bool, pid int, err error) {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return false, 0, err
	}
	lock, err := filelock.Acquire(path)
	var by *filelock.HeldError
	switch {
	case errors.As(err, &by):
		return true, by.PID, nil
	case err != nil:
		return false, 0, err
	}
	return false, 0, lock.Release()
}
