// Package wal is the append-only file under the intent journal. It knows nothing of what its records mean.
//
// A log is a directory that one process holds at a time. Its files are segments, numbered from 1; the last one
// is the active one. Everything on disk is little-endian.
//
//	segment  header in a 4096-byte block of its own, then frames up to the segment's end mark, then zeros
//	header   magic[8] version[4] zero[4] number[8] logID[16] size[8] crc[4]
//	frame    crc[4] length[4] durable[8] kind[1] type[1] zero[6] txid[16] payload[length], padded to 8 with zeros
//
// A frame's checksum is CRC-32C over the log ID, the segment number, the frame's offset and the frame: a whole frame
// in the wrong place is not whole. The header's layout is the same in every version of the format.
//
// # Torn or damaged
//
// The disk writes the pages of an unsynced batch in any order, so after a power loss a broken frame may stand before
// whole ones that nobody was ever promised. Each frame therefore carries durable: the offset in its segment up to
// which everything had been synced when the frame was made. A broken frame at X was once durable, and is damage, if
// a whole frame behind it has durable > X. Else it is the torn tail, and Open cuts the log there.
// In a segment that is not the last, every broken frame is damage.
//
// # Invariants
//
//   - A segment is filled with zeros and synced before it gets its name, so that a later sync of its frames
//     changes no metadata; and its name is synced before its first frame is written.
//   - A segment's end mark is durable before the next segment has its name.
//   - Segments are removed oldest first, each removal durable before the next: no crash leaves a gap.
//   - What Open hands to replay is durable.
//   - After the first failed write or sync nothing is written any more.
package wal
