package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// For the tests from outside the package.

var OSFS FS = osFS{}

const (
	HeaderRoom = headerRoom
	HeaderSize = headerSize
	Version    = version
	NextName   = nextName
)

var (
	SegmentName = segmentName
	ScanFS      = scan
)

// EncodeSegment returns a segment that holds body behind a valid header.
func EncodeSegment(id [16]byte, number uint64, body []byte) []byte {
	b := make([]byte, roundUp(headerRoom+int64(len(body))))
	copy(b, header{number: number, id: id, size: int64(len(b))}.encode())
	copy(b[headerRoom:], body)
	return b
}

// RepairSums gives each frame in segment a right checksum, as far as their lengths lead.
func RepairSums(id [16]byte, number uint64, segment []byte) {
	for off := int64(headerRoom); int64(len(segment))-off >= frameHeader; {
		info, ok := parseHeader(segment[off:], off, int64(len(segment))-off)
		if !ok {
			off += frameAlign
			continue
		}
		f := segment[off:][:info.size]
		binary.LittleEndian.PutUint32(f, frameSum(frameSeed(id, number), off, f[offLength:]))
		off += info.size
	}
}

// RepairHeader gives the segment's header a right checksum.
func RepairHeader(segment []byte) {
	binary.LittleEndian.PutUint32(segment[headerSize-4:], crc32.Checksum(segment[:headerSize-4], castagnoli))
}
