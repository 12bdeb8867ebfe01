package wal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/dualsql/dualsql/internal/wal"
)

// opened opens a log on fs and returns it with its records' payloads.
func opened(t *testing.T, fs wal.FS) (*wal.Log, []string) {
	t.Helper()
	var seen []string
	l, err := wal.Open("log", wal.Options{SegmentSize: 8192, FS: fs}, func(_ uint64, r wal.Record) error {
		seen = append(seen, string(r.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, seen
}

func record(payload string) wal.Record {
	return wal.Record{Type: 7, TxID: [16]byte{15: 1}, Payload: []byte(payload)}
}

func appendSync(t *testing.T, l *wal.Log, payloads ...string) {
	t.Helper()
	for _, p := range payloads {
		if _, err := l.AppendSync(record(p)); err != nil {
			t.Fatal(err)
		}
	}
}

func wantRecords(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Fatalf("replayed %q, want %q", got, want)
	}
}

func TestRecordsComeBackAsTheyWereAppended(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "log")
	l, err := wal.Open(dir, wal.Options{SegmentSize: 8192}, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := l.ID()
	type stored struct {
		seg uint64
		wal.Record
	}
	var want []stored
	for i, size := range []int{0, 1, 7, 8, 9, 4000, 4000, 100000, 3, 4096 - 80} {
		r := wal.Record{Type: byte(i), TxID: [16]byte{byte(i), 15: 1}, Payload: bytes.Repeat([]byte{byte(i + 1)}, size)}
		seg, err := l.Append(r)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, stored{seg, r})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	i := 0
	l, err = wal.Open(dir, wal.Options{}, func(seg uint64, r wal.Record) error {
		w := want[i]
		i++
		if seg != w.seg || r.Type != w.Type || r.TxID != w.TxID || !bytes.Equal(r.Payload, w.Payload) {
			t.Errorf("record %d came back changed", i-1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if i != len(want) {
		t.Errorf("%d records replayed, want %d", i, len(want))
	}
	if l.ID() != id || id == [16]byte{} {
		t.Errorf("ID %x, at first %x: want the same, and not zero", l.ID(), id)
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "log")
	l, err := wal.Open(dir, wal.Options{SegmentSize: 8192}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 2 {
		t.Errorf("files %q, want a lock and a segment", files)
	}
	for _, name := range append(files, dir) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestADirectoryHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	l, err := wal.Open(dir, wal.Options{SegmentSize: 8192}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = wal.Open(dir, wal.Options{}, nil)
	var locked *wal.LockedError
	if !errors.As(err, &locked) || locked.Dir != dir || locked.PID != os.Getpid() {
		t.Fatalf("second Open: got %#v, want *LockedError with directory and pid", err)
	}
	l.Close()
	l, err = wal.Open(dir, wal.Options{}, nil)
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	l.Close()
}

func TestAClosedLogRefuses(t *testing.T) {
	l, _ := opened(t, newDisk(nil).boot(nil))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, appended := l.Append(record("x"))
	_, synced := l.AppendSync(record("x"))
	for call, err := range map[string]error{"Append": appended, "AppendSync": synced, "Sync": l.Sync(), "Prune": l.Prune(1), "Close": l.Close()} {
		if !errors.Is(err, wal.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", call, err)
		}
	}
}

func TestARecordTooLargeIsRefusedAndTheLogGoesOn(t *testing.T) {
	l, _ := opened(t, newDisk(nil).boot(nil))
	defer l.Close()
	if _, err := l.Append(wal.Record{Payload: make([]byte, wal.MaxPayload+1)}); !errors.Is(err, wal.ErrTooLarge) {
		t.Fatalf("got %v, want ErrTooLarge", err)
	}
	appendSync(t, l, "small")
}

func TestReplayCanRefuse(t *testing.T) {
	d := newDisk(nil)
	l, _ := opened(t, d.boot(nil))
	appendSync(t, l, "a", "b")
	l.Close()
	no, n := errors.New("no"), 0
	m := d.boot(nil)
	_, err := wal.Open("log", wal.Options{FS: m}, func(uint64, wal.Record) error { n++; return no })
	if err != no || n != 1 {
		t.Fatalf("got %v after %d records, want replay's own error after one", err, n)
	}
	l, seen := opened(t, d.boot(nil))
	l.Close()
	wantRecords(t, seen, "a", "b")
}

func TestPruneDeletesFinishedSegmentsOnly(t *testing.T) {
	d := newDisk(nil)
	l, _ := opened(t, d.boot(nil))
	var last uint64
	for i := range 5 {
		seg, err := l.Append(record(strings.Repeat(fmt.Sprint(i), 3000)))
		if err != nil {
			t.Fatal(err)
		}
		last = seg
	}
	if last != 5 || l.Stats().Segments != 5 || l.Stats().Bytes != 5*8192 || l.Stats().Appends != 5 {
		t.Fatalf("in segment %d: %+v", last, l.Stats())
	}
	for _, tt := range []struct {
		keep uint64
		want int
	}{{0, 5}, {1, 5}, {3, 3}, {2, 3}, {99, 1}} {
		if err := l.Prune(tt.keep); err != nil {
			t.Fatal(err)
		}
		if s := l.Stats(); s.Segments != tt.want {
			t.Errorf("Prune(%d) leaves %d segments, want %d", tt.keep, s.Segments, tt.want)
		}
	}
	l.Close()
	l, seen := opened(t, d.boot(nil))
	defer l.Close()
	wantRecords(t, seen, strings.Repeat("4", 3000))
	if seg, _ := l.Append(record("x")); seg != 5 {
		t.Errorf("goes on in segment %d, want 5", seg)
	}
}

func TestAFailedSyncIsFinalForAllWhoWait(t *testing.T) {
	d := newDisk(nil)
	failing := false
	d.rng = newRand(1)
	m := d.boot(func(op string) error {
		if failing && op == "sync" {
			return errInjected
		}
		return nil
	})
	l, _ := opened(t, m)
	appendSync(t, l, "before")
	d.mu.Lock()
	failing = true
	d.mu.Unlock()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			_, err := l.AppendSync(record("lost"))
			var failed *wal.FailedError
			if !errors.As(err, &failed) || failed.Op != "sync" || !errors.Is(err, errInjected) {
				t.Errorf("got %v, want *FailedError of a sync", err)
			}
		})
	}
	wg.Wait()
	d.mu.Lock()
	failing = false
	d.mu.Unlock()
	for _, err := range []error{l.Sync(), l.Prune(9), l.Close()} {
		if !errors.Is(err, errInjected) {
			t.Errorf("later call: got %v, want the first failure", err)
		}
	}
	l, seen := opened(t, d.boot(nil))
	l.Close()
	if len(seen) == 0 || seen[0] != "before" {
		t.Errorf("replayed %q, want it to begin with what was synced", seen)
	}
}

func TestThoseWhoComeDuringASyncShareTheNextOne(t *testing.T) {
	gate := make(chan struct{})
	gated := false
	d := newDisk(nil)
	l, err := wal.Open("log", wal.Options{SegmentSize: 64 << 10, FS: d.boot(func(op string) error {
		if gated && op == "sync" {
			<-gate
		}
		return nil
	})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	gated = true
	const writers = 64
	var wg sync.WaitGroup
	for n := range uint64(writers) {
		wg.Go(func() {
			if _, err := l.AppendSync(record("x")); err != nil {
				t.Error(err)
			}
		})
		for l.Stats().Appends <= n {
			runtime.Gosched()
		}
	}
	close(gate)
	wg.Wait()
	if s := l.Stats(); s.Syncs != 2 {
		t.Errorf("%d syncs for %d records, want the first one's and one for the others", s.Syncs, writers)
	}
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	l, err := wal.Open(dir, wal.Options{SegmentSize: 64 << 10}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 64, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				r := wal.Record{Type: byte(w), TxID: [16]byte{byte(i)}, Payload: make([]byte, 200)}
				if _, err := l.AppendSync(r); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	next := make([]int, writers)
	info, err := wal.Scan(dir, func(_ uint64, r wal.Record) error {
		if int(r.TxID[0]) != next[r.Type] {
			t.Errorf("writer %d: record %d where %d was due", r.Type, r.TxID[0], next[r.Type])
		}
		next[r.Type]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for w, n := range next {
		if n != each {
			t.Errorf("writer %d: %d records, want %d", w, n, each)
		}
	}
	if info.ID != l.ID() || info.Segments != l.Stats().Segments || info.Bytes != l.Stats().Bytes {
		t.Errorf("Scan says %+v, the log %+v", info, l.Stats())
	}
}

func TestCloseEndsThePreparationOfTheNextSegment(t *testing.T) {
	dir := t.TempDir()
	l, err := wal.Open(dir, wal.Options{SegmentSize: 1 << 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(wal.Record{Payload: make([]byte, 700<<10)}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, wal.NextName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", wal.NextName, err)
	}
	// The goroutine's last act was to hand over its result; it may still be on its way out.
	for stacks := make([]byte, 1<<20); ; runtime.Gosched() {
		if !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("prepareNext")) {
			return
		}
	}
}
