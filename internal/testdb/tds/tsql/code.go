package tsql

import "strings"

// code is a text for PostgreSQL with gaps that are filled when it runs: variables, and functions of the session.
type code []piece

type piece struct {
	text string
	gap  gap // nil: text
}

type gap = func(*frame) (string, error)

// sql puts code together of strings, codes and gaps.
func sql(parts ...any) code {
	var c code
	c.add(parts...)
	return c
}

func (c *code) add(parts ...any) {
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			c.write(part)
		case code:
			for _, p := range part {
				if p.gap == nil {
					c.write(p.text)
				} else {
					*c = append(*c, p)
				}
			}
		case gap:
			*c = append(*c, piece{gap: part})
		default:
			panic("code of an unexpected type")
		}
	}
}

func (c *code) write(text string) {
	if n := len(*c); n > 0 && (*c)[n-1].gap == nil {
		(*c)[n-1].text += text
		return
	}
	*c = append(*c, piece{text: text})
}

func (c code) render(f *frame) (string, error) {
	var b strings.Builder
	for _, p := range c {
		text := p.text
		if p.gap != nil {
			var err error
			if text, err = p.gap(f); err != nil {
				return "", err
			}
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func join(codes []code, separator string) code {
	var c code
	for i, one := range codes {
		if i > 0 {
			c.write(separator)
		}
		c.add(one)
	}
	return c
}

// ident quotes a name for PostgreSQL, literal a string.
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
