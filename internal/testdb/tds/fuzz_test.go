package tds

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzRequest reads arbitrary bytes as requests: whatever they are, they are taken or refused.
func FuzzRequest(f *testing.F) {
	headers := []byte{22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}
	f.Add(byte(msgBatch), append(slices.Clone(headers), 'a', 0))
	f.Add(byte(msgTransaction), append(slices.Clone(headers), 7, 0, 0, 1, 5, 2, 'x', 0))
	f.Add(byte(msgRPC), append(slices.Clone(headers), 0xff, 0xff, 10, 0, 0, 0, 0, 0, 0xe7, 2, 0, 9, 4, 0xd0, 0, 0, 2, 0, 'a', 0))
	f.Add(byte(msgRPC), append(slices.Clone(headers), 1, 0, 'p', 0, 0, 0, 0, 1, 0x6a, 5, 9, 2, 5, 1, 1, 2, 3, 4, 0xff, 1, 0, 'q', 0, 0, 0))
	f.Add(byte(msgBulk), []byte{0x81, 1, 0, 0, 0, 0, 0, 1, 0, 0x26, 4, 1, 'a', 0, 0xd1, 4, 1, 2, 3, 4, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		m, err := readMessage(bytes.NewReader(append([]byte{kind, 1, byte((len(body) + 8) >> 8), byte(len(body) + 8), 0, 0, 0, 0}, body...)))
		if err == nil && len(body) < mostPacketSize-headerSize && !bytes.Equal(m.body, body) {
			t.Errorf("the message is %x", m.body)
		}
		_, _ = parseLogin(body)
		req, err := parseRequest(kind, body)
		if err != nil {
			return
		}
		// What a client could send can be sent back to it.
		for _, call := range req.calls {
			for _, a := range call.args {
				if _, err := appendValue(nil, a.Type, true, a.Value); err != nil {
					t.Errorf("%v of %+v: %v", a.Value, a.Type, err)
				}
			}
		}
		_, _ = parseDeclarations(req.text)
		bulkTable(req.text)
	})
}
