package wal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dualsql/dualsql/internal/wal"
)

const benchPayload = 256

// BenchmarkAppend compares AppendSync with the least that any journal does: one writer that writes its record into a
// preallocated file and syncs it. Both run in turns, so that a noisy disk hurts them alike. The "ratio" is AppendSync's
// records a second over the bare loop's; the targets are 0.9 with one writer and 20 with 64.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			dir := b.TempDir()
			l, err := wal.Open(filepath.Join(dir, "log"), wal.Options{}, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			loop := newBareLoop(b, filepath.Join(dir, "bare"))
			const round = 256
			var ours, bare time.Duration
			var oursDone, bareDone int
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; {
				n := min(round*writers, b.N-done)
				start := time.Now()
				appendAll(b, l, writers, n)
				ours += time.Since(start)
				oursDone += n
				done += n

				b.StopTimer()
				m := max(1, n/writers)
				start = time.Now()
				loop.run(b, m)
				bare += time.Since(start)
				bareDone += m
				b.StartTimer()
			}
			b.StopTimer()
			ratio := (float64(oursDone) / ours.Seconds()) / (float64(bareDone) / bare.Seconds())
			b.ReportMetric(ratio, "ratio")
			b.ReportMetric(float64(bare.Nanoseconds())/float64(bareDone), "bare-ns/op")
			b.ReportMetric(float64(l.Stats().Appends)/float64(l.Stats().Syncs), "records/sync")
		})
	}
}

// BenchmarkAppendNoSync is the cost of a record without its sync.
func BenchmarkAppendNoSync(b *testing.B) {
	l, err := wal.Open(filepath.Join(b.TempDir(), "log"), wal.Options{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	payload := make([]byte, benchPayload)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Append(wal.Record{Type: 1, Payload: payload}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen compares opening a log of 1 GiB, which checks each of its records, with reading its files once. Both run in turns.
// The "ratio" is the time of reading over that of opening; the target is 1.
func BenchmarkOpen(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "log")
	l, err := wal.Open(dir, wal.Options{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	const records = 1 << 30 / 4096
	for range records {
		if _, err := l.Append(wal.Record{Type: 1, Payload: make([]byte, 4096)}); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	var opening, reading time.Duration
	readAll(b, dir) // into the operating system's cache
	for b.Loop() {
		start := time.Now()
		replayed := 0
		l, err := wal.Open(dir, wal.Options{}, func(uint64, wal.Record) error { replayed++; return nil })
		opening += time.Since(start)
		if err != nil || replayed != records {
			b.Fatal(replayed, err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		readAll(b, dir)
		reading += time.Since(start)
	}
	b.ReportMetric(reading.Seconds()/opening.Seconds(), "ratio")
}

func readAll(b *testing.B, dir string) {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		b.Fatal(err)
	}
	buffer := make([]byte, 1<<20)
	total := int64(0)
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		for n := 1; n > 0; total += int64(n) {
			n, _ = file.Read(buffer) // at its end it reads nothing
		}
		if err := file.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if total < 1<<30 {
		b.Fatalf("%d bytes in %d files", total, len(names))
	}
}

func appendAll(b *testing.B, l *wal.Log, writers, n int) {
	var wg sync.WaitGroup
	for w := range writers {
		mine := n / writers
		if w < n%writers {
			mine++
		}
		wg.Go(func() {
			payload := make([]byte, benchPayload)
			for range mine {
				if _, err := l.AppendSync(wal.Record{Type: 1, Payload: payload}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

type bareLoop struct {
	file wal.File
	off  int64
}

const bareSize = 16 << 20

func newBareLoop(b *testing.B, name string) *bareLoop {
	f, err := wal.OSFS.OpenFile(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	if _, err := f.WriteAt(make([]byte, bareSize), 0); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return &bareLoop{file: f}
}

func (l *bareLoop) run(b *testing.B, n int) {
	payload := make([]byte, benchPayload)
	for range n {
		if l.off+benchPayload > bareSize {
			l.off = 0
		}
		if _, err := l.file.WriteAt(payload, l.off); err != nil {
			b.Fatal(err)
		}
		l.off += benchPayload
		if err := l.file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}
