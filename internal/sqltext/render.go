package sqltext

import (
	"strconv"
	"strings"
)

// render writes the text with its placeholders in another style.
func (s *Statement) render(u uses, to Style) (string, []Param) {
	if (u.style == to || u.style == AsIs) && (!u.named || to == AtP) {
		if u.named && u.positional > 0 {
			return s.Text, u.numbers(to).params
		}
		return s.Text, nil
	}
	n := u.numbers(to)
	w := writer{src: s.Text, d: s.Dialect}
	w.out.Grow(len(s.Text) + 2*len(u.all))
	for i, use := range u.all {
		switch {
		case use.literal:
			w.operator(use.mark, questionMark(use.mark, u.style, to))
		case use.param.Index < 0 && to == AtP:
		default:
			w.placeholder(use.mark, placeholder(to, n.of[i]))
		}
	}
	w.out.WriteString(s.Text[w.done:])
	return w.out.String(), n.params
}

// questionMark is how an operator's question mark is written: doubled where ?
// is a placeholder.
func questionMark(m mark, from, to Style) string {
	switch {
	case from == Question && to != Question && m.kind == markEscape:
		return "?"
	case from != Question && to == Question && m.kind == markQuestion:
		return "??"
	case m.kind == markEscape:
		return "??"
	default:
		return "?"
	}
}

func placeholder(style Style, number int) string {
	switch style {
	case Question:
		return "?"
	case Numbered:
		return "?" + strconv.Itoa(number)
	case Dollar:
		return "$" + strconv.Itoa(number)
	default:
		return "@p" + strconv.Itoa(number)
	}
}

// numbering gives each use its number, from 1 on.
type numbering struct {
	of     []int
	params []Param // nil if they are the arguments as passed
}

func (u uses) numbers(to Style) numbering {
	n := numbering{of: make([]int, len(u.all))}
	byNumber := u.style != Question && u.style != AsIs
	if byNumber && to != Question {
		for i := range u.positional {
			n.params = append(n.params, Param{Index: i})
		}
	}
	byName := map[string]int{}
	for i, use := range u.all {
		switch {
		case use.literal:
			continue
		case to == Question || use.param.Index >= 0 && !byNumber:
			n.params = append(n.params, use.param)
			n.of[i] = len(n.params)
		case use.param.Index >= 0:
			n.of[i] = use.param.Index + 1
		default:
			if byName[use.param.Name] == 0 {
				n.params = append(n.params, use.param)
				byName[use.param.Name] = len(n.params)
			}
			n.of[i] = byName[use.param.Name]
		}
	}
	if len(n.params) == u.positional && inOrder(n.params) {
		n.params = nil
	}
	return n
}

func inOrder(params []Param) bool {
	for i, p := range params {
		if p.Index != i {
			return false
		}
	}
	return true
}

// writer copies a text and replaces marks in it.
type writer struct {
	src    string
	d      Dialect
	done   int  // bytes of src that are written or replaced
	spaced bool // the last replacement was followed by a space
	out    strings.Builder
}

// operator writes what stands for an operator's question mark. It may be one
// character of a longer operator, so only a digit is kept away: ?1 is a
// placeholder.
func (w *writer) operator(m mark, s string) {
	w.upTo(m)
	w.out.WriteString(s)
	w.spaced = m.end < len(w.src) && isDigit(w.src[m.end])
	if w.spaced {
		w.out.WriteByte(' ')
	}
}

// placeholder writes s, with spaces where it would grow together with its
// neighbours into another token.
func (w *writer) placeholder(m mark, s string) {
	spaced := w.spaced && w.done == m.start
	w.upTo(m)
	if !spaced && m.start > 0 && w.sticksBefore(w.src[m.start-1]) {
		w.out.WriteByte(' ')
	}
	w.out.WriteString(s)
	w.spaced = m.end < len(w.src) && sticksBehind(w.src[m.end], s[0] == '@')
	if w.spaced {
		w.out.WriteByte(' ')
	}
}

func (w *writer) upTo(m mark) {
	w.out.WriteString(w.src[w.done:m.start])
	w.done = m.end
}

func (w *writer) sticksBefore(c byte) bool {
	return isWordStart(c) || isDigit(c) || strings.IndexByte("$@?", c) >= 0 || c == '#' && w.d == SQLServer
}

// sticksBehind: @ and # go on with a name in SQL Server. Elsewhere they are
// operators here, and behind a space they would begin a name or a comment.
func sticksBehind(c byte, named bool) bool {
	return isWordStart(c) || isDigit(c) || strings.IndexByte("$?.|&", c) >= 0 || named && (c == '@' || c == '#')
}
