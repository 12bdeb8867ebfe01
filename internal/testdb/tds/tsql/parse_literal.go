package tsql

import (
	"strings"
	"unicode/utf16"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// literal is a constant with the type that T-SQL gives it ("Constants").
func (p *parser) literal(t token) operand {
	v := value{text: t.text}
	switch {
	case t.kind == tokBinary:
		digits := t.text
		if len(digits)%2 == 1 {
			digits = "0" + digits
		}
		v.text = `\x` + digits
		v.Type = tds.Type{Kind: tds.VarBinary, Size: fitting(len(digits)/2, 8000)}
	case t.kind == tokString:
		if strings.ContainsRune(t.text, 0) {
			panic(unknown(t.line, "a string with U+0000, which PostgreSQL cannot hold"))
		}
		v.Type = tds.Type{Kind: tds.VarChar, Size: fitting(len(t.text), 8000)}
		if t.wide {
			v.Type = tds.Type{Kind: tds.NVarChar, Size: fitting(len(utf16.Encode([]rune(t.text))), 4000)}
		}
	case t.text[0] == '$':
		v.text, v.Kind = t.text[1:], tds.Money
	case strings.ContainsAny(t.text, "eE"):
		v.Kind = tds.Float
	default:
		v.Type = numberType(t.text)
		v.text = strings.TrimSuffix(t.text, ".")
	}
	return operand{code: sql(v.literal()), plain: &v}
}

// numberType: an integer literal is an int if it fits and otherwise a decimal, never a bigint.
func numberType(text string) tds.Type {
	whole, fraction, point := strings.Cut(strings.TrimLeft(text, "0"), ".")
	if !point && (len(whole) < 10 || len(whole) == 10 && whole <= "2147483647") {
		return tds.Type{Kind: tds.Int}
	}
	return tds.Type{Kind: tds.Decimal, Precision: uint8(max(1, len(whole)+len(fraction))), Scale: uint8(len(fraction))}
}

func fitting(n, limit int) int {
	if n > limit {
		return tds.Max
	}
	return max(1, n)
}

func hasSuffixAny(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}
