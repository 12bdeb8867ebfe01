package tds

import "encoding/binary"

// Tokens of a reply (MS-TDS 2.2.7).
const (
	tokenReturnStatus = 0x79
	tokenColMetadata  = 0x81
	tokenError        = 0xaa
	tokenInfo         = 0xab
	tokenReturnValue  = 0xac
	tokenLoginAck     = 0xad
	tokenRow          = 0xd1
	tokenEnvChange    = 0xe3
	tokenDone         = 0xfd
	tokenDoneProc     = 0xfe
	tokenDoneInProc   = 0xff
)

// The status bits of a DONE (MS-TDS 2.2.7.6). DONE_INXACT is not among them: SQL Server does not set it.
const (
	doneMore       = 0x01
	doneError      = 0x02
	doneCount      = 0x10
	doneAttention  = 0x20
	doneRPCInBatch = 0x80
)

const (
	doneSize      = 12 // without the token
	commandSelect = 0xc1
)

// done is a DONE, DONEPROC or DONEINPROC.
type done struct {
	token   byte
	status  uint16
	command uint16
	rows    uint64
}

func (d done) append(b []byte) []byte {
	b = append(b, d.token)
	b = binary.LittleEndian.AppendUint16(b, d.status)
	b = binary.LittleEndian.AppendUint16(b, d.command)
	return binary.LittleEndian.AppendUint64(b, d.rows)
}

// The types of ENVCHANGE (MS-TDS 2.2.7.9).
const (
	envDatabase   = 1
	envLanguage   = 2
	envPacketSize = 4
	envCollation  = 7
	envBegin      = 8
	envCommit     = 9
	envRollback   = 10
	envReset      = 18
)

// appendEnv appends an ENVCHANGE of bytes.
func appendEnv(b []byte, kind byte, now, before []byte) []byte {
	b = append(b, tokenEnvChange)
	b = binary.LittleEndian.AppendUint16(b, uint16(3+len(now)+len(before)))
	b = append(append(b, kind, byte(len(now))), now...)
	return append(append(b, byte(len(before))), before...)
}

// appendEnvText appends an ENVCHANGE of strings.
func appendEnvText(b []byte, kind byte, now, before string) []byte {
	value := appendBVarChar(appendBVarChar([]byte{kind}, now), before)
	b = binary.LittleEndian.AppendUint16(append(b, tokenEnvChange), uint16(len(value)))
	return append(b, value...)
}

// appendBVarChar cuts s off where a byte cannot count it any more. SQL Server's names are not half as long.
func appendBVarChar(b []byte, s string) []byte {
	at := len(b)
	b = appendUTF16(append(b, 0), clipUTF16(s, 255))
	b[at] = byte((len(b) - at - 1) / 2)
	return b
}

// serverName is the server in its errors.
const serverName = "TDS"

// leastError is the least class of an error. What is below it is an information.
const leastError = 11

// appendMessage appends an ERROR or INFO (MS-TDS 2.2.7.10 and 2.2.7.13).
func appendMessage(b []byte, m Message) []byte {
	const longest = 2047 // of the text, as of RAISERROR's
	token := byte(tokenInfo)
	if m.Class >= leastError {
		token = tokenError
	}
	text := appendUTF16(nil, clipUTF16(m.Text, longest))
	value := binary.LittleEndian.AppendUint32(nil, uint32(m.Number))
	value = append(value, m.State, m.Class)
	value = binary.LittleEndian.AppendUint16(value, uint16(len(text)/2))
	value = append(value, text...)
	value = appendBVarChar(appendBVarChar(value, serverName), m.Procedure)
	value = binary.LittleEndian.AppendUint32(value, uint32(m.Line))
	b = binary.LittleEndian.AppendUint16(append(b, token), uint16(len(value)))
	return append(b, value...)
}

// appendLoginAck says that it is TDS 7.4 of SQL Server 16.0.1000 (MS-TDS 2.2.7.14).
func appendLoginAck(b []byte) []byte {
	const transactSQL = 1
	value := append([]byte{transactSQL}, 0x74, 0, 0, 0x04)
	value = append(appendBVarChar(value, "Microsoft SQL Server"), 16, 0, 1000>>8, 1000&0xff)
	b = binary.LittleEndian.AppendUint16(append(b, tokenLoginAck), uint16(len(value)))
	return append(b, value...)
}
