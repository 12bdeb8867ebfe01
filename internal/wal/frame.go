package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// Record is what the log stores. Type and TxID mean nothing to it.
type Record struct {
	Type    byte
	TxID    [16]byte
	Payload []byte // at most MaxPayload bytes; may be empty
}

// MaxPayload is the most that one record may carry, in bytes.
const MaxPayload = 256 << 20

// A frame's kinds. A new kind is a new version of the format.
const (
	kindRecord = 1
	kindMark   = 2 // vouches for the frames before it; written by Close
	kindEnd    = 3 // the segment's last frame
)

const (
	frameHeader = 40
	frameAlign  = 8

	offLength  = 4
	offDurable = 8
	offKind    = 16
	offType    = 17
	offZero    = 18
	offTxID    = 24
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frameSize returns the bytes that a frame with n bytes of payload takes on disk.
func frameSize(n int) int64 {
	return (frameHeader + int64(n) + frameAlign - 1) &^ (frameAlign - 1)
}

// frameSeed is the part of a frame's checksum that all frames of a segment share.
func frameSeed(id [16]byte, segment uint64) uint32 {
	var b [24]byte
	copy(b[:], id[:])
	binary.LittleEndian.PutUint64(b[16:], segment)
	return crc32.Checksum(b[:], castagnoli)
}

// frameSum is the checksum of a frame at offset off; f is the frame without the checksum itself.
func frameSum(seed uint32, off int64, f []byte) uint32 {
	// Byte by byte: an array handed to crc32.Update would be an allocation for every record.
	crc := ^seed
	for i := range 8 {
		crc = castagnoli[byte(crc)^byte(off>>(8*i))] ^ crc>>8
	}
	return crc32.Update(^crc, castagnoli, f)
}

// appendFrame appends to b the frame that is to stand at off.
func appendFrame(b []byte, seed uint32, off, durable int64, kind byte, r Record) []byte {
	start := len(b)
	var h [frameHeader]byte
	binary.LittleEndian.PutUint32(h[offLength:], uint32(len(r.Payload)))
	binary.LittleEndian.PutUint64(h[offDurable:], uint64(durable))
	h[offKind], h[offType] = kind, r.Type
	copy(h[offTxID:], r.TxID[:])
	b = append(b, h[:]...)
	b = append(b, r.Payload...)
	var pad [frameAlign]byte
	b = append(b, pad[:int(frameSize(len(r.Payload)))-(len(b)-start)]...)
	binary.LittleEndian.PutUint32(b[start:], frameSum(seed, off, b[start+offLength:]))
	return b
}

// frameInfo is what a frame's header says.
type frameInfo struct {
	kind    byte
	size    int64 // of the whole frame
	payload int   // length
	durable int64
}

// parseHeader reads the header h of a frame at off. It reports whether a frame of ours can begin so, with room bytes
// left in the segment; the checksum is the caller's to check.
func parseHeader(h []byte, off, room int64) (frameInfo, bool) {
	n := binary.LittleEndian.Uint32(h[offLength:])
	durable := binary.LittleEndian.Uint64(h[offDurable:])
	kind := h[offKind]
	switch {
	case kind < kindRecord, kind > kindEnd, kind != kindRecord && n != 0:
		return frameInfo{}, false
	case n > MaxPayload, frameSize(int(n)) > room, durable > uint64(off):
		return frameInfo{}, false
	case string(h[offZero:offTxID]) != "\x00\x00\x00\x00\x00\x00":
		return frameInfo{}, false
	}
	return frameInfo{kind: kind, size: frameSize(int(n)), payload: int(n), durable: int64(durable)}, true
}

// wholeFrame reports whether f, found at off, is as it was written.
func wholeFrame(seed uint32, off int64, f []byte) bool {
	return binary.LittleEndian.Uint32(f) == frameSum(seed, off, f[offLength:])
}

// record is the record in the frame f; its payload is a part of f.
func (i frameInfo) record(f []byte) Record {
	r := Record{Type: f[offType], Payload: f[frameHeader:][:i.payload:i.payload]}
	copy(r.TxID[:], f[offTxID:])
	return r
}
