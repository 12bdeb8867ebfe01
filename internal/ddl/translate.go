package ddl

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// Error is a construct that is not translated. Nothing else of the text is looked at then.
type Error struct {
	Offset    int    // of the construct in the text, in bytes
	Construct string // what it is, and why it is not translated
}

func (e *Error) Error() string { return e.Construct }

// Position is the line and the column of an offset in a text, from 1 on; columns count characters.
func Position(text string, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// Can reports whether texts of one dialect are translated into another.
func Can(from, to sqltext.Dialect) bool {
	return from == sqltext.Postgres && to == sqltext.SQLServer || from == sqltext.SQLServer && to == sqltext.Postgres
}

// Translate returns what text, one statement that changes the schema, is in another dialect: one batch there. The error is an
// *Error. Safe for concurrent use.
func Translate(text string, from, to sqltext.Dialect) (translated string, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *Error:
			err = e
		default:
			panic(e)
		}
	}()
	r := &reader{text: text, dialect: from, tokens: sqltext.Lex(text, from)}
	if from == sqltext.SQLServer {
		s := r.sqlServer()
		return postgres(s), nil
	}
	s := r.postgres()
	return sqlServer(s), nil
}

// refuse ends the translation.
func refuse(offset int, format string, args ...any) {
	panic(&Error{offset, fmt.Sprintf(format, args...)})
}
