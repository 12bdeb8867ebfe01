package wal_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/dualsql/dualsql/internal/wal"
)

// TestScanBesideALiveWriter: whatever the writer is doing, Scan sees whole records without a gap, and all that were
// there before it began and have not been pruned.
func TestScanBesideALiveWriter(t *testing.T) {
	dir := t.TempDir()
	l, err := wal.Open(dir, wal.Options{SegmentSize: 32 << 10}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const total = 2000
	var pruned atomic.Uint64 // the records before this one may be gone
	appended := make(chan uint64)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		firstOf := map[uint64]uint64{}
		for n := range uint64(total) {
			r := wal.Record{Payload: make([]byte, 8+n%300)}
			binary.LittleEndian.PutUint64(r.Payload, n)
			write := l.Append
			if n%16 == 0 {
				write = l.AppendSync
			}
			seg, err := write(r)
			if err != nil {
				t.Error(err)
				return
			}
			if _, ok := firstOf[seg]; !ok {
				firstOf[seg] = n
				pruned.Store(firstOf[max(seg, 4)-3])
				if err := l.Prune(max(seg, 4) - 3); err != nil {
					t.Error(err)
					return
				}
			}
			select {
			case appended <- n:
			default:
			}
		}
	}()
	for scans := 0; ; scans++ {
		var last uint64
		select {
		case last = <-appended:
		case <-finished:
			if scans == 0 {
				t.Error("no scan ran beside the writer")
			}
			return
		}
		var next uint64
		info, err := wal.Scan(dir, func(_ uint64, r wal.Record) error {
			n := binary.LittleEndian.Uint64(r.Payload)
			if n < next || n > next && n > pruned.Load() {
				t.Errorf("record %d where %d was due", n, next)
			}
			next = n + 1
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if next <= last || info.ID != l.ID() || info.Last < info.First {
			t.Errorf("record %d was there, Scan ends before %d: %+v", last, next, info)
		}
	}
}

// TestScanLooksTwice: a frame that is written while Scan reads may show up later than the one behind it.
func TestScanLooksTwice(t *testing.T) {
	d, payloads, offsets := written(t)
	cache := d.names[wal.SegmentName("log", 1)].cache
	late := append([]byte(nil), cache[offsets[4]:offsets[5]]...)
	clear(cache[offsets[4]:offsets[5]])
	reads := 0
	m := d.boot(func(op string) error {
		if op == "read" {
			reads++
		}
		if reads == 3 { // after the header and the first look
			copy(cache[offsets[4]:], late)
		}
		return nil
	})
	var seen []string
	_, err := wal.ScanFS(m, "log", func(_ uint64, r wal.Record) error {
		seen = append(seen, string(r.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantRecords(t, seen, payloads...)
}

func TestScanChangesNothing(t *testing.T) {
	d, payloads, offsets := written(t)
	d = d.clone()
	cache := d.names[wal.SegmentName("log", 1)].cache
	clear(cache[offsets[11]+8:])
	before := string(cache)
	var seen []string
	info, err := wal.ScanFS(d.boot(func(op string) error {
		if op != "open" && op != "read" && op != "size" && op != "readdir" {
			t.Errorf("Scan does %s", op)
		}
		return nil
	}), "log", func(_ uint64, r wal.Record) error {
		seen = append(seen, string(r.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantRecords(t, seen, payloads[:11]...)
	if info.Tail != int64(offsets[11]) || info.First != 1 || info.Last != 1 || info.Bytes != 8192 {
		t.Errorf("got %+v, want the tail at %d", info, offsets[11])
	}
	if string(cache) != before {
		t.Error("the segment was changed")
	}
}

func TestScanWhereThereIsNoLog(t *testing.T) {
	if info, err := wal.Scan(t.TempDir(), nil); err != nil || info != (wal.Info{}) {
		t.Errorf("empty directory: got %+v, %v; want nothing", info, err)
	}
	if _, err := wal.Scan(filepath.Join(t.TempDir(), "missing"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: got %v, want os.ErrNotExist", err)
	}
}
