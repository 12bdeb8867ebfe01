package tds

import (
	"encoding/binary"
	"errors"
)

// preloginReply answers every PRELOGIN (MS-TDS 2.2.6.5): version 16.0.1000, no encryption, no MARS.
func preloginReply() []byte {
	options := []struct {
		token byte
		value []byte
	}{
		{0, []byte{16, 0, 1000 >> 8, 1000 & 0xff, 0, 0}},
		{1, []byte{2}}, // ENCRYPT_NOT_SUP
		{2, []byte{0}}, // the instance is right
		{4, []byte{0}}, // no MARS
	}
	const optionSize = 5
	at := len(options)*optionSize + 1
	var head, values []byte
	for _, o := range options {
		head = append(head, o.token)
		head = binary.BigEndian.AppendUint16(head, uint16(at+len(values)))
		head = binary.BigEndian.AppendUint16(head, uint16(len(o.value)))
		values = append(values, o.value...)
	}
	return append(append(head, 0xff), values...)
}

type login struct {
	user, password, database string
	packetSize               int
}

// The offsets of LOGIN7's fields (MS-TDS 2.2.6.4).
const (
	loginPacketSize = 8
	loginFlags2     = 25
	loginFlags3     = 27
	loginUser       = 40
	loginPassword   = 44
	loginExtension  = 56
	loginDatabase   = 68
	loginFixedSize  = 94
)

const featureFedAuth = 2

// parseLogin reads LOGIN7. Features that a client offers are not acknowledged, so none is in use.
func parseLogin(body []byte) (login, error) {
	if len(body) < loginFixedSize {
		return login{}, errors.New("the login is too short")
	}
	l := login{packetSize: defaultPacketSize}
	if size := binary.LittleEndian.Uint32(body[loginPacketSize:]); size != 0 {
		l.packetSize = int(min(max(size, leastPacketSize), mostPacketSize))
	}
	const integrated, changePassword, extended = 0x80, 0x01, 0x10
	switch flags := body[loginFlags3]; {
	case body[loginFlags2]&integrated != 0:
		return l, refuse(errLoginFailed, "Login failed. Integrated authentication is not supported.")
	case flags&changePassword != 0:
		return l, refuse(errLoginFailed, "Login failed. A change of the password is not supported.")
	case flags&extended != 0:
		if err := checkFeatures(body); err != nil {
			return l, err
		}
	}
	var err error
	field := func(at int, clear func([]byte) []byte) string {
		offset, n := int(binary.LittleEndian.Uint16(body[at:])), 2*int(binary.LittleEndian.Uint16(body[at+2:]))
		if offset+n > len(body) {
			err = errors.New("a field of the login is out of bounds")
			return ""
		}
		return fromUTF16(clear(body[offset : offset+n]))
	}
	plain := func(b []byte) []byte { return b }
	l.user, l.password, l.database = field(loginUser, plain), field(loginPassword, clearPassword), field(loginDatabase, plain)
	return l, err
}

// clearPassword undoes the obfuscation: the halves of each byte are swapped, then it is XORed with 0xa5.
func clearPassword(b []byte) []byte {
	clear := make([]byte, len(b))
	for i, c := range b {
		c ^= 0xa5
		clear[i] = c<<4 | c>>4
	}
	return clear
}

// checkFeatures refuses the one feature that a login cannot go without if the client has it.
func checkFeatures(body []byte) error {
	outOfBounds := errors.New("the features of the login are out of bounds")
	pointer := int(binary.LittleEndian.Uint16(body[loginExtension:]))
	if pointer+4 > len(body) {
		return outOfBounds
	}
	at := binary.LittleEndian.Uint32(body[pointer:])
	if uint64(at) > uint64(len(body)) {
		return outOfBounds
	}
	const terminator = 0xff
	r := &reader{b: body[at:]}
	for r.err == nil {
		switch r.u8() {
		case terminator:
			return nil
		case featureFedAuth:
			return refuse(errLoginFailed, "Login failed. Federated authentication is not supported.")
		}
		r.bytes(int(r.u32()))
	}
	return outOfBounds
}
