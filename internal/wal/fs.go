package wal

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/dualsql/dualsql/internal/filelock"
)

// FS is what the log asks of a file system; tests put one there that fails as disks do. Names are paths. Its
// methods, and those of its files, are safe for concurrent use.
type FS interface {
	// MkdirAll makes dir and what is missing above it, mode 0700; no error if it is there.
	MkdirAll(dir string) error
	// ReadDir returns the names of dir's entries, without dir.
	ReadDir(dir string) ([]string, error)
	// OpenFile opens a file as os.OpenFile does; new ones get mode 0600.
	OpenFile(name string, flag int) (File, error)
	// Rename is atomic, also across a power loss.
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes the names in dir durable, and their removal.
	SyncDir(dir string) error
	// Lock takes the lock file at name without waiting; *filelock.HeldError if it is held. Closing gives it up.
	Lock(name string) (io.Closer, error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes all that was written durable, and the size; times need not be.
	Sync() error
	Size() (int64, error)
}

type osFS struct{}

func (osFS) MkdirAll(dir string) error {
	_, err := os.Stat(dir)
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := (osFS{}).MkdirAll(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func (osFS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (osFS) OpenFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) Rename(from, to string) error { return os.Rename(from, to) }
func (osFS) Remove(name string) error     { return os.Remove(name) }
func (osFS) SyncDir(dir string) error     { return syncDir(dir) }

func (osFS) Lock(name string) (io.Closer, error) {
	l, err := filelock.Acquire(name)
	if err != nil {
		return nil, err
	}
	return osLock{l}, nil
}

type osLock struct{ *filelock.Lock }

func (l osLock) Close() error { return l.Release() }

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
