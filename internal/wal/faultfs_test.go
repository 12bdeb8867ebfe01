package wal_test

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"github.com/dualsql/dualsql/internal/filelock"
	"github.com/dualsql/dualsql/internal/wal"
)

var (
	errInjected = errors.New("injected input/output error")
	errGone     = errors.New("the process has been killed")
)

// disk is a simulated disk with its page cache. What a sync has not reached may or may not survive a power loss:
// each 512-byte sector is as some of its unsynced writes left it, in any combination; and each unsynced
// creation, renaming and removal has happened or not.
type disk struct {
	mu      sync.Mutex
	rng     *rand.Rand
	names   map[string]*inode // as the operating system shows them
	durable map[string]*inode
	pending []func(map[string]*inode) // unsynced changes of names
	lock    *machine
}

// inode is a file's content.
type inode struct {
	cache   []byte
	platter []byte
	pending []write
}

type write struct {
	off  int64
	data []byte
}

const sector = 512

func newDisk(rng *rand.Rand) *disk {
	return &disk{rng: rng, names: map[string]*inode{}, durable: map[string]*inode{}}
}

// lose lets any part of the unsynced writes reach the platter and forgets the rest, but not in the cache.
func (n *inode) lose(rng *rand.Rand) {
	size := len(n.platter)
	for _, w := range n.pending {
		size = max(size, int(w.off)+len(w.data))
	}
	grown := make([]byte, size)
	copy(grown, n.platter)
	reach := map[int64]int{} // how many of the writes each sector has seen
	for i, w := range n.pending {
		for at := w.off; at < w.off+int64(len(w.data)); {
			s := at / sector
			end := min((s+1)*sector, w.off+int64(len(w.data)))
			if _, ok := reach[s]; !ok {
				reach[s] = rng.IntN(len(n.pending) + 1)
			}
			if i < reach[s] {
				copy(grown[at:end], w.data[at-w.off:])
			}
			at = end
		}
	}
	n.platter, n.pending = grown, nil
}

// powerLoss leaves what the platter holds.
func (d *disk) powerLoss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, change := range d.pending {
		if d.rng.IntN(2) == 0 {
			change(d.durable)
		}
	}
	d.pending = nil
	d.names = maps.Clone(d.durable)
	for _, n := range d.names {
		n.lose(d.rng)
		n.cache = append([]byte(nil), n.platter...)
	}
}

func (d *disk) rename(change func(map[string]*inode)) {
	change(d.names)
	d.pending = append(d.pending, change)
}

// put stores a file durably, as a test found or made it.
func (d *disk) put(name string, b []byte) {
	n := &inode{cache: append([]byte(nil), b...), platter: append([]byte(nil), b...)}
	d.names[name], d.durable[name] = n, n
}

func (d *disk) clone() *disk {
	c := newDisk(rand.New(rand.NewPCG(1, 1)))
	for name, n := range d.names {
		c.put(name, n.cache)
	}
	return c
}

// machine is one life of a process that uses the disk: a wal.FS.
type machine struct {
	*disk
	dead bool
	// fault is asked before each operation, with the disk's mutex held: nil, an error to fail it with, or errGone.
	fault func(op string) error
}

func (d *disk) boot(fault func(op string) error) *machine {
	return &machine{disk: d, fault: fault}
}

// kill ends the process: nothing it still tries has any effect.
func (m *machine) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.die()
}

func (m *machine) die() {
	m.dead = true
	if m.lock == m {
		m.lock = nil
	}
}

func (m *machine) try(op string) error {
	if m.dead {
		return errGone
	}
	if m.fault == nil {
		return nil
	}
	err := m.fault(op)
	if err == errGone {
		m.die()
	}
	return err
}

func (m *machine) MkdirAll(string) error { return nil }

func (m *machine) ReadDir(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.names {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	return names, m.try("readdir")
}

func (m *machine) OpenFile(name string, flag int) (wal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.try("open"); err != nil {
		return nil, err
	}
	if flag&os.O_CREATE != 0 {
		n := &inode{}
		m.rename(func(names map[string]*inode) { names[name] = n })
	}
	n := m.names[name]
	if n == nil {
		return nil, os.ErrNotExist
	}
	return &handle{m, n}, nil
}

func (m *machine) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.try("rename"); err != nil {
		return err
	}
	n := m.names[from]
	if n == nil {
		return os.ErrNotExist
	}
	m.rename(func(names map[string]*inode) {
		delete(names, from)
		names[to] = n
	})
	return nil
}

func (m *machine) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.try("remove"); err != nil {
		return err
	}
	if m.names[name] == nil {
		return os.ErrNotExist
	}
	m.rename(func(names map[string]*inode) { delete(names, name) })
	return nil
}

func (m *machine) SyncDir(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.try("syncdir"); err != nil {
		return err
	}
	for _, change := range m.pending {
		change(m.durable)
	}
	m.pending = nil
	return nil
}

func (m *machine) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lock != nil {
		return nil, &filelock.HeldError{Path: name}
	}
	m.lock = m
	return unlock{m}, nil
}

type unlock struct{ *machine }

func (u unlock) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.lock == u.machine {
		u.lock = nil
	}
	return nil
}

// handle is an open file.
type handle struct {
	m *machine
	n *inode
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.try("read"); err != nil {
		return 0, err
	}
	if off >= int64(len(h.n.cache)) {
		return 0, io.EOF
	}
	n := copy(p, h.n.cache[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.m.dead {
		return 0, errGone
	}
	err := h.m.try("write")
	if err != nil {
		p = p[:h.m.rng.IntN(len(p)+1)] // a short write
	}
	if grow := off + int64(len(p)) - int64(len(h.n.cache)); grow > 0 {
		h.n.cache = append(h.n.cache, make([]byte, grow)...)
	}
	copy(h.n.cache[off:], p)
	h.n.pending = append(h.n.pending, write{off, append([]byte(nil), p...)})
	return len(p), err
}

func (h *handle) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.try("sync"); err != nil {
		if err != errGone {
			h.n.lose(h.m.rng) // as Linux does it: the pages are clean now, wherever their content is
		}
		return err
	}
	for _, w := range h.n.pending { // and only these: what an earlier failure lost stays lost
		if grow := int(w.off) + len(w.data) - len(h.n.platter); grow > 0 {
			h.n.platter = append(h.n.platter, make([]byte, grow)...)
		}
		copy(h.n.platter[w.off:], w.data)
	}
	h.n.pending = nil
	return nil
}

func (h *handle) Size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return int64(len(h.n.cache)), h.m.try("size")
}

func (h *handle) Close() error { return nil }
