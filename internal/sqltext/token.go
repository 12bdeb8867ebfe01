package sqltext

type tokenKind uint8

const (
	tokSpace tokenKind = iota
	tokComment
	tokWord   // keyword or unquoted identifier
	tokQuoted // quoted identifier
	tokString
	tokNumber
	tokSymbol // punctuation, or one operator character
	tokMark   // may be a placeholder
)

type markKind uint8

const (
	markQuestion markKind = iota // ?
	markEscape                   // ??
	markNumbered                 // ?1
	markDollar                   // $1
	markAt                       // @name, @p1
)

// token is a span of the text. The spans of all tokens cover the text without
// gaps or overlaps.
type token struct {
	kind       tokenKind
	mark       markKind // of a tokMark
	start, end int
	// up is a word in upper case, or a symbol; empty for the rest, so that
	// nothing quoted compares equal to a keyword.
	up string
}

// tokens is a run of tokens without space and comments.
type tokens []token

// at is the upper-case word or the symbol at i, empty outside of the run.
func (t tokens) at(i int) string {
	if i < 0 || i >= len(t) {
		return ""
	}
	return t[i].up
}

func (t tokens) kindAt(i int) tokenKind {
	if i < 0 || i >= len(t) {
		return tokSpace
	}
	return t[i].kind
}

func (t tokens) has(word string) bool {
	for i := range t {
		if t[i].up == word {
			return true
		}
	}
	return false
}

// keyword reports whether the token at i is that word used as a keyword: after
// a dot or AS any word is a name.
func (t tokens) keyword(i int, word string) bool {
	return t.at(i) == word && t.at(i-1) != "." && t.at(i-1) != "AS"
}

// text is the source from the first token to the last.
func (t tokens) text(src string) string {
	if len(t) == 0 {
		return ""
	}
	return src[t[0].start:t[len(t)-1].end]
}

// closing is the index of the parenthesis that closes the one at i, or the
// run's length.
func (t tokens) closing(i int) int {
	depth := 0
	for ; i < len(t); i++ {
		switch t[i].up {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(t)
}
