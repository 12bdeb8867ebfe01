package wal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/dualsql/dualsql/internal/filelock"
)

// Options says how a log is kept. The zero value is ready to use.
type Options struct {
	// SegmentSize is the size of new segments, in bytes, rounded up to 4096; at least 8192, at most 1 GiB. Zero: 16 MiB.
	// A record that does not fit gets a segment of its own size.
	SegmentSize int64
	// FS is the file system. Nil: the operating system's.
	FS FS
}

// Log is an open log. All methods are safe for concurrent use.
type Log struct {
	fs   FS
	dir  string
	size int64 // of new segments
	id   [16]byte
	lock io.Closer

	pruning sync.Mutex // held by Prune and by Close; taken before mu

	mu      sync.Mutex
	err     error // why nothing may be written any more: ErrClosed or *FailedError
	closed  bool
	file    File // the active segment
	active  header
	seed    uint32
	buf     []byte // whole frames that are not yet in the operating system's hands; they belong at written
	written int64
	durable int64      // everything before is synced
	next    chan error // result of the next segment's preparation; nil if none was begun

	// unmarked: there are records that no later frame vouches for.
	unmarked bool

	// Syncs are counted as rounds. What is in buf or written when round n starts is durable when n is done.
	syncing bool
	crowded bool // the last round served more than one caller
	waiting int  // callers that wait for the round that has not started
	started uint64
	done    uint64
	rounds  [2]sync.Cond // for the callers of even and of odd rounds
	idle    sync.Cond    // for those who need that no round is running

	finished []finished // segments before the active one, oldest first
	appends  uint64
	syncs    uint64
}

type finished struct {
	number uint64
	size   int64
}

// Open takes possession of dir, which it makes with mode 0700 if need be, and returns a log that goes on behind the last
// whole record. First it cuts a torn tail, and calls replay, if not nil, with every record, oldest first, and
// the number of its segment; the payload is valid until it returns. What replay sees is durable. The first error of replay ends
// Open, which returns it as it is.
//
// An existing directory keeps its mode; the files in it have mode 0600. Its other errors: *LockedError, *CorruptError,
// *VersionError; *FailedError if the next segment cannot be made; or one that wraps the operating system's and says
// what could not be done.
func Open(dir string, o Options, replay func(seg uint64, r Record) error) (*Log, error) {
	if o.SegmentSize < 0 || o.SegmentSize > maxSegment {
		return nil, fmt.Errorf("journal segment size %d: it must be between 0 and %d bytes", o.SegmentSize, maxSegment)
	}
	if o.SegmentSize == 0 {
		o.SegmentSize = defaultSegment
	}
	if o.FS == nil {
		o.FS = osFS{}
	}
	if err := o.FS.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("create journal directory %s: %w; create it, or name one that this process may write to", dir, err)
	}
	lock, err := o.FS.Lock(filepath.Join(dir, lockName))
	if err != nil {
		var held *filelock.HeldError
		if errors.As(err, &held) {
			return nil, &LockedError{Dir: dir, PID: held.PID}
		}
		return nil, fmt.Errorf("lock journal directory %s: %w; it must be a directory that this process may write to", dir, err)
	}
	l := &Log{fs: o.FS, dir: dir, size: roundUp(o.SegmentSize), lock: lock}
	l.rounds[0].L, l.rounds[1].L, l.idle.L = &l.mu, &l.mu, &l.mu
	if err := l.recover(replay); err != nil {
		if l.file != nil {
			l.file.Close()
		}
		lock.Close()
		return nil, err
	}
	return l, nil
}

// activate makes the segment h the one that is appended to, from off on. All before off is durable.
func (l *Log) activate(f File, h header, off int64) {
	l.file, l.active, l.seed = f, h, frameSeed(h.id, h.number)
	l.written, l.durable = off, off
	l.unmarked = false
}

// ID returns the log's random identity, made by the first Open and the same for the life of the directory.
func (l *Log) ID() [16]byte { return l.id }

// Stats is a log's size and what was done since Open.
type Stats struct {
	Bytes    int64 // of all segments, preallocated room included
	Segments int
	Appends  uint64
	Syncs    uint64
}

// Stats returns the log's figures. They stay readable after Close.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Bytes: l.active.size, Segments: len(l.finished) + 1, Appends: l.appends, Syncs: l.syncs}
	for _, f := range l.finished {
		s.Bytes += f.size
	}
	return s
}

// Close makes everything appended durable, and gives up the directory. Calls that wait for a sync get their result. A log that
// has failed is given up just the same; Close then returns its *FailedError. A second Close returns ErrClosed.
func (l *Log) Close() error {
	l.pruning.Lock()
	defer l.pruning.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.closed = true
	for l.syncing {
		l.idle.Wait()
	}
	err := l.finish()
	if l.err == nil {
		l.err = ErrClosed
	}
	l.wakeAll()
	l.discardNext()
	return errors.Join(err, l.file.Close(), l.lock.Close())
}

// finish syncs the log, and puts a mark behind it that vouches for its last records: damage to them will not pass for a
// torn tail.
func (l *Log) finish() error {
	if l.err != nil || !l.unmarked {
		return l.err
	}
	if err := l.syncAll(); err != nil {
		return err
	}
	kind := byte(kindMark)
	if !l.fits(frameHeader) {
		kind = kindEnd
	}
	l.put(kind, Record{})
	return l.syncAll()
}
