package netproxy

import (
	"bytes"
	"slices"
	"testing"
)

// requests cuts the input, which comes in chunks, until it has ended or is not understood. Whatever is cut has to be the
// input.
func requests(t *testing.T, p protocol, input []byte, chunk int) (shown []Message, asks []bool, ok bool) {
	t.Helper()
	var unread, passed []byte
	for arrived := range slices.Chunk(input, chunk) {
		unread = append(unread, arrived...)
		for len(unread) > 0 {
			r, ok := p.request(unread)
			if !ok {
				return shown, asks, false
			}
			if r.size == 0 {
				break
			}
			if r.message != nil {
				shown = append(shown, *r.message)
			}
			asks = append(asks, r.asks)
			passed, unread = append(passed, unread[:r.size]...), unread[r.size:]
		}
	}
	if !bytes.Equal(passed, input) {
		t.Errorf("in chunks of %d: the bytes were changed, or not all are whole messages", chunk)
	}
	return shown, asks, true
}

// replies cuts the input as requests does, and returns how many answers end in it.
func replies(t *testing.T, p protocol, input []byte, chunk int) (ends int, ok bool) {
	t.Helper()
	var unread, passed []byte
	for arrived := range slices.Chunk(input, chunk) {
		unread = append(unread, arrived...)
		for len(unread) > 0 {
			r, ok := p.reply(unread)
			if !ok {
				return ends, false
			}
			if r.size == 0 {
				break
			}
			if r.ends {
				ends++
			}
			passed, unread = append(passed, unread[:r.size]...), unread[r.size:]
		}
	}
	if !bytes.Equal(passed, input) {
		t.Errorf("in chunks of %d: the bytes were changed, or not all are whole messages", chunk)
	}
	return ends, true
}

func TestForeignProtocols(t *testing.T) {
	started := special(3<<16, "\x00")
	cutShort := headers + "\xff\xff\x0a\x00\x00\x00\x00\x00\xe7\x40\x1f.....\xff\x00a"
	for name, input := range map[string][]byte{
		"HTTP":                        []byte("GET / HTTP/1.1\r\n\r\n"),
		"TLS":                         []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		"a single byte":               []byte("G"),
		"a cancel request":            special(80877102, "12345678"),
		"a message length too small":  append(started, "Q\x00\x00\x00\x01"...),
		"a message length too large":  append(started, "Q\x7f\xff\xff\xff"...),
		"a packet length too small":   {tdsPrelogin, 1, 0, 7, 0, 0, 0, 0},
		"packets of different types":  slices.Concat(prelogin(2), packets(tdsBatch, 0, 0, "a"), packets(tdsRPC, 1, 0, "b")),
		"an unknown packet":           slices.Concat(prelogin(2), packets(0x53, 1, 0, "a")),
		"a TDS login before PRELOGIN": packets(tdsLogin, 1, 0, "a"),
		"TLS after PRELOGIN":          slices.Concat(prelogin(2), packets(tdsPrelogin, 1, 0, "\x16\x03\x01")),
		"TDS 7.1":                     slices.Concat(prelogin(2), login(0x71000001)),
		"no headers":                  slices.Concat(prelogin(2), packets(tdsBatch, 1, 0, "")),
		"headers that are too short":  slices.Concat(prelogin(2), packets(tdsBatch, 1, 0, "\x03\x00\x00\x00abc")),
		"headers that do not end":     slices.Concat(prelogin(2), packets(tdsBatch, 1, 0, "\xff\x00\x00\x00abc")),
		"an RPC that does not end":    slices.Concat(prelogin(2), packets(tdsRPC, 1, 0, cutShort)),
	} {
		for _, chunk := range []int{1, 3, len(input)} {
			p := protocolOf(input[0])
			if _, _, ok := requests(t, p, input, chunk); ok && p != (opaque{}) {
				t.Errorf("%s, in chunks of %d, was taken for %T", name, chunk, p)
			}
		}
	}
}
