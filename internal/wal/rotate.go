package wal

import (
	"errors"
	"os"
	"path/filepath"
)

// prepareNext makes the next segment in the background, so that no writer waits for it.
func (l *Log) prepareNext() {
	done := make(chan error, 1)
	h := header{number: l.active.number + 1, id: l.id, size: l.size}
	go func() { done <- createSegment(l.fs, l.dir, h) }()
	l.next = done
}

// takeNext waits for the preparation, if there was one, and reports whether the next segment lies ready.
func (l *Log) takeNext() bool {
	if l.next == nil {
		return false
	}
	err := <-l.next
	l.next = nil
	return err == nil
}

// discardNext ends the preparation. What it cannot remove, the next Open does.
func (l *Log) discardNext() {
	if l.takeNext() {
		l.fs.Remove(filepath.Join(l.dir, nextName))
	}
}

// rotate ends the active segment, durably, and goes on in a new one with room for a frame of need bytes.
func (l *Log) rotate(need int64) error {
	l.put(kindEnd, Record{})
	if err := l.syncAll(); err != nil {
		return err
	}
	return l.nextSegment(need)
}

// nextSegment activates the segment behind the active one, which has its end mark.
func (l *Log) nextSegment(need int64) error {
	h := header{number: l.active.number + 1, id: l.id, size: max(l.size, roundUp(headerRoom+need+frameHeader))}
	name := segmentName(l.dir, h.number)
	// A preparation that failed is tried again here, and only this counts: the disk may have been freed meanwhile.
	if ready := l.takeNext(); !ready || h.size > l.size {
		if err := createSegment(l.fs, l.dir, h); err != nil {
			return l.fail("create", name, err)
		}
	}
	f, err := nameSegment(l.fs, l.dir, h.number)
	if err != nil {
		return l.fail("create", name, err)
	}
	old := l.file
	l.finished = append(l.finished, finished{l.active.number, l.active.size})
	l.activate(f, h, headerRoom)
	if err := old.Close(); err != nil {
		return l.fail("close", segmentName(l.dir, h.number-1), err)
	}
	return nil
}

// Prune deletes the segments with numbers below keep, oldest first, but never the active one. A file that cannot be
// deleted is an error, which leaves the log usable and the rest to the next Prune. Others: ErrClosed, *FailedError.
func (l *Log) Prune(keep uint64) error {
	l.pruning.Lock()
	defer l.pruning.Unlock()
	for {
		number, err := l.oldest()
		if err != nil || number >= keep {
			return err
		}
		if err := l.fs.Remove(segmentName(l.dir, number)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		err = l.fs.SyncDir(l.dir)
		l.mu.Lock()
		if err != nil {
			err = l.fail("sync directory", l.dir, err)
		} else {
			l.finished = l.finished[1:]
		}
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// oldest returns the number of the oldest finished segment; if there is none, one that no keep is above.
func (l *Log) oldest() (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return 0, err
	}
	if len(l.finished) == 0 {
		return ^uint64(0), nil
	}
	return l.finished[0].number, nil
}
