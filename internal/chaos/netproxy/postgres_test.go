package netproxy

import (
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

func TestPostgresRequests(t *testing.T) {
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
		{'p', "", false},
		{'Q', "SELECT 1", true},
		{'P', "UPDATE a", false}, {'P', "UPDATE b", false}, {'S', "", false},
		{'B', "UPDATE a", false}, {'E', "UPDATE a", true},
		{'B', "UPDATE b", false}, {'E', "UPDATE a", true}, {'E', "UPDATE b", true}, {'S', "", false},
	}
	wantAsks := []bool{false, true, false, true, false, false, true, false, false, false, false, false, true}
	for _, chunk := range []int{1, 2, 7, len(input)} {
		got, asks, ok := requests(t, protocolOf(input[0]), input, chunk)
		if !ok || !slices.Equal(got, want) {
			t.Errorf("in chunks of %d: messages %v, want %v", chunk, got, want)
		}
		if !slices.Equal(asks, wantAsks) {
			t.Errorf("in chunks of %d: asks for answers %v, want %v", chunk, asks, wantAsks)
		}
	}
}

func TestPostgresReplies(t *testing.T) {
	for _, test := range []struct {
		name    string
		refused bool // encryption was asked for, and is refused
		input   []byte
		ends    int
		ok      bool
	}{
		{"startup and a query", false, slices.Concat(encode('R', ""), encode('Z', ""), encode('D', "Z"), encode('Z', "")), 2, true},
		{"encryption refused", true, append([]byte("N"), encode('Z', "")...), 1, true},
		{"encryption", true, []byte("S\x15\x03"), 0, false},
		{"another protocol", false, []byte("HTTP/1.1 400"), 0, false},
	} {
		for _, chunk := range []int{1, 2, 7, len(test.input)} {
			p := newPostgres()
			if test.refused {
				requests(t, p, special(sslRequest, ""), 8)
			}
			if ends, ok := replies(t, p, test.input, chunk); ends != test.ends || ok != test.ok {
				t.Errorf("%s, in chunks of %d: %d answers, %v", test.name, chunk, ends, ok)
			}
		}
	}
}
