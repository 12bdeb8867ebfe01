package dualsql

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/dualsql/dualsql/internal/filelock"
)

// Holder tells who holds a journal.
type Holder struct {
	Held bool `json:"held"`
	PID  int  `json:"pid,omitempty"` // 0: nobody, or not known
}

// JournalHolder tells whether a process holds the journal in dir. It looks by taking the journal's lock for a moment, and
// creates nothing; a directory that is not there is held by nobody. The error is the operating system's.
func JournalHolder(dir string) (Holder, error) {
	path := filepath.Join(dir, "lock")
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return Holder{}, err
	}
	lock, err := filelock.Acquire(path)
	var held *filelock.HeldError
	switch {
	case errors.As(err, &held):
		return Holder{Held: true, PID: held.PID}, nil
	case err != nil:
		return Holder{}, err
	}
	return Holder{}, lock.Release()
}
