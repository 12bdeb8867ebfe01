package netproxy

import (
	"encoding/binary"
	"slices"
	"testing"
	"unicode/utf16"
)

// packets builds a message of packets with at most size bytes of the body each (0: one packet). The status is the last
// packet's.
func packets(kind, status byte, size int, body string) (raw []byte) {
	for {
		part, s := body, status
		if size > 0 && len(body) > size {
			part, s = body[:size], 0
		}
		body = body[len(part):]
		raw = binary.BigEndian.AppendUint16(append(raw, kind, s), uint16(8+len(part)))
		raw = append(append(raw, 0, 0, 1, 0), part...)
		if body == "" {
			return raw
		}
	}
}

// headers are ALL_HEADERS with a transaction descriptor.
const headers = "\x16\x00\x00\x00\x12\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"

func utf16le(s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

// preloginBody has a version and an option for encryption, as a client's and a server's have.
func preloginBody(encryption byte) string {
	return "\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff\x10\x00\x00\x00\x00\x00" + string([]byte{encryption})
}

func prelogin(encryption byte) []byte { return packets(tdsPrelogin, 1, 0, preloginBody(encryption)) }

func login(version uint32) []byte {
	body := binary.LittleEndian.AppendUint32([]byte{94, 0, 0, 0}, version)
	return packets(tdsLogin, 1, 0, string(append(body, make([]byte, 86)...)))
}

// The parameters of RPCs.
func nvarchar(s string) string {
	text := utf16le(s)
	length := binary.LittleEndian.AppendUint16(nil, uint16(len(text)))
	return "\x00\x00\xe7\x40\x1f\x09\x04\xd0\x00\x34" + string(length) + text
}

// nvarcharMax sends its value in chunks, and does not say its length before.
func nvarcharMax(parts ...string) string {
	b := []byte("\x05@\x00s\x00t\x00m\x00t\x00\x00\xe7\xff\xff\x09\x04\xd0\x00\x34\xfe\xff\xff\xff\xff\xff\xff\xff")
	for _, s := range parts {
		text := utf16le(s)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), text...)
	}
	return string(b) + "\x00\x00\x00\x00"
}

const (
	null   = "\x00\x00\xe7\xff\xff\x09\x04\xd0\x00\x34\xff\xff\xff\xff\xff\xff\xff\xff"
	empty  = "\x00\x00\xe7\x40\x1f\x09\x04\xd0\x00\x34\xff\xff" // NULL of nvarchar(4000)
	handle = "\x00\x01\x26\x04\x00"
	number = "\x03@\x00p\x001\x00\x00\x26\x04\x04\x07\x00\x00\x00"
	bit    = "\x00\x00\x68\x01\x01\x01"
)

func rpc(number byte, parameters ...string) string {
	return headers + "\xff\xff" + string([]byte{number}) + "\x00\x00\x00" + join(parameters)
}

func rpcByName(name string, parameters ...string) string {
	return headers + string([]byte{byte(len(name))}) + "\x00" + utf16le(name) + "\x00\x00" + join(parameters)
}

func join(parts []string) (s string) {
	for _, p := range parts {
		s += p
	}
	return s
}

func transaction(kind byte) string { return headers + string([]byte{kind}) + "\x00\x00\x00" }

func TestTDSRequests(t *testing.T) {
	for _, test := range []struct {
		name string
		kind byte
		body string
		text string
		runs bool
	}{
		{"batch", tdsBatch, headers + utf16le("SELECT 'ü€😀'"), "SELECT 'ü€😀'", true},
		{"sp_executesql", tdsRPC, rpc(10, nvarchar("UPDATE a"), nvarchar("@p1 int"), number), "UPDATE a", true},
		{"sp_executesql of a long text", tdsRPC, rpc(10, nvarcharMax("UPD", "ATE a"), null), "UPDATE a", true},
		{"sp_executesql of NULL", tdsRPC, rpc(10, null), "", true},
		{"sp_executesql of another type", tdsRPC, rpc(10, bit), "sp_executesql", true},
		{"sp_executesql by name", tdsRPC, rpcByName("SP_ExecuteSQL", nvarchar("UPDATE a")), "UPDATE a", true},
		{"sp_prepare", tdsRPC, rpc(11, handle, empty, nvarchar("UPDATE a"), number), "UPDATE a", false},
		{"sp_prepexec", tdsRPC, rpc(13, handle, nvarchar("@p1 int"), nvarchar("UPDATE a"), number), "UPDATE a", true},
		{"sp_execute", tdsRPC, rpc(12, number, bit), "sp_execute", true},
		{"sp_unprepare", tdsRPC, rpc(15, number), "sp_unprepare", false},
		{"a number of no procedure", tdsRPC, rpc(99), "", true},
		{"a procedure", tdsRPC, rpcByName("dbo.proc", bit), "dbo.proc", true},
		{"begin", tdsTransaction, transaction(5), "BEGIN TRANSACTION", true},
		{"commit", tdsTransaction, transaction(7), "COMMIT TRANSACTION", true},
		{"rollback", tdsTransaction, transaction(8), "ROLLBACK TRANSACTION", true},
		{"save", tdsTransaction, transaction(9), "SAVE TRANSACTION", true},
		{"a distributed transaction", tdsTransaction, transaction(0), "", false},
		{"bulk load", tdsBulk, "\x81", "", false},
	} {
		for _, size := range []int{0, 1, 9} {
			message := packets(test.kind, 0x09, size, test.body)
			input := slices.Concat(prelogin(2), login(0x74000004), message, packets(tdsBatch, 1, 0, headers))
			for _, chunk := range []int{1, 2, 7, len(input)} {
				got, asks, ok := requests(t, protocolOf(input[0]), input, chunk)
				want := []Message{{test.kind, test.text, test.runs}, {tdsBatch, "", true}}
				if !ok || !slices.Equal(got, want) {
					t.Errorf("%s, in packets of %d and chunks of %d: %v, want %v", test.name, size, chunk, got, want)
				}
				if !slices.Equal(asks, []bool{true, true, true, true}) {
					t.Errorf("%s asks for answers %v", test.name, asks)
				}
			}
		}
	}
}

// A request that is given up while it is sent runs nothing, but is answered.
func TestTDSIgnoredRequest(t *testing.T) {
	input := slices.Concat(prelogin(2), packets(tdsBatch, 3, 9, headers+utf16le("UPDATE a")))
	got, asks, ok := requests(t, &tds{}, input, len(input))
	if !ok || len(got) > 0 || !slices.Equal(asks, []bool{true, true}) {
		t.Errorf("messages %v, asks for answers %v, %v", got, asks, ok)
	}
}

// done is the token at the end of a message.
func done(status byte) string {
	return "\xfd" + string([]byte{status}) + "\x00\xc1\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"
}

// Of what the two sides send, in turn, each answer is counted once.
func TestTDSAnswers(t *testing.T) {
	batch := packets(tdsBatch, 1, 0, headers+utf16le("SELECT 1"))
	attention := packets(tdsAttention, 1, 0, "")
	type turn struct {
		client, server []byte
		ends           int
	}
	answer := func(size int, tokens string) []byte { return packets(tdsReply, 1, size, tokens) }
	logged := turn{prelogin(2), answer(0, preloginBody(2)), 1}
	for _, test := range []struct {
		name  string
		turns []turn
		ok    bool // otherwise the last turn is not understood
	}{
		{"requests", []turn{
			logged,
			{login(0x74000004), answer(0, "ack"+done(0)), 1},
			{batch, answer(9, "rows"+done(0x10)), 1},
		}, true},
		{"requests that do not wait", []turn{
			logged,
			{slices.Concat(batch, batch), slices.Concat(answer(0, done(0)), answer(0, done(0))), 2},
		}, true},
		{"an attention that cuts an answer short", []turn{
			logged,
			{slices.Concat(batch, attention), answer(1, "ro"+done(0x20)), 1},
			{slices.Concat(batch, attention), answer(0, done(0x20)), 1},
			{batch, answer(0, done(0)), 1},
		}, true},
		{"an attention while an answer comes", []turn{
			logged,
			{batch, packets(tdsReply, 0, 0, "rows"), 0},
			{attention, answer(0, "rows"+done(0x22)), 1},
			{batch, answer(0, done(0)), 1},
		}, true},
		{"an attention that is acknowledged by itself", []turn{
			logged,
			{slices.Concat(batch, attention), slices.Concat(answer(0, done(2)), answer(9, done(0x20))), 1},
			{batch, answer(0, done(0)), 1},
		}, true},
		{"an attention after the answer", []turn{
			logged,
			{batch, answer(0, done(0)), 1},
			{attention, answer(0, done(0x20)), 0},
			{slices.Concat(batch, attention), answer(0, done(0x20)), 1},
			{batch, answer(0, done(0)), 1},
		}, true},
		{"a request that does not wait for an attention", []turn{logged, {slices.Concat(batch, attention, batch), nil, 0}}, false},
		{"an attention to one of several requests", []turn{logged, {slices.Concat(batch, batch, attention), nil, 0}}, false},
		{"an answer to nothing", []turn{logged, {nil, answer(0, done(0)), 0}}, false},
		{"an acknowledgment of nothing", []turn{logged, {nil, answer(0, done(0x20)), 0}}, false},
		{"not an answer", []turn{logged, {batch, batch, 0}}, false},
		{"encryption", []turn{{prelogin(0), answer(0, preloginBody(1)), 0}}, false},
		{"encryption of the login", []turn{{prelogin(0), answer(0, preloginBody(0)), 0}}, false},
		{"nothing about encryption", []turn{{prelogin(2), answer(0, "\xff"), 0}}, false},
	} {
		for _, chunk := range []int{1, 2, 7, 1000} {
			p := &tds{}
			understood := true
			for i, turn := range test.turns {
				_, _, asked := requests(t, p, turn.client, chunk)
				ends, answered := replies(t, p, turn.server, chunk)
				if understood = asked && answered; !understood && i < len(test.turns)-1 {
					t.Errorf("%s, in chunks of %d: turn %d is not understood", test.name, chunk, i)
				}
				if ends != turn.ends {
					t.Errorf("%s, in chunks of %d: %d answers in turn %d, want %d", test.name, chunk, ends, i, turn.ends)
				}
			}
			if understood != test.ok {
				t.Errorf("%s, in chunks of %d: understood: %v", test.name, chunk, understood)
			}
		}
	}
}
