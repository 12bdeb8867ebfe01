package netproxy

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Message is a message of the PostgreSQL frontend, as a rule sees it (PostgreSQL manual, "Message Formats"). The startup
// packet, and the requests for encryption and cancellation that take its place, are not shown to rules.
type Message struct {
	// Type is the message's type byte: 'Q' Query, 'P' Parse, 'B' Bind, 'D' Describe, 'E' Execute, 'S' Sync and so on.
	Type byte
	// Text is the SQL of a Query or Parse, and for Bind and Execute that of the statement they are for. It is empty for
	// other messages.
	Text string
}

// SQLContains matches what runs SQL that contains the fragment, in upper or lower case: a Query, or the Execute of a
// prepared statement. The Parse before it runs nothing and does not match.
func SQLContains(fragment string) func(Message) bool {
	fragment = strings.ToLower(fragment)
	return func(m Message) bool {
		return (m.Type == 'Q' || m.Type == 'E') && strings.Contains(strings.ToLower(m.Text), fragment)
	}
}

// Nth matches the nth message, counted from 1, that match matches. It counts for one rule: each needs its own.
func Nth(n int, match func(Message) bool) func(Message) bool {
	seen := 0
	return func(m Message) bool {
		if match(m) {
			seen++
			return seen == n
		}
		return false
	}
}

// The codes that stand where a startup packet has its protocol version.
const (
	sslRequest = 80877103
	gssRequest = 80877104
)

type packetKind int

const (
	incomplete packetKind = iota // more bytes are needed
	foreign                      // not this protocol: all that has come and will come
	encryption                   // SSLRequest or GSSENCRequest: one byte answers it
	startup
	typed
)

type packet struct {
	kind    packetKind
	raw     []byte
	message Message // of typed
}

// frontend cuts a client's bytes into packets, and remembers which SQL statements and portals stand for.
type frontend struct {
	unread     []byte
	started    bool
	statements map[string]string
	portals    map[string]string
}

func newFrontend() *frontend {
	return &frontend{statements: map[string]string{}, portals: map[string]string{}}
}

// next returns the next packet of unread.
func (f *frontend) next() packet {
	if !f.started {
		return f.first()
	}
	raw, ok := cutMessage(f.unread)
	switch {
	case !ok:
		return f.take(foreign, len(f.unread))
	case raw == nil:
		return packet{}
	}
	p := f.take(typed, len(raw))
	p.message = f.read(raw[0], raw[5:])
	return p
}

func (f *frontend) take(kind packetKind, n int) packet {
	p := packet{kind: kind, raw: f.unread[:n]}
	f.unread = f.unread[n:]
	return p
}

// first returns a packet from before the first typed message. Those have no type byte.
func (f *frontend) first() packet {
	if len(f.unread) < 8 {
		return packet{}
	}
	length, code := binary.BigEndian.Uint32(f.unread), binary.BigEndian.Uint32(f.unread[4:])
	const longest = 10000 // MAX_STARTUP_PACKET_LENGTH of the server
	known := code == sslRequest || code == gssRequest || code>>16 == 3
	if !known || length < 8 || length > longest {
		return f.take(foreign, len(f.unread)) // a CancelRequest too: nothing follows it
	}
	if uint32(len(f.unread)) < length {
		return packet{}
	}
	if code>>16 == 3 {
		f.started = true
		return f.take(startup, int(length))
	}
	return f.take(encryption, int(length))
}

// cutMessage returns the typed message that b begins with, nil if more bytes are needed, and false if it cannot be one.
func cutMessage(b []byte) (raw []byte, ok bool) {
	if len(b) < 5 {
		return nil, true
	}
	length := int64(binary.BigEndian.Uint32(b[1:]))
	if length < 4 || length > 1<<30 {
		return nil, false
	}
	if int64(len(b)) < 1+length {
		return nil, true
	}
	return b[:1+length], true
}

func (f *frontend) read(kind byte, body []byte) Message {
	m := Message{Type: kind}
	switch kind {
	case 'Q':
		m.Text, _ = cString(body)
	case 'P':
		name, rest := cString(body)
		m.Text, _ = cString(rest)
		f.statements[name] = m.Text
	case 'B':
		portal, rest := cString(body)
		statement, _ := cString(rest)
		m.Text = f.statements[statement]
		f.portals[portal] = m.Text
	case 'E':
		portal, _ := cString(body)
		m.Text = f.portals[portal]
	}
	return m
}

// cString cuts the zero-terminated string that b begins with.
func cString(b []byte) (string, []byte) {
	s, rest, _ := bytes.Cut(b, []byte{0})
	return string(s), rest
}

// asksReady reports whether the server answers the message, and all since the one before it of this sort, up to a
// ReadyForQuery: Query, Sync, FunctionCall.
func (m Message) asksReady() bool { return m.Type == 'Q' || m.Type == 'S' || m.Type == 'F' }
