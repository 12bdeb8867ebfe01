package netproxy

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
)

// postgres is the protocol of PostgreSQL (its manual, "Frontend/Backend Protocol"). An answer is all up to a
// ReadyForQuery.
type postgres struct {
	// Of the client's side: what SQL its statements and portals stand for.
	started    bool
	statements map[string]string
	portals    map[string]string

	// encryption is set while the answer to a request for encryption is due: one byte, not a message.
	encryption atomic.Bool
}

func newPostgres() *postgres {
	return &postgres{statements: map[string]string{}, portals: map[string]string{}}
}

// The codes that stand where a startup packet has its protocol version.
const (
	sslRequest = 80877103
	gssRequest = 80877104
)

const readyForQuery = 'Z'

func (p *postgres) request(unread []byte) (request, bool) {
	if !p.started {
		return p.startup(unread)
	}
	raw, ok := cutMessage(unread)
	if raw == nil {
		return request{}, ok
	}
	m := p.read(raw[0], raw[5:])
	return request{size: len(raw), message: &m, asks: asksReady(m.Type)}, true
}

// startup cuts off a packet from before the first message. Those have no type byte.
func (p *postgres) startup(unread []byte) (request, bool) {
	if len(unread) < 8 {
		return request{}, true
	}
	length, code := binary.BigEndian.Uint32(unread), binary.BigEndian.Uint32(unread[4:])
	const longest = 10000 // MAX_STARTUP_PACKET_LENGTH of the server
	encryption, start := code == sslRequest || code == gssRequest, code>>16 == 3
	if !encryption && !start || length < 8 || length > longest {
		return request{}, false // a CancelRequest too: nothing follows it
	}
	if uint32(len(unread)) < length {
		return request{}, true
	}
	if encryption {
		p.encryption.Store(true)
	}
	p.started = start
	return request{size: int(length), asks: start}, true
}

func (p *postgres) reply(unread []byte) (reply, bool) {
	if p.encryption.Load() {
		// After any answer but 'N' the bytes are none of ours (PostgreSQL manual, "SSL Session Encryption").
		p.encryption.Store(false)
		return reply{size: 1}, unread[0] == 'N'
	}
	raw, ok := cutMessage(unread)
	return reply{size: len(raw), ends: raw != nil && raw[0] == readyForQuery}, ok
}

// cutMessage returns the message that b begins with, nil if more bytes are needed, and false if it cannot be one.
func cutMessage(b []byte) (raw []byte, ok bool) {
	if len(b) < 5 {
		return nil, true
	}
	length := int64(binary.BigEndian.Uint32(b[1:]))
	if length < 4 || length > longestMessage {
		return nil, false
	}
	if int64(len(b)) < 1+length {
		return nil, true
	}
	return b[:1+length], true
}

func (p *postgres) read(kind byte, body []byte) Message {
	m := Message{Type: kind, Runs: kind == 'Q' || kind == 'E'}
	switch kind {
	case 'Q':
		m.Text, _ = cString(body)
	case 'P':
		name, rest := cString(body)
		m.Text, _ = cString(rest)
		p.statements[name] = m.Text
	case 'B':
		portal, rest := cString(body)
		statement, _ := cString(rest)
		m.Text = p.statements[statement]
		p.portals[portal] = m.Text
	case 'E':
		portal, _ := cString(body)
		m.Text = p.portals[portal]
	}
	return m
}

// cString cuts the zero-terminated string that b begins with.
func cString(b []byte) (string, []byte) {
	s, rest, _ := bytes.Cut(b, []byte{0})
	return string(s), rest
}

// asksReady reports whether the server answers a message of the type, and all since the one before it of this sort, up to
// a ReadyForQuery: Query, Sync, FunctionCall.
func asksReady(kind byte) bool { return kind == 'Q' || kind == 'S' || kind == 'F' }
