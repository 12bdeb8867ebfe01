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
