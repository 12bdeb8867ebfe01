package netproxy

import (
	"encoding/binary"
	"slices"
)

// The types of packets (MS-TDS 2.2.3.1.1).
const (
	tdsBatch       = 0x01
	tdsRPC         = 0x03
	tdsReply       = 0x04
	tdsAttention   = 0x06
	tdsBulk        = 0x07
	tdsFedAuth     = 0x08
	tdsTransaction = 0x0E
	tdsLogin       = 0x10
	tdsSSPI        = 0x11
	tdsPrelogin    = 0x12
)

// The bits of a packet's status (MS-TDS 2.2.3.1.2).
const (
	endOfMessage = 0x01
	ignore       = 0x02
)

// tdsPacket is a packet, or the packets of a whole message.
type tdsPacket struct {
	size    int // with the headers; 0 if more bytes are needed
	kind    byte
	last    bool // of its message
	ignored bool
	body    []byte
}

// cutPacket cuts off the packet that b begins with. It returns false if it cannot be one.
func cutPacket(b []byte) (tdsPacket, bool) {
	const header = 8
	if len(b) < header {
		return tdsPacket{}, true
	}
	size := int(binary.BigEndian.Uint16(b[2:]))
	if size < header {
		return tdsPacket{}, false
	}
	if len(b) < size {
		return tdsPacket{}, true
	}
	return tdsPacket{
		size: size, kind: b[0], last: b[1]&endOfMessage != 0, ignored: b[1]&ignore != 0, body: b[header:size],
	}, true
}

// cutPackets cuts off the packets of the message that b begins with. It returns false if there cannot be one.
func cutPackets(b []byte) (message tdsPacket, ok bool) {
	var bodies [][]byte
	for !message.last {
		p, ok := cutPacket(b[message.size:])
		if !ok || p.size == 0 {
			return tdsPacket{}, ok && len(b) <= longestMessage
		}
		if len(bodies) > 0 && p.kind != message.kind {
			return tdsPacket{}, false
		}
		bodies = append(bodies, p.body)
		p.size += message.size
		message = p
	}
	message.body = slices.Concat(bodies...)
	return message, true
}

// unencrypted reports whether the server's PRELOGIN says that there will be no encryption, not of the login either
// (MS-TDS 2.2.6.5): each option has its type, and the offset and length of its value.
func unencrypted(prelogin []byte) bool {
	const (
		encryption    = 1
		end           = 0xFF
		notSupported  = 2
		bytesOfOption = 5
	)
	for at := 0; at+bytesOfOption <= len(prelogin) && prelogin[at] != end; at += bytesOfOption {
		if prelogin[at] == encryption {
			value := int(binary.BigEndian.Uint16(prelogin[at+1:]))
			return value < len(prelogin) && prelogin[value] == notSupported
		}
	}
	return false
}

// speaks72 reports whether a LOGIN7 asks for TDS 7.2 or later (MS-TDS 2.2.6.4): before, requests have no ALL_HEADERS, and
// DONE is shorter.
func speaks72(login []byte) bool {
	return len(login) >= 8 && binary.LittleEndian.Uint32(login[4:])>>24 >= 0x72
}

// doneSize is the size of a DONE, with which all messages of a server that answer a request or attention end.
const doneSize = 13

// acknowledges reports whether the end of a message is a DONE that acknowledges an attention (MS-TDS 2.2.7.6).
func acknowledges(tail []byte) bool {
	const (
		done          = 0xFD
		doneAttention = 0x20
	)
	return len(tail) == doneSize && tail[0] == done && tail[1]&doneAttention != 0
}
