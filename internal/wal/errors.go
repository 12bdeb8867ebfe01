package wal

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by every method that writes after Close.
var ErrClosed = errors.New("journal is closed")

// ErrTooLarge is wrapped by the error of an append whose payload is over MaxPayload. The log goes on.
var ErrTooLarge = errors.New("record is too large for the journal")

// LockedError reports that the directory is held, by another process or by another Log of this one.
type LockedError struct {
	Dir string
	PID int // the holder's process id; 0 if it is not known
}

func (e *LockedError) Error() string {
	by := "another process"
	if e.PID != 0 {
		by = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("journal %s is in use by %s: stop that one, or give each process a journal directory of its own", e.Dir, by)
}

// CorruptError reports damage to what had once been written durably, or a segment that is missing. Nothing is repaired.
type CorruptError struct {
	File   string
	Offset int64 // bytes from the beginning of File
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("journal segment %s is damaged at offset %d: %s; restore the directory from a copy, "+
		"or keep it for examination and start with an empty one", e.File, e.Offset, e.Reason)
}

// VersionError reports a segment of a format that this program does not know.
type VersionError struct {
	File    string
	Version uint32 // found in File
	Known   uint32 // the one this program reads and writes
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("journal segment %s has format version %d, this program knows version %d: "+
		"use the program that wrote it, or a newer one", e.File, e.Version, e.Known)
}

// FailedError reports the first write or sync that failed. The log is closed for good, and every later call
// returns this same error: what the disk holds of the last records is unknown until the next Open has read it.
type FailedError struct {
	Op   string // write, sync, sync directory, create, close
	File string
	Err  error
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("journal closed after its first failure: %s %s: %v; free or repair the disk, then open the journal again",
		e.Op, e.File, e.Err)
}

// Unwrap returns the operating system's error.
func (e *FailedError) Unwrap() error { return e.Err }
