package wal_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/dualsql/dualsql/internal/wal"
)

// FuzzRead gives the reader arbitrary bytes for a segment: all of the file, or the frames behind a valid header, as they
// are or with their checksums put right. It must return records or a typed error; and what it has recovered once, it
// must find again.
func FuzzRead(f *testing.F) {
	d := newDisk(newRand(1))
	m := d.boot(nil)
	l, err := wal.Open("log", wal.Options{SegmentSize: 8192, FS: m}, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, size := range []int{0, 5, 100, 16, 700} {
		if _, err := l.AppendSync(wal.Record{Type: byte(size), TxID: [16]byte{1, 2}, Payload: make([]byte, size)}); err != nil {
			f.Fatal(err)
		}
	}
	l.Close()
	whole := d.names[wal.SegmentName("log", 1)].cache
	f.Add(whole, byte(0), false)
	f.Add(whole[:4000], byte(0), false)
	for how := byte(1); how < 3; how++ {
		f.Add(whole[wal.HeaderRoom:][:1200], how, false)
		f.Add(whole[wal.HeaderRoom:][:1200], how, true)
		f.Add(whole[wal.HeaderRoom+40:][:1000], how, false)
	}
	f.Fuzz(func(t *testing.T, data []byte, how byte, ended bool) {
		id := [16]byte{9}
		segment := data
		if how%3 > 0 {
			segment = wal.EncodeSegment(id, 1, data)
		}
		if how%3 > 1 {
			wal.RepairSums(id, 1, segment)
		}
		d := newDisk(newRand(1))
		d.put(wal.SegmentName("log", 1), segment)
		if ended { // the segment is not the last one
			d.put(wal.SegmentName("log", 2), wal.EncodeSegment(id, 2, nil))
		}
		read := func(open func(func(uint64, wal.Record) error) error) ([]wal.Record, error) {
			var records []wal.Record
			size := 0
			err := open(func(_ uint64, r wal.Record) error {
				records = append(records, r)
				size += len(r.Payload)
				return nil
			})
			if size > len(segment) {
				t.Fatalf("%d bytes of payload in a segment of %d", size, len(segment))
			}
			return records, err
		}
		scanned, scanErr := read(func(fn func(uint64, wal.Record) error) error {
			_, err := wal.ScanFS(d.boot(nil), "log", fn)
			return err
		})
		reopen := func(fn func(uint64, wal.Record) error) error {
			l, err := wal.Open("log", wal.Options{SegmentSize: 8192, FS: d.boot(nil)}, fn)
			if err != nil {
				return err
			}
			return l.Close()
		}
		opened, err := read(reopen)
		if (err == nil) != (scanErr == nil) {
			t.Fatalf("Open: %v, Scan: %v", err, scanErr)
		}
		if err != nil {
			if !errors.As(err, new(*wal.CorruptError)) && !errors.As(err, new(*wal.VersionError)) {
				t.Fatalf("the error has no type: %v", err)
			}
			return
		}
		again, err := read(reopen)
		if err != nil || !reflect.DeepEqual(opened, again) || !reflect.DeepEqual(opened, scanned) {
			t.Fatalf("scanned %v, opened %v, then %v, %v", scanned, opened, again, err)
		}
	})
}
