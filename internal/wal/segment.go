package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

const (
	version    = 1
	magic      = "dualwal\n"
	headerSize = 52   // bytes in use
	headerRoom = 4096 // a block of its own: no later write touches the header's page
	block      = 4096

	minSegment     = 2 * block
	defaultSegment = 16 << 20
	maxSegment     = 1 << 30

	lockName = "lock"
	nextName = "next.tmp" // the next segment, until it is the active one
)

var zeros [256 << 10]byte

// header is a segment's header.
type header struct {
	number uint64
	id     [16]byte
	size   int64 // of the segment, the header included
}

func segmentName(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016d.wal", number))
}

// segmentNumber is the inverse of segmentName; 0 if name is not a segment's.
func segmentNumber(name string) uint64 {
	var n uint64
	if _, err := fmt.Sscanf(name, "%d.wal", &n); err != nil || filepath.Base(segmentName("", n)) != name {
		return 0
	}
	return n
}

func (h header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint64(b[16:], h.number)
	copy(b[24:], h.id[:])
	binary.LittleEndian.PutUint64(b[40:], uint64(h.size))
	binary.LittleEndian.PutUint32(b[48:], crc32.Checksum(b[:48], castagnoli))
	return b
}

// readHeader reads the header of segment number from f, whose name is only for errors.
func readHeader(f File, name string, number uint64) (header, error) {
	corrupt := func(reason string) (header, error) {
		return header{}, &CorruptError{File: name, Reason: reason}
	}
	b := make([]byte, headerSize)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		if err == io.EOF {
			return corrupt("the file ends within the segment's header")
		}
		return header{}, readError(name, 0, err)
	}
	h := header{number: binary.LittleEndian.Uint64(b[16:]), size: int64(binary.LittleEndian.Uint64(b[40:]))}
	copy(h.id[:], b[24:])
	switch v := binary.LittleEndian.Uint32(b[8:]); {
	case string(b[:8]) != magic:
		return corrupt("it does not begin as a journal segment does")
	case binary.LittleEndian.Uint32(b[48:]) != crc32.Checksum(b[:48], castagnoli):
		return corrupt("the header's checksum is wrong")
	case v != version:
		return header{}, &VersionError{File: name, Version: v, Known: version}
	case h.number != number:
		return corrupt(fmt.Sprintf("the header says that it is segment %d", h.number))
	case h.size < minSegment:
		return corrupt(fmt.Sprintf("the header says that it has %d bytes", h.size))
	}
	return h, nil
}

// createSegment makes the segment h describes under the temporary name: filled, synced, ready to be named.
//
// The zeros are written, not reserved by fallocate(2): ext4 and xfs keep reserved extents as "unwritten", and
// the first write into each would make the sync behind it a metadata write.
func createSegment(fs FS, dir string, h header) error {
	f, err := fs.OpenFile(filepath.Join(dir, nextName), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	return errors.Join(fillSegment(f, h), f.Close())
}

func fillSegment(f File, h header) error {
	for off := int64(0); off < h.size; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), h.size-off)], off); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(h.encode(), 0); err != nil {
		return err
	}
	return f.Sync()
}

// nameSegment gives the created segment its name, durably, and opens it. It was closed: Windows renames no open file.
func nameSegment(fs FS, dir string, number uint64) (File, error) {
	name := segmentName(dir, number)
	if err := fs.Rename(filepath.Join(dir, nextName), name); err != nil {
		return nil, err
	}
	if err := fs.SyncDir(dir); err != nil {
		return nil, err
	}
	return fs.OpenFile(name, os.O_RDWR)
}

// roundUp rounds a segment's size up to whole blocks, within the limits.
func roundUp(size int64) int64 {
	return max(minSegment, (size+block-1)&^(block-1))
}

func readError(name string, off int64, err error) error {
	return fmt.Errorf("read journal segment %s at offset %d: %w; check the file's permissions and the disk", name, off, err)
}
