package testdb

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func ask[T any](t *testing.T, conn *pgx.Conn, sql string) (answer T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

func TestClustersAreSharedAndDifferent(t *testing.T) {
	c := Clusters(t, 2)
	again := Clusters(t, 1)
	if again[0] != c[0] {
		t.Error("a second call gave another cluster")
	}
	const system = "SELECT system_identifier::text FROM pg_control_system()"
	first, second := connect(t, c[0].DSN("postgres")), connect(t, c[1].DSN("postgres"))
	defer first.Close(t.Context())
	defer second.Close(t.Context())
	if ask[string](t, first, system) == ask[string](t, second, system) {
		t.Error("two clusters are one")
	}
}

func TestSettings(t *testing.T) {
	c := StartCluster(t, map[string]string{"max_prepared_transactions": "0", "application_name": `it's a \ test`})
	conn := connect(t, c.DSN("postgres"))
	defer conn.Close(t.Context())
	for name, want := range map[string]string{
		"fsync":                     "off",
		"max_connections":           "200",
		"max_prepared_transactions": "0",
		"server_encoding":           "UTF8",
		"synchronous_commit":        "on",
		"application_name":          `it's a \ test`,
	} {
		if got := ask[string](t, conn, "SHOW "+name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestStartRefusesWrongSettings(t *testing.T) {
	requirePostgres(t)
	if _, err := binaries(); err != nil {
		t.Skip(err)
	}
	c, err := NewCluster(map[string]string{"no_such_setting": "1"})
	if err == nil {
		_ = c.Close()
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("the error does not show the server's reason: %v", err)
	}
}

func TestStopImmediateAndStart(t *testing.T) {
	c := StartCluster(t, nil)
	dsn := c.CreateDatabase(t)
	conn := connect(t, dsn)
	defer conn.Close(t.Context())
	run(t, conn, "CREATE TABLE t (n int)")
	run(t, conn, "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'kept'")
	run(t, conn, "INSERT INTO t VALUES (2)")

	c.StopImmediate(t)
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("a session outlived the stop")
	}
	if _, err := pgx.Connect(t.Context(), dsn); err == nil {
		t.Error("a stopped cluster took a connection")
	}
	c.Start(t)
	c.Start(t)
	after := connect(t, dsn)
	defer after.Close(t.Context())
	run(t, after, "COMMIT PREPARED 'kept'")
	if n := ask[int](t, after, "SELECT count(*) FROM t"); n != 2 {
		t.Errorf("%d rows after the crash, want 2", n)
	}
	if log := c.Log(); !strings.Contains(log, "immediate shutdown") {
		t.Errorf("the log does not tell of the stop:\n%s", log)
	}

	c.Restart(t)
	last := connect(t, dsn)
	defer last.Close(t.Context())
	if n := ask[int](t, last, "SELECT count(*) FROM t"); n != 2 {
		t.Errorf("%d rows after the restart, want 2", n)
	}
}

func TestStoppedClusterIsStartedForTheNextTest(t *testing.T) {
	c := StartCluster(t, nil)
	t.Run("stops it", func(t *testing.T) {
		c.CreateDatabase(t)
		c.StopImmediate(t)
	})
	_ = connect(t, c.DSN("postgres")).Close(t.Context())
}

func TestDatabaseIsEmptyWhateverIsLeftInIt(t *testing.T) {
	c := StartCluster(t, nil)
	contents := func(conn *pgx.Conn) string {
		return ask[string](t, conn, `SELECT concat_ws(' ', (SELECT string_agg(nspname || coalesce(nspacl::text, '') || nspowner::regrole, ',' ORDER BY nspname)
			FROM pg_namespace WHERE nspname <> 'pg_toast_temp' AND nspname NOT LIKE 'pg_temp%'),
			(SELECT count(*) FROM pg_class WHERE relkind = 'r'), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_largeobject_metadata),
			(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> '`+Resting+`'), (SELECT count(*) FROM pg_prepared_xacts), current_setting('work_mem'))`)
	}
	var name, before string
	t.Run("leaves a session, a prepared transaction, a setting and other things", func(t *testing.T) {
		conn := connect(t, c.CreateDatabase(t))
		before, name = contents(conn), ask[string](t, conn, "SELECT current_database()")
		run(t, conn, "CREATE SCHEMA s; CREATE TABLE s.t (n int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
		run(t, conn, "SELECT lo_create(0)")
		run(t, conn, `ALTER DATABASE "`+name+`" SET work_mem = '64kB'`)
		run(t, conn, "CREATE TABLE t (n int)")
		run(t, conn, "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s left'")
		run(t, conn, "BEGIN; INSERT INTO t VALUES (2)")
	})
	conn := connect(t, c.CreateDatabase(t))
	defer conn.Close(t.Context())
	if again := ask[string](t, conn, "SELECT current_database()"); again != name {
		t.Errorf("the database is %s, not %s", again, name)
	}
	if after := contents(conn); after != before {
		t.Errorf("the next test finds\n%s, not\n%s", after, before)
	}
}

func TestNamedServers(t *testing.T) {
	own := StartCluster(t, nil)
	t.Setenv(envServers, own.DSN("postgres"))
	kept := shared.clusters
	shared.clusters = nil
	defer func() { shared.clusters = kept }()

	c := Clusters(t, 1)[0]
	conn := connect(t, c.CreateDatabase(t))
	defer conn.Close(t.Context())
	if port := ask[int](t, conn, "SELECT inet_server_port()"); port != own.port {
		t.Errorf("the database is on port %d, want the named server's %d", port, own.port)
	}
	var name string
	t.Run("keeps nothing", func(t *testing.T) {
		conn := connect(t, c.CreateDatabase(t))
		name = ask[string](t, conn, "SELECT current_database()")
		run(t, conn, "CREATE TABLE t (n int)")
		run(t, conn, "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s left'")
	})
	if n := ask[int](t, conn, "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'"); n != 0 {
		t.Error("the database is still there")
	}
	stopped := t.Run("is not stopped", func(t *testing.T) {
		defer func() {
			if !t.Skipped() {
				t.Error("not skipped")
			}
		}()
		c.StopImmediate(t)
	})
	if !stopped || conn.Ping(t.Context()) != nil {
		t.Error("the named server was stopped")
	}
}

func TestClusterRunsUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("for root only: any other user runs PostgreSQL as itself")
	}
	c := StartCluster(t, nil)
	info, err := os.Stat(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o700 {
		t.Errorf("the directory has mode %v", mode)
	}
	conn := connect(t, "postgres://postgres@/postgres?host="+c.dir+"&port="+conf(t, c, "port"))
	_ = conn.Close(t.Context())
}

func conf(t *testing.T, c *Cluster, name string) string {
	t.Helper()
	conn := connect(t, c.DSN("postgres"))
	defer conn.Close(t.Context())
	return ask[string](t, conn, "SHOW "+name)
}
