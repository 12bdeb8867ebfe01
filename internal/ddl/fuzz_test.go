package ddl

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// FuzzTranslate: a text is translated or refused with a place in it, and the same text always becomes the same.
func FuzzTranslate(f *testing.F) {
	for _, file := range []string{"testdata/sqlserver.txt", "testdata/postgres.txt"} {
		all, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for pair := range strings.SplitSeq(string(all), "\n===\n") {
			for text := range strings.SplitSeq(pair, "\n---\n") {
				f.Add(text, file == "testdata/postgres.txt")
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string, toPostgres bool) {
		from, to := sqltext.Postgres, sqltext.SQLServer
		if toPostgres {
			from, to = to, from
		}
		got, err := Translate(text, from, to)
		again, _ := Translate(text, from, to)
		var e *Error
		switch {
		case err == nil && (got == "" || got != again):
			t.Errorf("%q becomes %q, and then %q", text, got, again)
		case err == nil:
			for _, token := range sqltext.Lex(got, to) {
				if !token.Plain {
					t.Errorf("%q becomes %q, in which a quote is not closed", text, got)
				}
			}
		case !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) || e.Construct == "":
			t.Errorf("%q: %#v", text, err)
		}
	})
}
