package tds

import (
	"regexp"
	"strconv"
	"strings"
)

// declaration is a parameter of a parameterized batch.
type declaration struct {
	name   string
	typ    Type
	output bool
}

var declared = regexp.MustCompile(`(?i)^\s*(@[\w@#$]+)\s+(?:as\s+)?([a-z]\w*)` + // the name and the type's
	`\s*(?:\(\s*(\w+)\s*(?:,\s*(\d+)\s*)?\))?\s*(out|output)?\s*$`) // what is in parentheses

// parseDeclarations reads the declarations of sp_executesql, like "@p1 nvarchar(3),@p2 decimal(18, 2) output".
func parseDeclarations(s string) ([]declaration, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var all []declaration
	for i, text := range splitDeclarations(s) {
		m := declared.FindStringSubmatch(text)
		if m == nil {
			return nil, refuse(102, "Incorrect syntax near '%s'.", strings.TrimSpace(text))
		}
		t, ok := namedType(strings.ToLower(m[2]), strings.ToLower(m[3]), m[4])
		if !ok || t.check() != nil {
			return nil, refuse(errNoType, "Column, parameter, or variable #%d: Cannot find data type %s.",
				i+1, strings.TrimSpace(text[len(m[1]):]))
		}
		all = append(all, declaration{name: m[1], typ: t, output: m[5] != ""})
	}
	return all, nil
}

// splitDeclarations splits at the commas that are not in parentheses.
func splitDeclarations(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// synonyms are the names of types besides those of the kinds.
var synonyms = map[string]Type{
	"integer": {Kind: Int}, "smallmoney": {Kind: Money}, "numeric": {Kind: Decimal}, "dec": {Kind: Decimal},
	"character": {Kind: Char}, "sysname": {Kind: NVarChar, Size: 128},
}

// namedType returns the type of a name with what stands in its parentheses.
func namedType(name, first, second string) (Type, bool) {
	t, known := synonyms[name]
	for kind := Bit; kind <= DateTimeOffset && !known; kind++ {
		t, known = Type{Kind: kind}, kind.String() == name
	}
	n, err := strconv.ParseUint(first, 10, 16)
	scale, scaleErr := strconv.ParseUint(second, 10, 8)
	if !known || first != "" && first != "max" && err != nil || second != "" && (scaleErr != nil || t.Kind != Decimal) {
		return Type{}, false
	}
	switch {
	case first == "":
		return withDefaults(t), true
	case t.Kind.form() == formShort && t.Size == 0:
		t.Size = int(n)
		if first == "max" {
			t.Size = Max
		}
	case first == "max":
		return Type{}, false
	case t.Kind == Decimal:
		t.Precision, t.Scale = uint8(min(n, 255)), uint8(scale)
	case t.Kind.clock():
		t.Scale = uint8(min(n, 255))
	case t.Kind == Float && n <= 24: // as in float(24)
		t.Kind = Real
	case t.Kind != Float:
		return Type{}, false
	}
	return t, true
}

// withDefaults completes a type without parentheses as a declaration has it.
func withDefaults(t Type) Type {
	switch {
	case t.Kind.form() == formShort && t.Size == 0:
		t.Size = 1
	case t.Kind == Decimal:
		t.Precision = 18
	case t.Kind.clock():
		t.Scale = mostScale
	}
	return t
}
