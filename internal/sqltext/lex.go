package sqltext

import "strings"

// TokenKind says what a [Token] is.
type TokenKind uint8

const (
	// WordToken is a keyword or a name without quotes.
	WordToken TokenKind = iota
	// NameToken is a name in quotes.
	NameToken
	// StringToken is a string.
	StringToken
	// NumberToken is a number without a sign.
	NumberToken
	// SignToken is one character of punctuation or of an operator.
	SignToken
	// MarkToken may be a placeholder.
	MarkToken
)

// Token is a part of a text that is neither space nor comment.
type Token struct {
	Kind       TokenKind
	Start, End int // its bytes in the text
	// Upper is a word in upper case, or a sign; empty for the rest, so that nothing in quotes compares equal to a keyword.
	Upper string
	// Value is a word or a name as the database looks it up, and what a string says. Of all others it is the source.
	Value string
	// Plain: what is in quotes is closed, and is written without escapes and dollar quotes. Of all others it is true.
	Plain bool
}

var tokenKinds = map[tokenKind]TokenKind{tokWord: WordToken, tokQuoted: NameToken, tokString: StringToken, tokNumber: NumberToken, tokSymbol: SignToken, tokMark: MarkToken}

// Lex returns the tokens of a text, for those who parse it.
func Lex(text string, d Dialect) []Token {
	var all []Token
	for _, t := range scanPlain(text, d) {
		source := text[t.start:t.end]
		one := Token{Kind: tokenKinds[t.kind], Start: t.start, End: t.end, Upper: t.up, Value: source, Plain: true}
		switch t.kind {
		case tokWord:
			one.Value = d.Fold(source, false)
		case tokQuoted:
			one.Plain = closed(source, "\"`[")
			one.Value = d.Fold(unquote(source), true)
		case tokString:
			if one.Plain = closed(source, "'"); one.Plain {
				one.Value = strings.ReplaceAll(source[1:len(source)-1], "''", "'")
			}
		}
		all = append(all, one)
	}
	return all
}

// closed reports whether source is one of these quotes, what is quoted, and the quote that ends it.
func closed(source, quotes string) bool {
	if len(source) < 2 || strings.IndexByte(quotes, source[0]) < 0 {
		return false
	}
	end := source[:1]
	if end == "[" {
		end = "]"
	}
	rest := strings.ReplaceAll(source[1:], end+end, "")
	return strings.IndexByte(rest, end[0]) == len(rest)-1 && rest != ""
}
