package tds_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
	"unicode/utf16"
)

// raw is a client that sends what go-mssqldb does not.
type raw struct {
	net.Conn
	t testing.TB
}

func dialRaw(t testing.TB, addr string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &raw{conn, t}
}

// send sends a message in packets of size.
func (c *raw) send(kind, status byte, body []byte, size int) {
	c.t.Helper()
	for first := true; first || len(body) > 0; first = false {
		n := min(size, len(body))
		bits := status
		if n == len(body) {
			bits |= 1
		}
		packet := append([]byte{kind, bits, 0, 0, 0, 0, 0, 0}, body[:n]...)
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
		if _, err := c.Write(packet); err != nil {
			c.t.Fatal(err)
		}
		body = body[n:]
	}
}

// read returns the next message of the server.
func (c *raw) read() []byte {
	c.t.Helper()
	var body []byte
	for {
		var header [8]byte
		if _, err := io.ReadFull(c, header[:]); err != nil {
			c.t.Fatal(err)
		}
		packet := make([]byte, binary.BigEndian.Uint16(header[2:])-8)
		if _, err := io.ReadFull(c, packet); err != nil {
			c.t.Fatal(err)
		}
		body = append(body, packet...)
		if header[1] == 1 {
			return body
		}
	}
}

func ucs2(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// headers is ALL_HEADERS with a transaction descriptor.
func headers(descriptor uint64) []byte {
	b := []byte{22, 0, 0, 0, 18, 0, 0, 0, 2, 0}
	b = binary.LittleEndian.AppendUint64(b, descriptor)
	return binary.LittleEndian.AppendUint32(b, 1)
}

func (c *raw) logIn() {
	c.t.Helper()
	body := make([]byte, 94)
	binary.LittleEndian.PutUint32(body, uint32(len(body)))
	c.send(16, 0, body, 4088)
	c.read()
}

func (c *raw) batch(text string) { c.send(1, 0, append(headers(0), ucs2(text)...), 4088) }
