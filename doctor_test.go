package dualsql_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

// examined returns what the doctor says of a pair.
func examined(t *testing.T, primary, secondary, journal string) []dualsql.Finding {
	t.Helper()
	cfg, err := dualsql.ParseDSN("primary='" + primary + "' secondary='" + secondary + "' journal='" + journal + "'")
	if err != nil {
		t.Fatal(err)
	}
	c, err := dualsql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.Doctor(t.Context())
}

// wantFinding checks that there is a finding; every problem and warning has to be wanted or to carry advice.
func wantFinding(t *testing.T, found []dualsql.Finding, side, check string, level dualsql.Level, text string) {
	t.Helper()
	for _, f := range found {
		if f.Side == side && f.Check == check && f.Level == level && strings.Contains(f.Text, text) {
			if level == dualsql.LevelProblem && f.Advice == "" {
				t.Errorf("no advice: %+v", f)
			}
			return
		}
	}
	t.Errorf("no finding %s/%s/%s with %q in %+v", side, check, level, text, found)
}

func TestDoctorSQLite(t *testing.T) {
	good := testdb.SQLite(t, "good")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found := examined(t, good, "file:"+filepath.Join(dir, "unsafe.db")+"?_pragma=journal_mode(off)", file)
	wantFinding(t, found, "primary", "durability", dualsql.LevelOK, "journal_mode is wal, synchronous is full")
	wantFinding(t, found, "secondary", "durability", dualsql.LevelProblem, "journal_mode is off")
	wantFinding(t, found, "journal", "directory", dualsql.LevelProblem, "not a directory")

	found = examined(t, good, "file:"+filepath.Join(dir, "no", "such.db"), filepath.Join(dir, "none"))
	wantFinding(t, found, "secondary", "connect", dualsql.LevelProblem, "unable to open")
	wantFinding(t, found, "journal", "directory", dualsql.LevelOK, "not there yet")
}

func TestDoctorSQLiteReadOnly(t *testing.T) {
	dsn := testdb.SQLite(t, "side")
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("create table t (id int)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	path, _, _ := strings.Cut(dsn, "?")
	found := examined(t, path+"?mode=ro", testdb.SQLite(t, "other"), filepath.Join(t.TempDir(), "journal"))
	wantFinding(t, found, "primary", "schema", dualsql.LevelProblem, "cannot be written to")
}

func TestDoctorPair(t *testing.T) {
	a, b, c := testdb.SQLite(t, "a"), testdb.SQLite(t, "b"), testdb.SQLite(t, "c")
	journal := filepath.Join(t.TempDir(), "journal")
	initialize := func(primary, secondary string) error {
		cfg, err := dualsql.ParseDSN("primary='" + primary + "' secondary='" + secondary + "' journal='" + journal + "'")
		if err != nil {
			return err
		}
		conn, err := dualsql.NewConnector(cfg)
		if err != nil {
			return err
		}
		defer conn.Close()
		return conn.Init(t.Context())
	}
	for range 2 { // it may be repeated
		if err := initialize(a, b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(journal); !os.IsNotExist(err) {
		t.Errorf("Init has made the journal directory: %v", err)
	}
	wantFinding(t, examined(t, a, b, journal), "pair", "pair", dualsql.LevelOK, "both databases belong to pair")
	wantFinding(t, examined(t, b, a, journal), "pair", "pair", dualsql.LevelProblem, "the primary is the secondary of pair")
	wantFinding(t, examined(t, c, a, journal), "pair", "pair", dualsql.LevelProblem, "the secondary is the primary of pair")
	wantFinding(t, examined(t, c, b, journal), "pair", "pair", dualsql.LevelProblem, "the primary belongs to pair none")
	wantFinding(t, examined(t, a, c, journal), "pair", "pair", dualsql.LevelOK, "the secondary will with the first connection")
	if err := initialize(c, b); err == nil || !strings.Contains(err.Error(), "not a pair") {
		t.Errorf("Init of databases that do not belong together: %v", err)
	}
	wantFinding(t, examined(t, c, testdb.SQLite(t, "d"), journal), "pair", "pair", dualsql.LevelOK, "not a pair yet")
}

// Only a URL of another spelling gets past the DSN's own check.
func TestDoctorOneDatabaseTwice(t *testing.T) {
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	other := strings.Replace(dsn, "127.0.0.1", "localhost", 1)
	if other == dsn {
		t.Skip("the server is not named by 127.0.0.1")
	}
	found := examined(t, dsn, other, filepath.Join(t.TempDir(), "journal"))
	wantFinding(t, found, "pair", "pair", dualsql.LevelProblem, "the same database")
}

func TestDoctorPreparedTransaction(t *testing.T) {
	c := testdb.Clusters(t, 2)
	p, s := c[0].CreateDatabase(t), c[1].CreateDatabase(t)
	db, err := sql.Open("pgx", s)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	session, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for _, text := range []string{"begin", "create table t (id int)", "prepare transaction 'dualsql:left-over'"} {
		if _, err := session.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if _, err := db.Exec("rollback prepared 'dualsql:left-over'"); err != nil {
			t.Error(err)
		}
	}()
	found := examined(t, p, s, filepath.Join(t.TempDir(), "journal"))
	wantFinding(t, found, "primary", "prepared", dualsql.LevelOK, "none of dualsql's")
	wantFinding(t, found, "primary", "slots", dualsql.LevelWarning, "max_prepared_transactions is 64 and max_connections 200")
	wantFinding(t, found, "secondary", "prepared", dualsql.LevelOK, "dualsql:left-over")
	wantFinding(t, found, "secondary", "clock", dualsql.LevelOK, "within 2s")
}

func TestJournalHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	if h, err := dualsql.JournalHolder(dir); h.Held || err != nil {
		t.Errorf("a directory that is not there: %+v, %v", h, err)
	}
	cfg, err := dualsql.ParseDSN("primary='" + testdb.SQLite(t, "a") + "' secondary='" + testdb.SQLite(t, "b") + "' journal='" + dir + "'")
	if err != nil {
		t.Fatal(err)
	}
	c, err := dualsql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Pending(); err != nil { // opens the journal
		t.Fatal(err)
	}
	if h, err := dualsql.JournalHolder(dir); !h.Held || h.PID != os.Getpid() || err != nil {
		t.Errorf("this process holds it: %+v, %v", h, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if h, err := dualsql.JournalHolder(dir); h.Held || err != nil {
		t.Errorf("a closed journal: %+v, %v", h, err)
	}
}
