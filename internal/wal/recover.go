package wal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// recover makes the directory's log ready to append to, and replays it.
func (l *Log) recover(replay func(uint64, Record) error) error {
	if err := l.fs.Remove(filepath.Join(l.dir, nextName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove what is left of an unfinished journal segment: %w; check the permissions of %s", err, l.dir)
	}
	numbers, err := listSegments(l.fs, l.dir)
	if err != nil {
		return err
	}
	if len(numbers) == 0 {
		return l.begin()
	}
	// A process that was killed may not have got as far as this itself.
	if err := l.fs.SyncDir(l.dir); err != nil {
		return fmt.Errorf("sync journal directory %s: %w; check the disk", l.dir, err)
	}
	last := numbers[len(numbers)-1]
	ended, err := l.recoverTail(last)
	if err != nil {
		return err
	}
	s := scanner{fs: l.fs, dir: l.dir}
	for _, n := range numbers {
		h, _, err := s.segment(n, n == last, replay)
		if err != nil {
			return err
		}
		if err := sameLog(l.id, h, segmentName(l.dir, n)); err != nil {
			return err
		}
		if n != last {
			l.finished = append(l.finished, finished{n, h.size})
		}
	}
	if ended {
		return l.nextSegment(0)
	}
	return nil
}

// begin makes the first segment of a new log.
func (l *Log) begin() error {
	if err := l.fs.SyncDir(filepath.Dir(l.dir)); err != nil {
		return fmt.Errorf("sync the directory above journal %s: %w; check its permissions and the disk", l.dir, err)
	}
	rand.Read(l.id[:])
	h := header{number: 1, id: l.id, size: l.size}
	err := createSegment(l.fs, l.dir, h)
	var f File
	if err == nil {
		f, err = nameSegment(l.fs, l.dir, h.number)
	}
	if err != nil {
		return fmt.Errorf("create the first segment of journal %s: %w; check the directory's permissions and the free space", l.dir, err)
	}
	l.activate(f, h, headerRoom)
	return nil
}

// recoverTail opens the last segment for appending and makes what it holds durable: whole frames that were not yet
// synced, and the zeros behind them. It reports whether the segment has its end mark.
func (l *Log) recoverTail(number uint64) (ended bool, err error) {
	name := segmentName(l.dir, number)
	f, err := l.fs.OpenFile(name, os.O_RDWR)
	if err != nil {
		return false, readError(name, 0, err)
	}
	r, err := newSegmentReader(f, name, number)
	if err != nil {
		f.Close()
		return false, err
	}
	l.id = r.header.id
	t, err := r.walk(true, nil)
	if err == nil {
		err = r.settle(t)
	}
	if err != nil {
		f.Close()
		return false, err
	}
	l.activate(f, r.header, t.off)
	l.unmarked = t.durable < t.records
	return t.ended, nil
}

// settle makes the segment durable with t as its tail. The frames that nothing vouches for are written once more before
// the sync: if their sync failed in an earlier life, the page cache shows them although the disk may not have them, and
// takes them for clean. Stale bytes behind the tail become zeros, lest they be read as frames one day.
func (s *segmentReader) settle(t tail) error {
	fail := func(err error) error {
		return fmt.Errorf("recover the tail of journal segment %s: %w; check the file's permissions and the disk", s.name, err)
	}
	for off := t.durable; off < t.off; {
		b, err := s.bytes(off, min(windowSize, t.off-off))
		if err != nil {
			return err
		}
		if _, err := s.f.WriteAt(b, off); err != nil {
			return fail(err)
		}
		off += int64(len(b))
	}
	for off := t.off; off < s.header.size; {
		z := zeros[:min(int64(len(zeros)), s.header.size-off)]
		stale := off+int64(len(z)) > s.size
		if !stale {
			b, err := s.bytes(off, int64(len(z)))
			if err != nil {
				return err
			}
			stale = !bytes.Equal(b, z)
		}
		if stale {
			if _, err := s.f.WriteAt(z, off); err != nil {
				return fail(err)
			}
		}
		off += int64(len(z))
	}
	if err := s.f.Sync(); err != nil {
		return fail(err)
	}
	return nil
}
