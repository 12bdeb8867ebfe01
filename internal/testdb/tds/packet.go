package tds

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The types of messages (MS-TDS 2.2.3.1.1).
const (
	msgBatch       = 1
	msgRPC         = 3
	msgReply       = 4
	msgAttention   = 6
	msgBulk        = 7
	msgTransaction = 14
	msgLogin       = 16
	msgPrelogin    = 18
)

// The status bits of a packet (MS-TDS 2.2.3.1.2).
const (
	statusEnd           = 0x01
	statusReset         = 0x08
	statusResetSkipTran = 0x10
)

const (
	headerSize        = 8
	defaultPacketSize = 4096
	leastPacketSize   = 512
	mostPacketSize    = 32767
)

// longestMessage bounds what a client can make the server remember.
const longestMessage = 1 << 28

// message is what the packets of one request come to.
type message struct {
	kind   byte
	status byte // of the first packet: the reset bits count there only
	body   []byte
}

// readMessage joins the packets of one message. An error says that the connection is of no more use.
func readMessage(r io.Reader) (message, error) {
	var m message
	var header [headerSize]byte
	for first := true; ; first = false {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return message{}, fmt.Errorf("read a packet header: %w", err)
		}
		kind, status := header[0], header[1]
		size := int(binary.BigEndian.Uint16(header[2:])) - headerSize
		switch {
		case first && !knownMessage(kind):
			return message{}, fmt.Errorf("packet type %d is not known", kind)
		case !first && kind != m.kind:
			return message{}, fmt.Errorf("packet type %d within a message of type %d", kind, m.kind)
		case status&^(statusEnd|statusReset|statusResetSkipTran) != 0:
			return message{}, fmt.Errorf("packet status %#x is not known", status)
		case size < 0 || size > mostPacketSize-headerSize:
			return message{}, fmt.Errorf("packet length %d is out of range", size+headerSize)
		case len(m.body)+size > longestMessage:
			return message{}, fmt.Errorf("message is longer than %d bytes", longestMessage)
		}
		if first {
			m.kind, m.status = kind, status
		}
		at := len(m.body)
		m.body = append(m.body, make([]byte, size)...)
		if _, err := io.ReadFull(r, m.body[at:]); err != nil {
			return message{}, fmt.Errorf("read a packet: %w", err)
		}
		if status&statusEnd != 0 {
			return m, nil
		}
	}
}

func knownMessage(kind byte) bool {
	switch kind {
	case msgBatch, msgRPC, msgAttention, msgBulk, msgTransaction, msgLogin, msgPrelogin:
		return true
	}
	return false
}

// packer cuts one reply into packets.
type packer struct {
	size int // of a packet with its header
	spid uint16
	id   byte
}

// pack returns packets with as much of payload as fills them, and what is left over. With last nothing is left.
func (p *packer) pack(payload []byte, last bool) (packets, rest []byte) {
	room := p.size - headerSize
	packets = make([]byte, 0, len(payload)+(len(payload)/room+1)*headerSize)
	for len(payload) > room {
		packets = p.packet(packets, payload[:room], 0)
		payload = payload[room:]
	}
	if last {
		return p.packet(packets, payload, statusEnd), nil
	}
	return packets, payload
}

func (p *packer) packet(b, payload []byte, status byte) []byte {
	p.id++
	b = append(b, msgReply, status)
	b = binary.BigEndian.AppendUint16(b, uint16(headerSize+len(payload)))
	b = binary.BigEndian.AppendUint16(b, p.spid)
	b = append(b, p.id, 0)
	return append(b, payload...)
}
