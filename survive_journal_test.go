package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/filelock"
	"github.com/dualsql/dualsql/internal/wal"
)

// sickFS is the operating system's file system until it is told to fail.
type sickFS struct{ write, sync atomic.Bool }

func (*sickFS) MkdirAll(dir string) error    { return os.MkdirAll(dir, 0o700) }
func (*sickFS) Rename(from, to string) error { return os.Rename(from, to) }
func (*sickFS) Remove(name string) error     { return os.Remove(name) }
func (*sickFS) SyncDir(string) error         { return nil }
func (*sickFS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (fs *sickFS) OpenFile(name string, flag int) (wal.File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	return &sickFile{f, fs}, err
}

func (*sickFS) Lock(name string) (io.Closer, error) {
	l, err := filelock.Acquire(name)
	return closerFunc(func() error { return l.Release() }), err
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

type sickFile struct {
	*os.File
	fs *sickFS
}

func (f *sickFile) WriteAt(p []byte, off int64) (int, error) {
	if f.fs.write.Load() {
		n, _ := f.File.WriteAt(p[:len(p)/2], off)
		return n, syscall.ENOSPC
	}
	return f.File.WriteAt(p, off)
}

func (f *sickFile) Sync() error {
	if f.fs.sync.Load() {
		return syscall.EIO
	}
	return f.File.Sync()
}

func (f *sickFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func TestSurvive04JournalCannotWrite(t *testing.T) {
	for name, fail := range map[string]func(*sickFS) *atomic.Bool{
		"write": func(fs *sickFS) *atomic.Bool { return &fs.write },
		"sync":  func(fs *sickFS) *atomic.Bool { return &fs.sync },
	} {
		t.Run(name, func(t *testing.T) {
			on{alone: true}.each(t, func(t *testing.T, w *world) {
				fs := &sickFS{}
				dualsql.JournalOn(t, fs)
				n := w.openWarm()
				fail(fs).Store(true)
				if w.protocol == dualsql.TwoPhase && name == "sync" {
					w.untilSynced(n)
				}
				refused := func(id int) {
					t.Helper()
					err := write(n.DB, id)
					w.told(err, dualsql.RolledBack)
					if failed := (*wal.FailedError)(nil); !errors.As(err, &failed) {
						t.Errorf("%v does not say that the journal failed", err)
					}
					w.is(id, neither)
				}
				refused(1)
				fail(fs).Store(false)
				refused(2) // the disk works again; nobody knows what it has lost
				var got int
				if err := n.QueryRow("select count(*) from entry").Scan(&got); err != nil || got != 1 {
					t.Errorf("a read finds %d, %v", got, err)
				}
				if err := n.Close(); err == nil {
					t.Error("Close says nothing of the journal that failed")
				}
				n, _ = w.recover()
				w.is(1, neither)
				if w.protocol == dualsql.Marker {
					w.settled(n)
				}
				w.is(w.writes(n, 3)-1, both)
			})
		})
	}
}

// untilSynced writes until the journal is synced, and that fails: 2pc does not wait for it at each commit. No marker is deleted
// whose end is not on disk.
func (w *world) untilSynced(n *node) {
	w.Helper()
	wrote := 0
	w.eventually("the journal is synced", func() bool {
		_, err := n.Exec("insert into parent values (?)", wrote)
		if err == nil {
			wrote++
		} else {
			w.told(err, dualsql.RolledBack)
		}
		return err != nil
	})
	for side := range w.raw {
		if got := w.count(side, "select count(*) from "+w.markers(side)); got < wrote {
			w.Errorf("side %d has %d markers, after %d transactions", side, got, wrote)
		}
	}
}

// tail is what a power loss may take of the journal. Under marker that is the frames behind the last intent: a frame has 40
// bytes and its payload, padded to 8 (internal/wal, package comment); the decision has none, the end a byte. 2pc does not wait
// for the disk: everything. Each run cuts at other places.
func (w *world) tail() (first, last, step int64) {
	w.Helper()
	last, step = 40+48, 8
	if *everything {
		step = 1
	}
	if w.protocol == dualsql.TwoPhase {
		info, err := wal.Scan(w.journal, nil)
		if err != nil {
			w.Fatal(err)
		}
		const segmentHeader = 4096
		last, step = info.Tail-segmentHeader, 160
	}
	first = rand.Int64N(step)
	w.Logf("first cut at %d", first)
	return first, last, step
}

// cut is the journal with everything from a byte on gone, as a power loss leaves preallocated room.
func cut(t *testing.T, from, to string, at func(end int64) int64) {
	t.Helper()
	info, err := wal.Scan(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(to, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		stat, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if stat.Size() < info.Tail || filepath.Base(name) == "lock" {
			continue
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err == nil {
			_, err = f.WriteAt(make([]byte, info.Tail-at(info.Tail)), at(info.Tail))
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing that was acknowledged is lost, nor done twice, wherever the journal is torn.
func TestSurvive05TornTail(t *testing.T) {
	t.Parallel()
	on{protocols: mending}.each(t, func(t *testing.T, w *world) {
		told := w.crash(crash{at: "ended#3", writes: 3})
		whole, markers := w.journal, [2][]string{w.markerRows(primary), w.markerRows(secondary)}
		first, last, step := w.tail()
		for lost := first; lost <= last; lost += step {
			// The databases are as the crash left them: a recovery changes nothing of theirs but the markers.
			for side, rows := range markers {
				w.exec(side, "delete from "+w.markers(side))
				for _, row := range rows {
					w.exec(side, row)
				}
			}
			w.journal = filepath.Join(t.TempDir(), fmt.Sprint("cut", lost))
			cut(t, whole, w.journal, func(end int64) int64 { return end - lost })
			n, _ := w.recover()
			w.pending(n)
			w.close(n)
			w.kept(told)
			w.is(3, both)
			if t.Failed() {
				t.Fatalf("with the last %d bytes of the journal gone", lost)
			}
		}
	})
}

// markerRows returns the statements that make the markers anew.
func (w *world) markerRows(side int) (inserts []string) {
	w.Helper()
	columns := "txid, state, journal"
	if w.engines[side] == "sqlserver" {
		columns = "convert(char(36), txid), state, convert(char(36), journal)" // a uniqueidentifier would come as its bytes
	}
	rows, err := w.raw[side].QueryContext(context.Background(), "select "+columns+" from "+w.markers(side))
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var txid, state, journal sql.NullString
		if err := rows.Scan(&txid, &state, &journal); err != nil {
			w.Fatal(err)
		}
		inserts = append(inserts, fmt.Sprintf("insert into %s (txid, state, journal) values ('%s', '%s', '%s')",
			w.markers(side), txid.String, state.String, journal.String))
	}
	if err := rows.Err(); err != nil {
		w.Fatal(err)
	}
	return inserts
}
