package netproxy

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// encode builds a typed message from its body's zero-terminated strings.
func encode(kind byte, parts ...string) []byte {
	var body []byte
	for _, s := range parts {
		body = append(append(body, s...), 0)
	}
	raw := binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body)))
	return append(raw, body...)
}

func special(code uint32, rest string) []byte {
	raw := binary.BigEndian.AppendUint32(nil, uint32(8+len(rest)))
	return append(binary.BigEndian.AppendUint32(raw, code), rest...)
}

func TestFrontendMessages(t *testing.T) {
	input := slices.Concat(
		special(sslRequest, ""),
		special(3<<16, "user\x00postgres\x00\x00"),
		encode('p', "secret"),
		encode('Q', "SELECT 1"),
		encode('P', "s1", "UPDATE a"),
		encode('P', "s2", "UPDATE b"),
		encode('S'),
		encode('B', "", "s1"),
		encode('E', ""),
		encode('B', "portal", "s2"),
		encode('E', ""),
		encode('E', "portal"),
		encode('S'),
	)
	want := []Message{
		{Type: 'p'}, {'Q', "SELECT 1"}, {'P', "UPDATE a"}, {'P', "UPDATE b"}, {Type: 'S'},
		{'B', "UPDATE a"}, {'E', "UPDATE a"}, {'B', "UPDATE b"}, {'E', "UPDATE a"}, {'E', "UPDATE b"}, {Type: 'S'},
	}
	for _, size := range []int{1, 2, 7, len(input)} {
		f := newFrontend()
		var got []Message
		var kinds []packetKind
		var passed []byte
		for chunk := range slices.Chunk(input, size) {
			f.unread = append(f.unread, chunk...)
			for p := f.next(); p.kind != incomplete; p = f.next() {
				passed = append(passed, p.raw...)
				if p.kind == typed {
					got = append(got, p.message)
				} else {
					kinds = append(kinds, p.kind)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in chunks of %d: messages %q, want %q", size, got, want)
		}
		if !slices.Equal(kinds, []packetKind{encryption, startup}) {
			t.Errorf("in chunks of %d: packets %v before the messages", size, kinds)
		}
		if !bytes.Equal(passed, input) {
			t.Errorf("in chunks of %d: the bytes were changed", size)
		}
	}
}

func TestFrontendForeignProtocols(t *testing.T) {
	tests := []struct {
		name  string
		input []byte
	}{
		{"TDS prelogin", []byte("\x12\x01\x00\x2f\x00\x00\x01\x00\x00\x00")},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n")},
		{"a cancel request", special(80877102, "12345678")},
		{"a message length that cannot be", append(special(3<<16, "\x00"), "Q\x00\x00\x00\x01"...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFrontend()
			f.unread = test.input
			var passed []byte
			var last packet
			for p := f.next(); p.kind != incomplete; p = f.next() {
				last, passed = p, append(passed, p.raw...)
				if p.kind == foreign {
					break
				}
			}
			if last.kind != foreign || !bytes.Equal(passed, test.input) {
				t.Errorf("kind %v, passed %q", last.kind, passed)
			}
		})
	}
}

func TestMatchers(t *testing.T) {
	tests := []struct {
		name    string
		match   func(Message) bool
		message Message
		want    bool
	}{
		{"query", SQLContains("COMMIT"), Message{'Q', "commit prepared 'x'"}, true},
		{"execute", SQLContains("commit"), Message{'E', "COMMIT"}, true},
		{"other text", SQLContains("COMMIT"), Message{'Q', "ROLLBACK"}, false},
		{"parse runs nothing", SQLContains("COMMIT"), Message{'P', "COMMIT"}, false},
		{"bind runs nothing", SQLContains("COMMIT"), Message{'B', "COMMIT"}, false},
	}
	for _, test := range tests {
		if got := test.match(test.message); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	second := Nth(2, SQLContains("b"))
	var got []bool
	for _, sql := range []string{"b", "a", "b", "b"} {
		got = append(got, second(Message{'Q', sql}))
	}
	if !slices.Equal(got, []bool{false, false, true, false}) {
		t.Errorf("Nth(2): %v", got)
	}
}
