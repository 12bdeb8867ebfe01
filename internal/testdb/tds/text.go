package tds

import (
	"encoding/binary"
	"unicode/utf16"
)

// collation is Latin1_General_CI_AS (MS-TDS 2.2.5.1.2): the locale 0x0409, ignoring case, kana and width, no sort order of
// its own.
var collation = [5]byte{0x09, 0x04, 0xd0, 0x00, 0x00}

// appendUTF16 appends s as UCS-2/UTF-16, little-endian.
func appendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			b = binary.LittleEndian.AppendUint16(b, uint16(high))
			r = low
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return b
}

// fromUTF16 leaves out half a unit at the end.
func fromUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// clipUTF16 returns as much of s as has at most n UTF-16 units.
func clipUTF16(s string, n int) string {
	for i, r := range s {
		if n -= utf16.RuneLen(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

// high1252 is what Windows-1252 has from 0x80 to 0x9f. From 0xa0 on it is Unicode.
var high1252 = [32]rune{
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
}

// append1252 appends s in Windows-1252. What that does not have is a question mark for each UTF-16 unit.
func append1252(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r < 0x80 || 0xa0 <= r && r <= 0xff:
			b = append(b, byte(r))
		case r > 0xffff:
			b = append(b, '?', '?')
		default:
			b = append(b, byte1252(r))
		}
	}
	return b
}

func byte1252(r rune) byte {
	for i, known := range high1252 {
		if r == known {
			return byte(0x80 + i)
		}
	}
	return '?'
}

func from1252(b []byte) string {
	s := make([]rune, len(b))
	for i, c := range b {
		s[i] = rune(c)
		if 0x80 <= c && c < 0xa0 {
			s[i] = high1252[c-0x80]
		}
	}
	return string(s)
}
