package sqltext

import (
	"fmt"
	"strings"
	"testing"
)

func TestLex(t *testing.T) {
	for _, c := range []struct {
		text string
		d    Dialect
		want string
	}{
		{`Create "Tab""le" -- x` + "\n('it''s', $1, 1.5e3)", Postgres, `w:create n:Tab"le s:( t:it's s:, m:$1 s:, #:1.5e3 s:)`},
		{`E'a' $$b$$ U&"c" 'd`, Postgres, `!t:E'a' !t:$$b$$ !n:c !t:'d`},
		{`"a`, Postgres, `!n:a`},
		{`'a''`, Postgres, `!t:'a''`},
		{`Name [Na]]me] N'x' /* a /* b */ */ ;`, SQLServer, `w:Name n:Na]me w:N t:x s:;`},
		{`[a]]`, SQLServer, `!n:a]`},
	} {
		var got []string
		for _, token := range Lex(c.text, c.d) {
			plain := ""
			if !token.Plain {
				plain = "!"
			}
			got = append(got, fmt.Sprintf("%s%c:%s", plain, "wnt#sm"[token.Kind], token.Value))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, s, c.want)
		}
	}
}
