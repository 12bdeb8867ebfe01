package wal

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// Info is what Scan found.
type Info struct {
	ID       [16]byte // the log's; zero if there is no segment yet
	Segments int
	First    uint64 // number of the oldest segment; 0 if there is none
	Last     uint64
	Bytes    int64 // of all segments, preallocated room included
	Tail     int64 // offset in segment Last behind the last whole frame
}

// Scan calls fn, which may be nil, with every whole record in dir, oldest first, and changes nothing. It takes no lock:
// it may run beside a live writer, in this process or in another. A torn or still growing tail is no error; segments
// that are pruned meanwhile are left out. It stops at fn's first error and returns it as it is. The payload is valid
// until fn returns. Its other errors are those of Open, *LockedError excepted; a missing directory is os.ErrNotExist.
func Scan(dir string, fn func(seg uint64, r Record) error) (Info, error) {
	return scan(osFS{}, dir, fn)
}

func scan(fs FS, dir string, fn func(uint64, Record) error) (Info, error) {
	var info Info
	numbers, err := settledSegments(fs, dir)
	if err != nil {
		return info, err
	}
	s := scanner{fs: fs, dir: dir}
	for i, n := range numbers {
		h, t, err := s.segment(n, i == len(numbers)-1, fn)
		if errors.Is(err, os.ErrNotExist) {
			continue // pruned since the directory was listed
		}
		if err != nil {
			return info, err
		}
		if info.Segments == 0 {
			info.ID, info.First = h.id, n
		}
		if err := sameLog(info.ID, h, segmentName(dir, n)); err != nil {
			return info, err
		}
		info.Segments++
		info.Last, info.Tail = n, t.off
		info.Bytes += h.size
	}
	return info, nil
}

// scanner reads one segment after the other.
type scanner struct {
	fs     FS
	dir    string
	window []byte // for the next segment
}

func (s *scanner) segment(number uint64, last bool, fn func(uint64, Record) error) (header, tail, error) {
	name := segmentName(s.dir, number)
	f, err := s.fs.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return header{}, tail{}, readError(name, 0, err)
	}
	defer f.Close()
	r, err := newSegmentReader(f, name, number)
	if err != nil {
		return header{}, tail{}, err
	}
	r.window = s.window[:0]
	t, err := r.walk(last, fn)
	s.window = r.window
	return r.header, t, err
}

// settledSegments lists the segments of dir. A listing made while segments are pruned may show a gap that is none, so
// a gap counts only when two listings agree.
func settledSegments(fs FS, dir string) ([]uint64, error) {
	var before []uint64
	for {
		numbers, err := listSegments(fs, dir)
		var gap *CorruptError
		if !errors.As(err, &gap) || slices.Equal(before, numbers) {
			return numbers, err
		}
		before = numbers
	}
}

// listSegments returns the numbers of dir's segments, rising; with a *CorruptError if one in the middle is missing.
func listSegments(fs FS, dir string) ([]uint64, error) {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read journal directory %s: %w; check that it is there and its permissions", dir, err)
	}
	var numbers []uint64
	for _, name := range names {
		if n := segmentNumber(name); n != 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for i := 1; i < len(numbers); i++ {
		if want := numbers[i-1] + 1; numbers[i] != want {
			return numbers, &CorruptError{File: segmentName(dir, want), Reason: "the segment is missing, and there are later ones"}
		}
	}
	return numbers, nil
}

func sameLog(id [16]byte, h header, name string) error {
	if h.id != id {
		return &CorruptError{File: name, Reason: "the segment belongs to another journal"}
	}
	return nil
}
