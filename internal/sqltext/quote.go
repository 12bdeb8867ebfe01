package sqltext

import "strings"

// What is not closed reaches to the end of the text.

// quoted reads from one quote to the next; a doubled quote is a plain one.
func (s *scanner) quoted(quote byte) {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		if s.text[s.pos] != quote {
			continue
		}
		if s.d == Generic && s.text[s.pos-1] == '\\' {
			s.ambiguous = true
		}
		if s.peek(1) != quote {
			s.pos++
			return
		}
		s.pos++
	}
}

// escapeString reads PostgreSQL's E'...', from its quote on. A string that goes
// on behind a line break keeps its escapes (manual 4.1.2.1, 4.1.2.2).
func (s *scanner) escapeString() {
	for {
		for s.pos++; s.pos < len(s.text); s.pos++ {
			if s.text[s.pos] == '\\' {
				s.pos++
			} else if s.text[s.pos] == '\'' {
				if s.peek(1) != '\'' {
					break
				}
				s.pos++
			}
		}
		s.pos = min(s.pos+1, len(s.text))
		end := s.pos
		if !s.toNextLine() || s.peek(0) != '\'' {
			s.pos = end
			return
		}
	}
}

// toNextLine skips white space and line comments, and reports whether it
// crossed a line break.
func (s *scanner) toNextLine() (crossed bool) {
	for {
		switch c := s.peek(0); {
		case c == '\n' || c == '\r':
			crossed = true
			s.pos++
		case isSpace(c):
			s.pos++
		case c == '-' && s.peek(1) == '-':
			s.lineComment()
		default:
			return crossed
		}
	}
}

// bracketed reads [x]. SQL Server doubles a closing bracket; SQLite cannot
// have one.
func (s *scanner) bracketed() {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		if s.text[s.pos] != ']' {
			continue
		}
		if s.d != SQLServer || s.peek(1) != ']' {
			s.pos++
			return
		}
		s.pos++
	}
}

// dollarQuoted reads $tag$...$tag$, or nothing if no tag stands here.
func (s *scanner) dollarQuoted() bool {
	end := s.pos + 1
	for end < len(s.text) && (isWordStart(s.text[end]) || end > s.pos+1 && isDigit(s.text[end])) {
		end++
	}
	if end >= len(s.text) || s.text[end] != '$' {
		return false
	}
	tag := s.text[s.pos : end+1]
	if i := strings.Index(s.text[end+1:], tag); i >= 0 {
		s.pos = end + 1 + i + len(tag)
	} else {
		s.pos = len(s.text)
	}
	return true
}

// hashComments reports whether a # at the position starts a comment, as in
// MySQL, and is not an operator or part of a name.
func (s *scanner) hashComments() bool {
	if s.d != Generic || s.pos > 0 && !isSpace(s.text[s.pos-1]) {
		return false
	}
	before := strings.TrimRight(s.text[:s.pos], " \t\v\f")
	atLineStart := before == "" || before[len(before)-1] == '\n' || before[len(before)-1] == '\r'
	return atLineStart || s.pos+1 == len(s.text) || isSpace(s.text[s.pos+1])
}

// lineComment reads to the line's end, exclusive. Only SQLite reads on over a
// lone carriage return.
func (s *scanner) lineComment() {
	ends := "\r\n"
	if s.d == SQLite {
		ends = "\n"
	}
	if i := strings.IndexAny(s.text[s.pos:], ends); i >= 0 {
		s.pos += i
	} else {
		s.pos = len(s.text)
	}
}

func (s *scanner) blockComment() {
	depth := 1
	for s.pos += 2; s.pos < len(s.text) && depth > 0; s.pos++ {
		switch {
		case s.text[s.pos] == '*' && s.peek(1) == '/':
			depth--
			s.pos++
		case s.text[s.pos] == '/' && s.peek(1) == '*':
			if s.d.nestsComments() {
				depth++
				s.pos++
			}
			s.ambiguous = s.ambiguous || s.d == Generic
		case s.text[s.pos] == '!' && s.d == Generic:
			// MySQL and MariaDB run what stands in /*! */ and /*M! */.
			head := s.text[:s.pos]
			if strings.HasSuffix(head, "/*") || strings.HasSuffix(head, "/*M") {
				s.ambiguous = true
			}
		}
	}
}

// unquote is the name within a quoted identifier. Unicode escapes of U&"" stay
// as they are.
func unquote(raw string) string {
	if i := strings.IndexAny(raw, "\"`["); i > 0 {
		raw = raw[i:] // U&
	} else if i < 0 {
		return raw
	}
	open, end := raw[:1], raw[:1]
	if open == "[" {
		end = "]"
	}
	raw = raw[1:]
	raw = strings.TrimSuffix(raw, end)
	return strings.ReplaceAll(raw, end+end, end)
}
