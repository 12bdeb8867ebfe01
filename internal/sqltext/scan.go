package sqltext

import (
	"slices"
	"strings"
)

// scanner cuts a text into tokens, in one pass.
type scanner struct {
	text string
	d    Dialect
	pos  int
	prev token
	// ambiguous: two databases of the Generic dialect would quote the text
	// in different ways.
	ambiguous bool
}

// scanPlain leaves out spaces and comments.
func scanPlain(text string, d Dialect) tokens {
	all, _ := scan(text, d)
	return slices.DeleteFunc(all, func(t token) bool { return t.kind == tokSpace || t.kind == tokComment })
}

func scan(text string, d Dialect) (all []token, ambiguous bool) {
	s := &scanner{text: text, d: d}
	for s.pos < len(text) {
		start := s.pos
		t := s.next()
		t.start, t.end = start, s.pos
		switch t.kind {
		case tokWord:
			t.up = asciiUpper(text[start:s.pos])
		case tokSymbol:
			t.up = text[start:s.pos]
		}
		all = append(all, t)
		s.prev = t
	}
	return all, s.ambiguous
}

// peek is the byte n places ahead, 0 behind the end.
func (s *scanner) peek(n int) byte {
	if s.pos+n < len(s.text) {
		return s.text[s.pos+n]
	}
	return 0
}

func (s *scanner) next() token {
	c := s.text[s.pos]
	switch {
	case isSpace(c):
		s.skip(isSpace)
		return token{kind: tokSpace}
	case c == '-' && s.peek(1) == '-', c == '#' && s.hashComments():
		s.lineComment()
		return token{kind: tokComment}
	case c == '/' && s.peek(1) == '*':
		s.blockComment()
		return token{kind: tokComment}
	case c == '\'':
		s.quoted('\'')
		return token{kind: tokString}
	case c == '"', c == '`' && s.d.quotesBacktick():
		s.quoted(c)
		return token{kind: tokQuoted}
	case c == '[' && s.d.quotesBracket():
		s.bracketed()
		return token{kind: tokQuoted}
	case isDigit(c):
		s.number()
		return token{kind: tokNumber}
	case isWordStart(c), c == '#' && s.d == SQLServer:
		return s.word()
	case c == '$':
		return s.dollar()
	case c == '?':
		return s.question()
	case c == '@':
		return s.atSign()
	default:
		s.pos++
		return token{kind: tokSymbol}
	}
}

func (s *scanner) skip(in func(byte) bool) {
	for s.pos < len(s.text) && in(s.text[s.pos]) {
		s.pos++
	}
}

func (s *scanner) word() token {
	start := s.pos
	s.pos++
	s.skip(s.inWord)
	if s.d == Postgres && s.pos == start+1 {
		switch c := s.text[start] | 0x20; {
		case c == 'e' && s.peek(0) == '\'':
			s.escapeString()
			return token{kind: tokString}
		case c == 'u' && s.peek(0) == '&' && s.peek(1) == '\'':
			s.pos++
			s.quoted('\'')
			return token{kind: tokString}
		case c == 'u' && s.peek(0) == '&' && s.peek(1) == '"':
			s.pos++
			s.quoted('"')
			return token{kind: tokQuoted}
		}
	}
	return token{kind: tokWord}
}

// number takes exactly the number: some databases read "1FROM" as two tokens.
func (s *scanner) number() {
	if s.text[s.pos] == '0' && s.peek(1)|0x20 == 'x' && isHex(s.peek(2)) {
		s.pos += 2
		s.skip(isHex)
		return
	}
	s.digits()
	if s.peek(0) == '.' && s.peek(1) != '.' {
		s.pos++
		s.digits()
	}
	if s.peek(0)|0x20 == 'e' {
		n := 1
		if c := s.peek(1); c == '+' || c == '-' {
			n = 2
		}
		if isDigit(s.peek(n)) {
			s.pos += n
			s.digits()
		}
	}
}

func (s *scanner) digits() {
	for isDigit(s.peek(0)) || s.peek(0) == '_' && isDigit(s.peek(1)) {
		s.pos++
	}
}

// dollar reads $1, a dollar quote, or a lone sign. A dollar sign inside of a
// word never comes here.
func (s *scanner) dollar() token {
	if isDigit(s.peek(1)) {
		start := s.pos
		s.pos++
		s.skip(isDigit)
		if s.d == SQLServer && s.peek(0) == '.' && isDigit(s.peek(1)) {
			s.pos = start + 1 // a money literal: $1.50
			s.number()
			return token{kind: tokNumber}
		}
		return token{kind: tokMark, mark: markDollar}
	}
	if s.d.quotesDollar() && s.dollarQuoted() {
		return token{kind: tokString}
	}
	s.pos++
	return token{kind: tokSymbol}
}

func (s *scanner) question() token {
	if s.peek(1) == '?' {
		s.pos += 2
		return token{kind: tokMark, mark: markEscape}
	}
	if s.d == Postgres {
		if c := s.peek(1); (c == '|' || c == '&') && s.peek(2) != c {
			s.pos += 2
			return token{kind: tokSymbol}
		}
		if s.prev.up == "@" { // the jsonpath operator @?
			s.pos++
			return token{kind: tokSymbol}
		}
	}
	s.pos++
	if !isDigit(s.peek(0)) {
		return token{kind: tokMark, mark: markQuestion}
	}
	s.skip(isDigit)
	return token{kind: tokMark, mark: markNumbered}
}

// atSign reads @name, @@name of SQL Server, or the signs of an operator.
func (s *scanner) atSign() token {
	start := s.pos
	s.skip(func(c byte) bool { return c == '@' })
	if !isWordStart(s.peek(0)) {
		return token{kind: tokSymbol}
	}
	if s.pos-start > 1 {
		if s.d == SQLServer {
			s.skip(s.inWord)
			return token{kind: tokQuoted} // a name, never a keyword
		}
		return token{kind: tokSymbol}
	}
	if start > 0 && s.gluesAt(s.text[start-1]) {
		return token{kind: tokSymbol}
	}
	s.skip(s.inWord)
	return token{kind: tokMark, mark: markAt}
}

// gluesAt reports whether an @ behind c belongs to an operator or a name.
func (s *scanner) gluesAt(c byte) bool {
	return s.d.spellsOperators() && (s.inWord(c) || strings.IndexByte("<?!~#&^'\"`)]", c) >= 0)
}

func (s *scanner) inWord(c byte) bool {
	return isWordStart(c) || isDigit(c) || c == '$' || s.d == SQLServer && (c == '#' || c == '@')
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// isWordStart counts every byte beyond ASCII as a letter, as PostgreSQL and
// SQLite do.
func isWordStart(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= 0x80
}
