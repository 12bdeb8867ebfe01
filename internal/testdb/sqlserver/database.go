package sqlserver

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	_ "github.com/microsoft/go-mssqldb" // "sqlserver"

	"github.com/dualsql/dualsql/internal/testdb/tds/tsql"
)

const databaseLimit = 60 * time.Second

// CreateDatabase returns the DSN of an empty database that nobody else uses, with READ_COMMITTED_SNAPSHOT and
// ALLOW_SNAPSHOT_ISOLATION on. It is gone when the test ends.
func (s *Server) CreateDatabase(tb testing.TB) string {
	tb.Helper()
	if !s.Real() {
		return s.DSN(name(tb, s.cluster.CreateDatabaseOf(tb, "tsql", tsql.Empty)))
	}
	name := "dualsql_test_" + strings.ToLower(rand.Text())
	s.maintain(tb, "create database %[1]s; alter database %[1]s set read_committed_snapshot on; alter database %[1]s set allow_snapshot_isolation on", name)
	tb.Cleanup(func() {
		s.maintain(tb, "alter database %[1]s set single_user with rollback immediate; drop database %[1]s", name)
	})
	return s.DSN(name)
}

// name is the database in a DSN of PostgreSQL's.
func name(tb testing.TB, dsn string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func (s *Server) maintain(tb testing.TB, format, name string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), databaseLimit)
	defer cancel()
	db, err := sql.Open("sqlserver", s.DSN("master"))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	for text := range strings.SplitSeq(fmt.Sprintf(format, name), "; ") {
		if _, err := db.ExecContext(ctx, text); err != nil {
			tb.Errorf("%s: %s: %v", s, text, err)
		}
	}
}
