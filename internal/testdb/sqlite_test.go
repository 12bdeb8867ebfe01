package testdb

import (
	"database/sql"
	"testing"
)

func TestSQLite(t *testing.T) {
	a, b := SQLite(t, "primary"), SQLite(t, "primary")
	if a == b {
		t.Fatal("the same file twice")
	}
	db, err := sql.Open("sqlite", a)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
		var got string
		if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", pragma, got, err, want)
		}
	}
}
