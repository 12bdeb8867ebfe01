package wal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/wal"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// written is a closed log of one segment with its records' offsets; the last offset is behind the last record.
func written(t *testing.T) (d *disk, payloads []string, offsets []int) {
	t.Helper()
	d = newDisk(newRand(1))
	l, _ := opened(t, d.boot(nil))
	for i := range 12 {
		payloads = append(payloads, strings.Repeat(string(rune('a'+i)), 5*i))
		offsets = append(offsets, tailOf(t, d))
		appendSync(t, l, payloads[i])
	}
	offsets = append(offsets, tailOf(t, d))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return d, payloads, offsets
}

func tailOf(t *testing.T, d *disk) int {
	t.Helper()
	info, err := wal.ScanFS(d.boot(nil), "log", nil)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Tail)
}

func TestATornTailIsCutAtEveryByte(t *testing.T) {
	d, payloads, offsets := written(t)
	name := wal.SegmentName("log", 1)
	whole := d.names[name].cache
	garbage := make([]byte, len(whole))
	for i, rng := 0, newRand(2); i < len(garbage); i++ {
		garbage[i] = byte(rng.Uint32())
	}
	for _, tt := range []struct {
		name string
		tear func(at int) []byte
	}{
		{"file cut short", func(at int) []byte { return whole[:at] }},
		{"zeros behind", func(at int) []byte { return append(whole[:at:at], make([]byte, len(whole)-at)...) }},
		{"garbage behind", func(at int) []byte { return append(whole[:at:at], garbage[at:]...) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for at := wal.HeaderRoom; at <= offsets[12]; at++ {
				torn := newDisk(newRand(1))
				torn.put(name, tt.tear(at))
				// Behind the payload there are zeros anyway.
				n := sort.Search(12, func(i int) bool { return frameEnd(offsets[i], payloads[i]) > at })
				l, seen := opened(t, torn.boot(nil))
				if len(seen) == n+1 && at >= offsets[n]+40+len(payloads[n]) {
					n++
				}
				wantRecords(t, seen, payloads[:n]...)
				appendSync(t, l, "after")
				l.Close()
				torn.powerLoss()
				l, seen = opened(t, torn.boot(nil))
				l.Close()
				wantRecords(t, seen, append(payloads[:n:n], "after")...)
			}
		})
	}
}

func frameEnd(off int, payload string) int { return off + 40 + (len(payload)+7)/8*8 }

func TestWhatWasCutDoesNotComeBack(t *testing.T) {
	d := newDisk(newRand(1))
	m := d.boot(nil)
	l, _ := opened(t, m)
	appendSync(t, l, "one")
	at := tailOf(t, d)
	for _, p := range []string{"two", "new"} {
		if _, err := l.Append(record(p)); err != nil {
			t.Fatal(err)
		}
	}
	m.kill()
	// The second one's sector was lost, the third one's was not.
	d.names[wal.SegmentName("log", 1)].cache[at+20] ^= 1
	l, seen := opened(t, d.boot(nil))
	wantRecords(t, seen, "one")
	appendSync(t, l, "TWO")
	d.lock = nil
	l, seen = opened(t, d.boot(nil))
	l.Close()
	wantRecords(t, seen, "one", "TWO")
}

func wantCorrupt(t *testing.T, d *disk, file string, offset int) {
	t.Helper()
	opens := map[string]func() error{
		"Open": func() error {
			_, err := wal.Open("log", wal.Options{FS: d.boot(nil)}, nil)
			return err
		},
		"Scan": func() error {
			_, err := wal.ScanFS(d.boot(nil), "log", nil)
			return err
		},
	}
	for call, open := range opens {
		var corrupt *wal.CorruptError
		if err := open(); !errors.As(err, &corrupt) {
			t.Fatalf("%s: got %v, want *CorruptError", call, err)
		}
		if corrupt.File != file || corrupt.Offset != int64(offset) || corrupt.Reason == "" {
			t.Fatalf("%s: got %+v, want %s at %d", call, corrupt, file, offset)
		}
		if !strings.Contains(corrupt.Error(), fmt.Sprintf("%s is damaged at offset %d", file, offset)) {
			t.Fatalf("%s: the message does not say where: %v", call, corrupt)
		}
	}
}

func TestAFlippedBitIsDamage(t *testing.T) {
	one, _, offsets := written(t)
	two := one.clone()
	l, _ := opened(t, two.boot(nil))
	appendSync(t, l, strings.Repeat("x", 5000)) // ends the first segment
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	name := wal.SegmentName("log", 1)
	flip := func(d *disk, at, offset int) {
		t.Helper()
		d = d.clone()
		d.names[name].cache[at] ^= 1 << (at % 8)
		wantCorrupt(t, d, name, offset)
	}
	for at := range wal.HeaderSize {
		flip(one, at, 0)
		flip(two, at, 0)
	}
	for i, offset := range offsets[:12] {
		for at := offset; at < offsets[i+1]; at++ {
			flip(one, at, offset)
			flip(two, at, offset)
		}
	}
	// In a finished segment also its marks count: Close's, and the end mark.
	for at := offsets[12]; at < offsets[12]+80; at++ {
		flip(two, at, offsets[12]+(at-offsets[12])/40*40)
	}
}

func TestALostBlockIsDamage(t *testing.T) {
	d, _, offsets := written(t)
	name := wal.SegmentName("log", 1)
	clear(d.names[name].cache[offsets[3]:offsets[9]])
	wantCorrupt(t, d, name, offsets[3])
}

func TestAFrameInTheWrongPlaceIsNone(t *testing.T) {
	d := newDisk(newRand(1))
	l, _ := opened(t, d.boot(nil))
	id, at := l.ID(), tailOf(t, d)
	appendSync(t, l, "aaaaaaaa", "bbbbbbbb", "cccccccc")
	l.Close()
	name := wal.SegmentName("log", 1)
	body := d.names[name].cache[at:]
	for _, tt := range []struct {
		name   string
		number uint64
		id     [16]byte
		body   []byte
		want   []string
	}{
		{"all as it was", 1, id, body, []string{"aaaaaaaa", "bbbbbbbb", "cccccccc"}},
		{"at another offset", 1, id, append(body[:48:48], body[:160]...), []string{"aaaaaaaa"}},
		{"in another segment", 2, id, body, nil},
		{"in another log", 1, [16]byte{1}, body, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			moved := newDisk(newRand(1))
			moved.put(wal.SegmentName("log", tt.number), wal.EncodeSegment(tt.id, tt.number, tt.body[:200]))
			l, seen := opened(t, moved.boot(nil))
			l.Close()
			wantRecords(t, seen, tt.want...)
		})
	}
}

func TestAMissingSegmentIsDamage(t *testing.T) {
	d := newDisk(newRand(1))
	l, _ := opened(t, d.boot(nil))
	for range 4 {
		appendSync(t, l, strings.Repeat("x", 3000))
	}
	l.Close()
	delete(d.names, wal.SegmentName("log", 2))
	wantCorrupt(t, d, wal.SegmentName("log", 2), 0)
}

func TestASegmentOfAnotherLogIsDamage(t *testing.T) {
	d := newDisk(newRand(1))
	l, _ := opened(t, d.boot(nil))
	appendSync(t, l, strings.Repeat("x", 3000), strings.Repeat("y", 3000))
	l.Close()
	other, _, _ := written(t)
	l, _ = opened(t, other.boot(nil))
	appendSync(t, l, strings.Repeat("x", 5000))
	l.Close()
	d.names[wal.SegmentName("log", 1)] = other.names[wal.SegmentName("log", 1)]
	if _, err := wal.Open("log", wal.Options{FS: d.boot(nil)}, nil); !errors.As(err, new(*wal.CorruptError)) {
		t.Fatalf("got %v, want *CorruptError", err)
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	d := newDisk(newRand(1))
	name := wal.SegmentName("log", 1)
	b := wal.EncodeSegment([16]byte{1}, 1, nil)
	b[8]++
	wal.RepairHeader(b)
	d.put(name, b)
	_, err := wal.Open("log", wal.Options{FS: d.boot(nil)}, nil)
	var version *wal.VersionError
	if !errors.As(err, &version) || version.File != name || version.Version != wal.Version+1 || version.Known != wal.Version {
		t.Fatalf("got %v, want *VersionError with file and versions", err)
	}
	if !bytes.Equal(d.names[name].cache, b) {
		t.Error("the segment was changed")
	}
}
