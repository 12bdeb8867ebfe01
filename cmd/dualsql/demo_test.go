package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/demo"
	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
)

func TestDemoSQLite(t *testing.T) {
	tmp := t.TempDir()
	o := call(t, []string{"TMPDIR=" + tmp}, "demo", "--kills", "4", "--seconds", "2").want(t, exitOK, "By hand", "With dualsql", "0 still open",
		"every acknowledged transaction is there", "the two databases are equal")
	if o.errOut != "" {
		t.Errorf("on standard error:\n%s", o.errOut)
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "dualsql-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDemoPostgres(t *testing.T) {
	clusters := testdb.Clusters(t, 2)
	p, s := clusters[0].CreateDatabase(t), clusters[1].CreateDatabase(t)
	journal := filepath.Join(t.TempDir(), "journal")
	var r demo.Report
	call(t, nil, "demo", "--primary", p, "--secondary", s, "--journal", journal, "--kills", "4", "--seconds", "4", "--json").want(t, exitOK).decode(t, &r)
	if !r.Equal || r.Dualsql.Kills != 4 || r.Dualsql.Acknowledged == 0 || r.HandWritten.Acknowledged == 0 || r.Dualsql.Recovery == nil {
		t.Errorf("%+v", r)
	}
	for _, dsn := range []string{p, s} {
		db := must(sql.Open("pgx", dsn))
		defer db.Close()
		var n int
		if err := db.QueryRow("select count(*) from information_schema.tables where table_name like 'dualsql%' or table_schema = 'dualsql'").Scan(&n); err != nil || n > 0 {
			t.Errorf("the demo has left %d tables, %v", n, err)
		}
	}
}

// On SQL Server, in both positions and on both sides.
func TestDemoSQLServer(t *testing.T) {
	clusters, servers := testdb.Clusters(t, 2), sqlserver.Servers(t, 2)
	for name, pair := range map[string][2]string{
		"secondary": {clusters[0].CreateDatabase(t), servers[1].CreateDatabase(t)},
		"primary":   {servers[0].CreateDatabase(t), clusters[1].CreateDatabase(t)},
		"both":      {servers[0].CreateDatabase(t), servers[1].CreateDatabase(t)},
	} {
		t.Run(name, func(t *testing.T) {
			var r demo.Report
			call(t, nil, "demo", "--primary", pair[0], "--secondary", pair[1], "--journal", filepath.Join(t.TempDir(), "journal"),
				"--kills", "2", "--seconds", "4", "--json").want(t, exitOK).decode(t, &r)
			if !r.Equal || r.Dualsql.Kills != 2 || r.Dualsql.Acknowledged == 0 || r.HandWritten.Acknowledged == 0 || r.Dualsql.Recovery == nil {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestDemoKeep(t *testing.T) {
	tmp := t.TempDir()
	var r demo.Report
	call(t, []string{"TMPDIR=" + tmp}, "demo", "--kills", "1", "--seconds", "0.2", "--workers", "1", "--keep", "--json").want(t, exitOK).decode(t, &r)
	for _, name := range []string{"primary.db", "secondary.db", "journal"} {
		if _, err := os.Stat(filepath.Join(r.Kept, name)); err != nil {
			t.Error(err)
		}
	}
}
