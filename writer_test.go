package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

// The session that holds the writer's lock can die alone. As long as the process has other sessions to the secondary, no
// other process may become the writer; once it has none, it must not go on as the writer itself.
func TestWriterLockLost(t *testing.T) {
	ctx := context.Background()
	clusters := testdb.Clusters(t, 2)
	primary, secondary := clusters[0].CreateDatabase(t), clusters[1].CreateDatabase(t)
	first, second := openWriter(t, primary, secondary), openWriter(t, primary, secondary)
	if _, err := first.Exec("create table t (id int primary key)"); err != nil {
		t.Fatal(err)
	}

	killWriterSession(t, secondary)
	if err := writeRow(second, 1); !errors.Is(err, dualsql.ErrWriterLocked) {
		t.Errorf("a second writer beside the first one's sessions: %v, want ErrWriterLocked", err)
	}
	if err := writeRow(first, 2); err != nil {
		t.Errorf("the first writer's joined session: %v", err)
	}

	// A new session of the first process finds the lock gone; the next write takes it anew.
	conns := []*sql.Conn{}
	for range 2 {
		c, err := first.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	for i, c := range conns {
		_, err := c.ExecContext(ctx, "insert into t values ($1)", 10+i)
		if errors.Is(err, dualsql.ErrWriterLocked) {
			_, err = c.ExecContext(ctx, "insert into t values ($1)", 10+i)
		}
		if err != nil {
			t.Errorf("connection %d of the first writer: %v", i, err)
		}
	}
	if err := writeRow(second, 3); !errors.Is(err, dualsql.ErrWriterLocked) {
		t.Errorf("a second writer beside the first: %v, want ErrWriterLocked", err)
	}
	for _, c := range conns {
		c.Close()
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := writeRow(second, 4); err != nil {
		t.Errorf("a second writer after the first: %v", err)
	}
}

// A process whose lock's session has died, and that has no other sessions, is overtaken by another; a new session of its
// own must find that out before it writes.
func TestWriterOvertaken(t *testing.T) {
	clusters := testdb.Clusters(t, 2)
	primary, secondary := clusters[0].CreateDatabase(t), clusters[1].CreateDatabase(t)
	first, second := openWriter(t, primary, secondary), openWriter(t, primary, secondary)
	first.SetMaxIdleConns(-1) // each connection is closed after its use
	if _, err := first.Exec("create table t (id int primary key)"); err != nil {
		t.Fatal(err)
	}
	killWriterSession(t, primary)
	killWriterSession(t, secondary)
	if err := writeRow(second, 1); err != nil {
		t.Fatalf("the second writer: %v", err)
	}
	if err := writeRow(first, 2); !errors.Is(err, dualsql.ErrWriterLocked) {
		t.Errorf("the first writer, overtaken: %v, want ErrWriterLocked", err)
	}
}

func openWriter(t *testing.T, primary, secondary string) *sql.DB {
	t.Helper()
	db, err := sql.Open("dualsql", "commit=marker primary='"+primary+"' secondary='"+secondary+"' journal="+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func writeRow(db *sql.DB, id int) error {
	_, err := db.Exec("insert into t values ($1)", id)
	return err
}

func killWriterSession(t *testing.T, secondary string) {
	t.Helper()
	admin, err := sql.Open("pgx", secondary)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	var killed bool
	err = admin.QueryRow(`select pg_terminate_backend(pid, 10000) from pg_locks
		where locktype = 'advisory' and objsubid = 1 and mode = 'ExclusiveLock'
		and database = (select oid from pg_database where datname = current_database())`).Scan(&killed)
	if err != nil || !killed {
		t.Fatalf("killing the lock's session: %v, %v", killed, err)
	}
}
