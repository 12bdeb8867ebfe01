package tds

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
)

var errRange = errors.New("out of range")

// parseScaled reads digits with a point as an integer of units of 10^-scale.
func parseScaled(s string, scale int) (*big.Int, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(fraction) > scale || whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, fmt.Errorf("%q is not a number with at most %d digits after the point", s, scale)
	}
	n, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", scale-len(fraction)), 10)
	if negative {
		n.Neg(n)
	}
	return n, nil
}

func formatScaled(n *big.Int, scale int) string {
	digits := new(big.Int).Abs(n).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		point := len(digits) - scale
		digits = digits[:point] + "." + digits[point:]
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// decimalSize is the length of a decimal with its sign (MS-TDS 2.2.5.5.1).
func decimalSize(precision uint8) int {
	switch {
	case precision <= 9:
		return 5
	case precision <= 19:
		return 9
	case precision <= 28:
		return 13
	}
	return 17
}

func appendDecimal(b []byte, s string, t Type) ([]byte, error) {
	n, err := parseScaled(s, int(t.Scale))
	if err != nil {
		return nil, err
	}
	if digits := new(big.Int).Abs(n).String(); n.Sign() != 0 && len(digits) > int(t.Precision) {
		return nil, errRange
	}
	sign := byte(1)
	if n.Sign() < 0 {
		sign = 0
	}
	magnitude := new(big.Int).Abs(n).FillBytes(make([]byte, decimalSize(t.Precision)-1))
	slices.Reverse(magnitude)
	return append(append(b, sign), magnitude...), nil
}

func readDecimal(b []byte, scale uint8) string {
	magnitude := slices.Clone(b[1:])
	slices.Reverse(magnitude)
	n := new(big.Int).SetBytes(magnitude)
	if b[0] == 0 {
		n.Neg(n)
	}
	return formatScaled(n, int(scale))
}

const moneyScale = 4

// appendMoney appends the eight bytes of money, the high half first (MS-TDS 2.2.5.5.1).
func appendMoney(b []byte, s string) ([]byte, error) {
	n, err := parseScaled(s, moneyScale)
	if err != nil {
		return nil, err
	}
	if !n.IsInt64() {
		return nil, errRange
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(n.Int64()>>32))
	return binary.LittleEndian.AppendUint32(b, uint32(n.Int64())), nil
}

// readMoney reads money of eight bytes and smallmoney of four.
func readMoney(b []byte) string {
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	if len(b) == 8 {
		n = n<<32 | int64(binary.LittleEndian.Uint32(b[4:]))
	}
	return formatScaled(big.NewInt(n), moneyScale)
}

// inRange says whether an integer is one of the kind's.
func inRange(k Kind, n int64) bool {
	switch k {
	case TinyInt:
		return 0 <= n && n <= math.MaxUint8
	case SmallInt:
		return math.MinInt16 <= n && n <= math.MaxInt16
	case Int:
		return math.MinInt32 <= n && n <= math.MaxInt32
	}
	return true
}

// readInt reads an integer by its length, that of one byte without a sign.
func readInt(b []byte) int64 {
	switch len(b) {
	case 1:
		return int64(b[0])
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}
