package wal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/dualsql/dualsql/internal/wal"
)

// writer is what one goroutine knows of its own records.
type writer struct {
	number  byte
	size    int // of payloads; 0: all sizes. Equal ones put new frames right before stale ones
	records []sent
	handed  int // so many must survive the process
	durable int // so many must survive a power loss
}

type sent struct {
	wal.Record
	segment uint64 // 0 if the append failed
}

// history is one log's fate over several lives.
type history struct {
	rng     *rand.Rand
	disk    *disk
	writers []*writer
	keep    uint64 // highest Prune that was tried
	serial  uint64
}

// TestNothingAcknowledgedIsLost lets processes die, disks fail and the power go at any operation, and reads the log after
// each: everything acknowledged is there, in order, nothing else is, and nothing is ever taken for damage.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("WAL_TEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	histories := 200
	if testing.Short() {
		histories = 50
	}
	for i := range uint64(histories) {
		if err := runHistory(seed + i); err != nil {
			t.Fatalf("WAL_TEST_SEED=%d: %v", seed+i, err)
		}
	}
}

func runHistory(seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	h := &history{rng: rng, disk: newDisk(rand.New(rand.NewPCG(seed, 1)))}
	size := []int{0, 200}[rng.IntN(2)]
	for w := range 1 + rng.IntN(4) {
		h.writers = append(h.writers, &writer{number: byte(w), size: size})
	}
	for life := range 8 {
		if err := h.live(); err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
	}
	m := h.disk.boot(nil)
	_, err := h.open(m)
	return err
}

// fault makes one operation fail: for good, or with the death of the process.
func (h *history) fault() func(string) error {
	ops := []string{"write", "sync", "rename", "open", "syncdir", "remove", "any"}
	op, n := ops[h.rng.IntN(len(ops))], h.rng.IntN(60)
	err := []error{errGone, errInjected}[h.rng.IntN(2)]
	return func(now string) error {
		if now != op && op != "any" {
			return nil
		}
		n--
		if n == 0 {
			return err
		}
		return nil
	}
}

// live is the life of a process, and how it ends.
func (h *history) live() error {
	m := h.disk.boot(h.fault())
	l, err := h.open(m)
	switch {
	case err == nil:
		if err := h.work(l); err != nil {
			return err
		}
		if h.rng.IntN(2) == 0 {
			if err := l.Close(); err == nil {
				for _, w := range h.writers {
					w.handed, w.durable = len(w.records), len(w.records)
				}
			}
		}
	case !errors.Is(err, errGone) && !errors.Is(err, errInjected):
		return err
	}
	m.kill()
	if h.rng.IntN(2) == 0 {
		h.disk.powerLoss()
		for _, w := range h.writers {
			w.handed = w.durable
		}
	}
	return nil
}

// open opens the log and compares it with what the writers know; what it replays is durable.
func (h *history) open(m *machine) (*wal.Log, error) {
	seen := make([][]sent, len(h.writers))
	l, err := wal.Open("log", wal.Options{SegmentSize: 8192, FS: m}, func(seg uint64, r wal.Record) error {
		r.Payload = bytes.Clone(r.Payload)
		seen[r.Type] = append(seen[r.Type], sent{r, seg})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, w := range h.writers {
		if err := w.compare(seen[w.number], h.keep); err != nil {
			return nil, fmt.Errorf("writer %d: %w", w.number, err)
		}
	}
	return l, nil
}

func (w *writer) compare(seen []sent, keep uint64) error {
	first := w.handed
	if len(seen) > 0 {
		first = slices.IndexFunc(w.records, func(r sent) bool { return r.TxID == seen[0].TxID })
	}
	if first < 0 {
		return fmt.Errorf("record %x was never appended", seen[0].TxID)
	}
	for i, r := range w.records[:first] {
		if i < w.handed && r.segment >= keep {
			return fmt.Errorf("record %d of segment %d is lost: it was acknowledged, and not pruned", i, r.segment)
		}
	}
	for i, r := range seen {
		if first+i >= len(w.records) {
			return fmt.Errorf("record %x was never appended", r.TxID)
		}
		want := w.records[first+i]
		if r.TxID != want.TxID || !bytes.Equal(r.Payload, want.Payload) || want.segment != 0 && want.segment != r.segment {
			return fmt.Errorf("record %d is %x in segment %d, want %x in %d", first+i, r.TxID, r.segment, want.TxID, want.segment)
		}
		w.records[first+i].segment = r.segment
	}
	if first+len(seen) < w.handed {
		return fmt.Errorf("%d records replayed, %d were acknowledged", first+len(seen), w.handed)
	}
	w.records = w.records[:first+len(seen)]
	w.handed, w.durable = len(w.records), len(w.records)
	return nil
}

// work appends from all writers at once, until the log fails or enough is done.
func (h *history) work(l *wal.Log) error {
	prune := h.rng.IntN(2) == 0
	if prune {
		h.keep = max(h.keep, h.writers[0].lastSegment())
	}
	var wg sync.WaitGroup
	errs := make([]error, len(h.writers))
	for i, w := range h.writers {
		h.serial++
		rng := rand.New(rand.NewPCG(h.rng.Uint64(), h.serial))
		wg.Go(func() {
			for n := rng.IntN(80); n > 0; n-- {
				if err := w.step(l, rng); err != nil {
					errs[i] = finalError(l, err)
					return
				}
			}
		})
	}
	if prune {
		l.Prune(h.keep)
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (w *writer) lastSegment() uint64 {
	if w.durable == 0 {
		return 0
	}
	return w.records[w.durable-1].segment
}

func (w *writer) step(l *wal.Log, rng *rand.Rand) error {
	if rng.IntN(8) == 0 {
		err := l.Sync()
		if err == nil {
			w.durable = w.handed
		}
		return err
	}
	r := wal.Record{Type: w.number, Payload: make([]byte, w.size)}
	if w.size == 0 {
		r.Payload = make([]byte, rng.IntN(700))
	}
	if rng.IntN(40) == 0 {
		r.Payload = make([]byte, 12000) // more than a segment
	}
	for i := range r.Payload {
		r.Payload[i] = byte(rng.Uint32())
	}
	binary.LittleEndian.PutUint64(r.TxID[:], rng.Uint64())
	w.records = append(w.records, sent{Record: r})
	last := len(w.records)
	var err error
	if rng.IntN(2) == 0 {
		w.records[last-1].segment, err = l.Append(r)
	} else if w.records[last-1].segment, err = l.AppendSync(r); err == nil {
		w.durable = last
	}
	if err == nil {
		w.handed = last
	}
	return err
}

// finalError checks that the log is closed for good, with its first cause.
func finalError(l *wal.Log, err error) error {
	var first *wal.FailedError
	if !errors.As(err, &first) {
		return fmt.Errorf("a failure gives %v, want *FailedError", err)
	}
	if !errors.Is(err, errInjected) && !errors.Is(err, errGone) {
		return fmt.Errorf("%v does not wrap its cause", err)
	}
	_, again := l.AppendSync(wal.Record{})
	_, append := l.Append(wal.Record{})
	for _, e := range []error{again, append, l.Sync(), l.Prune(0)} {
		if e != error(first) {
			return fmt.Errorf("after %v: got %v", first, e)
		}
	}
	return nil
}
