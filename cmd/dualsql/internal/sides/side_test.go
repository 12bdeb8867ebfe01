package sides

import (
	"strings"
	"testing"
)

func TestPlaceHidesThePassword(t *testing.T) {
	got := Place("postgres://app:secret@db/shop?password=secret&sslmode=disable")
	if strings.Contains(got, "secret") || !strings.Contains(got, "db/shop") {
		t.Error(got)
	}
	if got := Place("file:/tmp/a.db?_pragma=x"); got != "file:/tmp/a.db" {
		t.Error(got)
	}
}

func TestNumbered(t *testing.T) {
	const text = "update t set a = ?, b = ? where c = ?"
	for e, want := range map[Engine]string{
		SQLite:    text,
		Postgres:  "update t set a = $1, b = $2 where c = $3",
		SQLServer: "update t set a = @p1, b = @p2 where c = @p3",
	} {
		if got := e.Numbered(text); got != want {
			t.Errorf("%s: %s", e, got)
		}
	}
}
