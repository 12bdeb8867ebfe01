package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/torture"
	"github.com/dualsql/dualsql/internal/testdb"
)

func TestTorturePostgres(t *testing.T) {
	clusters := testdb.Clusters(t, 2)
	p, s := clusters[0].CreateDatabase(t), clusters[1].CreateDatabase(t)
	tmp := t.TempDir()
	var r torture.Report
	call(t, []string{"TMPDIR=" + tmp}, "torture", "--primary", p, "--secondary", s, "--processes", "2", "--workers", "4", "--for", "3s", "--json").
		want(t, exitOK).decode(t, &r)
	if !r.OK || r.Told.Committed == 0 || r.Disturbances.Kills == 0 || len(r.Checks) == 0 {
		t.Errorf("%+v", r)
	}
	for _, dsn := range []string{p, s} {
		db := must(sql.Open("pgx", dsn))
		defer db.Close()
		var n int
		if err := db.QueryRow("select count(*) from information_schema.tables where table_name like 'dualsql%' or table_schema = 'dualsql'").Scan(&n); err != nil || n > 0 {
			t.Errorf("the torture has left %d tables, %v", n, err)
		}
	}
	if left := must(os.ReadDir(tmp)); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

func TestTortureSQLite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	p, s := testdb.SQLite(t, "p"), testdb.SQLite(t, "s")
	pair := []string{"torture", "--primary", p, "--secondary", s, "--journal", dir, "--for", "1s", "--workers", "2"}
	call(t, nil, append(pair, "--commit", "marker")...).want(t, exitOK, "by commit=marker", "seed", "kills", "Both databases are equal")
	// It says what is missing, and leaves nothing behind.
	call(t, nil, pair...).want(t, exitError, "2pc", "PostgreSQL")
	db := must(sql.Open("sqlite", p))
	defer db.Close()
	var n int
	if err := db.QueryRow("select count(*) from sqlite_schema").Scan(&n); err != nil || n > 0 {
		t.Errorf("the torture has left %d tables, %v", n, err)
	}
	if left := must(os.ReadDir(dir)); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

func TestTortureUsage(t *testing.T) {
	sides := []string{"torture", "--primary", "file:a.db", "--secondary", "file:b.db"}
	for _, c := range []struct {
		args []string
		text string
	}{
		{[]string{"torture"}, "--primary"},
		{append(sides, "--commit", "besteffort"), "--commit takes"},
		{append(sides, "--commit", "marker", "--processes", "2"), "one process"},
		{append(sides, "--ack", "never"), "--ack takes"},
		{append(sides, "--processes", "-1"), "--processes takes"},
		{append(sides, "--workers", "0"), "--workers takes"},
		{append(sides, "--for", "0s"), "--for must"},
	} {
		call(t, nil, c.args...).want(t, exitUsage, c.text)
	}
}
