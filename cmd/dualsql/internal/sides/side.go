// Package sides looks at the two databases of a pair past dualsql: each by its own driver.
package sides

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // "pgx"
)

// Name is "primary" or "secondary".
func Name(i int) string { return [2]string{"primary", "secondary"}[i] }

// Open opens one database by its own driver.
func Open(dsn string) (*sql.DB, error) {
	driver, own, err := ownDriver(dsn)
	if err != nil {
		return nil, err
	}
	return sql.Open(driver, own)
}

func ownDriver(dsn string) (driver, own string, err error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "postgres", "postgresql":
		return "pgx", dsn, nil
	case "file":
		return "sqlite", dsn, nil
	case "sqlite":
		return "sqlite", strings.TrimPrefix(rest, "//"), nil
	}
	return "", "", fmt.Errorf("the command runs on postgres://... and file:... databases, not on %q", scheme+":")
}

// OnPostgres reports whether a DSN that Open has taken is PostgreSQL's.
func OnPostgres(dsn string) bool {
	driver, _, _ := ownDriver(dsn)
	return driver == "pgx"
}

// SQLiteDSN names a file with full durability. With a write-ahead log readers do not wait for the writer; a transaction
// takes the write lock at its beginning and waits for it, so that none fails half-way because another was faster.
func SQLiteDSN(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + q.Encode()
}

// Place is a DSN without its password and its settings.
func Place(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "(a DSN that is no URL)"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// HasNoSchema reports whether dualsql has never been used on a database: then a command that has used it for a test
// leaves nothing of it behind either.
func HasNoSchema(ctx context.Context, db *sql.DB, dsn string) (bool, error) {
	text := "select count(*) from sqlite_schema where name in ('dualsql_commit', 'dualsql_pair')"
	if OnPostgres(dsn) {
		text = "select count(*) from pg_catalog.pg_namespace where nspname = 'dualsql'"
	}
	var n int
	err := db.QueryRowContext(ctx, text).Scan(&n)
	return n == 0, err
}

// DropSchema takes away what dualsql keeps in a database.
func DropSchema(ctx context.Context, db *sql.DB, dsn string) error {
	text := "drop table if exists dualsql_commit; drop table if exists dualsql_pair"
	if OnPostgres(dsn) {
		text = "drop schema if exists dualsql cascade"
	}
	_, err := db.ExecContext(ctx, text)
	return err
}
