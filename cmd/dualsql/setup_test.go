package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

func pairDSN(primary, secondary, journal string) []string {
	return []string{dsnEnv + "=primary='" + primary + "' secondary='" + secondary + "' journal='" + journal + "'"}
}

func TestInitSQLite(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	p, s := testdb.SQLite(t, "p"), testdb.SQLite(t, "s")
	env := pairDSN(p, s, journal)
	call(t, env, "doctor").want(t, exitOK, "not a pair yet", "not there yet", "0 problems")
	call(t, env, "init").want(t, exitOK, "are a pair")
	call(t, env, "init", "--json").want(t, exitOK, `"initialized": true`)
	var r doctorReport
	call(t, env, "doctor", "--json").want(t, exitOK).decode(t, &r)
	if len(r.Findings) < 8 || r.Problems != 0 {
		t.Errorf("%+v", r)
	}
	call(t, env, "doctor").want(t, exitOK, "both databases belong to pair")

	exchanged := pairDSN(s, p, journal)
	call(t, exchanged, "init").want(t, exitError, "not a pair")
	call(t, exchanged, "doctor").want(t, exitError, "the primary is the secondary of pair")
	other := pairDSN(p, testdb.SQLite(t, "other"), journal)
	call(t, other, "doctor").want(t, exitOK, "the secondary will with the first connection")
}

func TestSequences(t *testing.T) {
	p, s := testdb.SQLite(t, "p"), testdb.SQLite(t, "s")
	env := pairDSN(p, s, filepath.Join(t.TempDir(), "journal"))
	for _, dsn := range []string{p, s} {
		execSQLite(t, dsn, "create table t (id integer primary key autoincrement); insert into t default values")
	}
	call(t, env, "sequences", "--check").want(t, exitOK, "level", "of which 0 are behind")
	execSQLite(t, p, "insert into t default values")
	call(t, env, "sequences", "--check").want(t, exitOpen, "behind: the secondary's next is 2", "of which 1 are behind")
	call(t, env, "doctor").want(t, exitOK, "1 of the secondary's sequences are behind", "run `dualsql sequences`")
	call(t, env, "sequences").want(t, exitOK, "was 2 on the secondary, is level now", "of which 1 were brought level")
	var list []dualsql.SequenceState
	call(t, env, "sequences", "--check", "--json").want(t, exitOK).decode(t, &list)
	if want := (dualsql.SequenceState{Name: "t", Primary: 3, Secondary: 3}); len(list) != 1 || list[0] != want {
		t.Errorf("%+v, want %+v", list, want)
	}
}

func TestInitPrint(t *testing.T) {
	call(t, nil, "init", "--print").want(t, exitOK, "create table if not exists dualsql.commit", "create table if not exists dualsql_commit",
		"grant select, insert, delete on dualsql.commit to the_application;", "create table dualsql.[commit]", "on dualsql.[commit] to the_application;")
	var list []schema
	call(t, nil, "init", "--print", "--json").want(t, exitOK).decode(t, &list)
	if len(list) != 3 || list[0].Engine != "postgres" || list[0].Grant == "" || list[1].Engine != "sqlserver" || list[1].Grant == "" || list[2].Grant != "" {
		t.Errorf("%+v", list)
	}
}

func TestDoctorFindsASideThatIsAway(t *testing.T) {
	gone := "postgres://app:top-secret@127.0.0.1:1/shop?connect_timeout=2"
	o := call(t, pairDSN(gone, testdb.SQLite(t, "s"), filepath.Join(t.TempDir(), "j")), "doctor").want(t, exitError, "primary", "connect", "1 problems")
	if strings.Contains(o.out+o.errOut, "top-secret") {
		t.Errorf("the password is shown:\n%s%s", o.out, o.errOut)
	}
}

// The application's role may not create schemas: an administrator runs init, or what --print shows, and grants.
func TestPostgresRole(t *testing.T) {
	clusters := testdb.Clusters(t, 2)
	admin := [2]string{clusters[0].CreateDatabase(t), clusters[1].CreateDatabase(t)}
	journal := filepath.Join(t.TempDir(), "journal")
	role := "dualsql_app_" + strings.ToLower(filepath.Base(strings.Split(admin[0], "?")[0])[len("dualsql_test_"):][:8])
	app := [2]string{}
	for i, dsn := range admin {
		execSQL(t, dsn, "create role "+role+" login password 'pw'")
		t.Cleanup(func() {
			execSQL(t, dsn, "drop owned by "+role)
			execSQL(t, dsn, "drop role "+role)
		})
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(role, "pw")
		app[i] = u.String()
	}
	asApp, asAdmin := pairDSN(app[0], app[1], journal), pairDSN(admin[0], admin[1], journal)

	call(t, asApp, "doctor").want(t, exitError, "may not create it", "dualsql init")
	call(t, asApp, "init").want(t, exitError, "may not create it")
	call(t, asAdmin, "init").want(t, exitOK, "grant usage on schema dualsql to the_application;")
	call(t, asApp, "doctor").want(t, exitError, "lacks USAGE on schema dualsql, SELECT on dualsql.commit", "grant select")
	for _, dsn := range admin {
		execSQL(t, dsn, strings.ReplaceAll(appGrants, "the_application", role))
		execSQL(t, dsn, "create table t (id int primary key); grant all on t to "+role)
	}
	var r doctorReport
	call(t, asApp, "doctor", "--json").decode(t, &r)
	for _, f := range r.Findings {
		// The test's clusters run without fsync, which the doctor has to find.
		if f.Level == dualsql.LevelProblem != (f.Check == "durability" && strings.HasPrefix(f.Text, "fsync is off")) {
			t.Errorf("%+v", f)
		}
	}
	// The grants are enough to work with.
	connector, err := dualsql.NewConnector(must(dualsql.ParseDSN(strings.TrimPrefix(asApp[0], dsnEnv+"="))))
	if err != nil {
		t.Fatal(err)
	}
	defer connector.Close()
	if _, err := connector.Recover(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDoctorPostgres(t *testing.T) {
	clusters := testdb.Clusters(t, 2)
	p, s := clusters[0].CreateDatabase(t), clusters[1].CreateDatabase(t)
	env := pairDSN(p, s, filepath.Join(t.TempDir(), "journal"))
	call(t, env, "doctor").want(t, exitError, "PostgreSQL", "fsync is off", "max_prepared_transactions is", "within 2s", "not a pair yet")
	call(t, pairDSN(p, p+"&application_name=x", filepath.Join(t.TempDir(), "j")), "doctor").want(t, exitUsage, "same database")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func execSQLite(t *testing.T, dsn, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
}

func execSQL(t *testing.T, dsn, text string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.PgConn().Exec(ctx, text).ReadAll(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
}
