package sqltext

import "strconv"

// maxNumber is the highest number a placeholder may have: PostgreSQL's protocol
// counts parameters in 16 bits. Other databases allow fewer and say so.
const maxNumber = 65535

// mark is a token that may be a placeholder.
type mark struct {
	kind       markKind
	start, end int
	number     int    // of $n, ?n and @pN; -1 if out of range, 0 if it has none
	name       string // of @name, without the sign
	// local: a variable of T-SQL, unless an argument has its name.
	local bool
}

func (m mark) text(src string) string { return src[m.start:m.end] }

// positional reports whether an @ mark is @pN.
func (m mark) positional() bool { return m.number != 0 && !m.local }

func findMarks(src string, d Dialect, all tokens, parts []tokens) []mark {
	var marks []mark
	declared, labels, scoped := locals(src, d, parts)
	for _, t := range all {
		if t.kind != tokMark || labels[t.start] {
			continue
		}
		m := mark{kind: t.mark, start: t.start, end: t.end}
		switch t.mark {
		case markDollar, markNumbered:
			m.number = parseNumber(src[t.start+1 : t.end])
		case markAt:
			m.name = src[t.start+1 : t.end]
			if m.name[0]|0x20 == 'p' && isDigits(m.name[1:]) {
				m.number = parseNumber(m.name[1:])
			}
			m.local = declared[asciiLower(m.name)] || scoped >= 0 && t.start >= scoped
		}
		marks = append(marks, m)
	}
	return marks
}

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func parseNumber(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > maxNumber {
		return -1
	}
	return n
}

// locals finds the names in a T-SQL batch that are no parameters of it: the
// variables that DECLARE makes (in lower case), the labels in EXEC p @label = 1 (by
// position), and everything from scoped on, the start of a routine's definition
// (-1 if there is none).
func locals(src string, d Dialect, parts []tokens) (declared map[string]bool, labels map[int]bool, scoped int) {
	if d != SQLServer {
		return nil, nil, -1
	}
	declared, labels, scoped = map[string]bool{}, map[int]bool{}, -1
	for _, t := range parts {
		switch t.at(0) {
		case "DECLARE":
			depth := 0
			for i := 1; i < len(t); i++ {
				switch t[i].up {
				case "(":
					depth++
				case ")":
					depth--
				}
				if t[i].mark == markAt && depth == 0 && (t.at(i-1) == "DECLARE" || t.at(i-1) == ",") {
					declared[asciiLower(src[t[i].start+1:t[i].end])] = true
				}
			}
		case "EXEC", "EXECUTE":
			for i := 2; i < len(t); i++ {
				if t[i].mark == markAt && t.at(i+1) == "=" {
					labels[t[i].start] = true
				}
			}
		case "CREATE", "ALTER":
			if bodyOf(t, d) == toEnd {
				scoped = t[0].start
			}
		}
	}
	return declared, labels, scoped
}
