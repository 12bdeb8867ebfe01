package tsql

import "strings"

type tokenKind uint8

const (
	tokEnd      tokenKind = iota
	tokWord               // a keyword or a name without delimiters
	tokName               // [a name] or "a name"
	tokString             // 'text' or N'text'
	tokNumber             // 12, 1.5, 1e3, $1.50
	tokBinary             // 0xFF
	tokVariable           // @name or @@name
	tokSymbol
)

type token struct {
	kind tokenKind
	// text is the word as written, the name or the string without delimiters, the variable with its @.
	text string
	// up is a word in upper case or a symbol, and empty for the rest, so that no name in delimiters is taken for a keyword.
	up         string
	wide       bool // of a string: N'text'
	start, end int  // of its source
	line       int32
}

// symbols of more than one character. "!<" and "!>" are "not less than" and "not greater than".
var symbols = []string{"<>", "!=", "<=", ">=", "!<", "!>", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::"}

type scanner struct {
	text string
	pos  int
	line int32
}

// scan cuts a batch into tokens; the last is of kind tokEnd. Its panics are those of the parser.
func scan(text string) []token {
	s := &scanner{text: text, line: 1}
	var all []token
	for {
		s.blank()
		t := token{start: s.pos, line: s.line}
		s.next(&t)
		t.end = s.pos
		s.line += int32(strings.Count(text[t.start:t.end], "\n"))
		all = append(all, t)
		if t.kind == tokEnd {
			return all
		}
	}
}

func (s *scanner) peek(n int) byte {
	if s.pos+n < len(s.text) {
		return s.text[s.pos+n]
	}
	return 0
}

// blank skips space and comments; /* */ nest ("Slash Star (Block Comment)").
func (s *scanner) blank() {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '\n':
			s.line++
			s.pos++
		case c <= ' ':
			s.pos++
		case c == '-' && s.peek(1) == '-':
			for s.pos < len(s.text) && s.text[s.pos] != '\n' {
				s.pos++
			}
		case c == '/' && s.peek(1) == '*':
			s.comment()
		default:
			return
		}
	}
}

func (s *scanner) comment() {
	line, depth := s.line, 0
	for s.pos < len(s.text) {
		switch {
		case s.peek(0) == '/' && s.peek(1) == '*':
			depth++
			s.pos += 2
		case s.peek(0) == '*' && s.peek(1) == '/':
			s.pos += 2
			if depth--; depth == 0 {
				return
			}
		default:
			if s.text[s.pos] == '\n' {
				s.line++
			}
			s.pos++
		}
	}
	panic(refusal(113, line, "Missing end comment mark '*/'."))
}

func (s *scanner) next(t *token) {
	c := s.peek(0)
	switch {
	case s.pos >= len(s.text):
		t.kind = tokEnd
	case c == '\'':
		t.kind, t.text = tokString, s.quoted('\'')
	case (c == 'N' || c == 'n') && s.peek(1) == '\'':
		s.pos++
		t.kind, t.wide, t.text = tokString, true, s.quoted('\'')
	case c == '[':
		t.kind, t.text = tokName, s.quoted(']')
	case c == '"':
		t.kind, t.text = tokName, s.quoted('"')
	case c == '0' && s.peek(1)|0x20 == 'x':
		s.pos += 2
		s.skip(func(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' })
		t.kind, t.text = tokBinary, s.text[t.start+2:s.pos]
	case isDigit(c), c == '.' && isDigit(s.peek(1)), c == '$' && isDigit(s.peek(1)):
		s.number()
		t.kind, t.text = tokNumber, s.text[t.start:s.pos]
	case c == '@':
		s.pos++
		s.skip(inWord)
		t.kind, t.text = tokVariable, s.text[t.start:s.pos]
	case isWordStart(c):
		s.skip(inWord)
		t.kind, t.text = tokWord, s.text[t.start:s.pos]
		t.up = strings.ToUpper(t.text)
	default:
		s.symbol(t)
	}
}

func (s *scanner) symbol(t *token) {
	t.kind, t.up = tokSymbol, s.text[s.pos:s.pos+1]
	for _, symbol := range symbols {
		if strings.HasPrefix(s.text[s.pos:], symbol) {
			t.up = symbol
		}
	}
	s.pos += len(t.up)
	t.text = t.up
}

// quoted reads from an opening delimiter to the closing one, which stands for itself where it is doubled.
func (s *scanner) quoted(end byte) string {
	line, start := s.line, s.pos
	var b strings.Builder
	for s.pos++; s.pos < len(s.text); s.pos++ {
		if s.text[s.pos] == end {
			if s.peek(1) != end {
				s.pos++
				return b.String()
			}
			s.pos++
		}
		b.WriteByte(s.text[s.pos])
	}
	panic(refusal(105, line, "Unclosed quotation mark after the character string '"+s.text[start+1:]+"'."))
}

func (s *scanner) number() {
	if s.peek(0) == '$' {
		s.pos++
	}
	s.skip(isDigit)
	if s.peek(0) == '.' {
		s.pos++
		s.skip(isDigit)
	}
	if s.peek(0)|0x20 == 'e' {
		n := 1
		if c := s.peek(1); c == '+' || c == '-' {
			n = 2
		}
		if isDigit(s.peek(n)) {
			s.pos += n
			s.skip(isDigit)
		}
	}
}

func (s *scanner) skip(in func(byte) bool) {
	for s.pos < len(s.text) && in(s.text[s.pos]) {
		s.pos++
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWordStart(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '#' || c >= 0x80
}

func inWord(c byte) bool { return isWordStart(c) || isDigit(c) || c == '@' || c == '$' }
