package demo

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // "pgx", to look at the sides without dualsql
)

// openSide opens one database by its own driver, without dualsql.
func openSide(dsn string) (*sql.DB, error) {
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
	return "", "", fmt.Errorf("the demo runs on postgres://... and file:... databases, not on %q", scheme+":")
}

// sqliteDSN names a file with full durability. With a write-ahead log readers do not wait for the writer; a transaction
// takes the write lock at its beginning and waits for it, so that none fails half-way because another was faster.
func sqliteDSN(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + q.Encode()
}

// numbered writes a text with question marks as plain pgx wants it.
func numbered(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if r == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hasNoSchema reports whether dualsql has never been used on a database: then the demo leaves nothing of it behind either.
func hasNoSchema(ctx context.Context, db *sql.DB, dsn string) (bool, error) {
	text := "select count(*) from sqlite_schema where name in ('dualsql_commit', 'dualsql_pair')"
	if onPostgres(dsn) {
		text = "select count(*) from pg_catalog.pg_namespace where nspname = 'dualsql'"
	}
	n, err := one(db.QueryContext(ctx, text))
	return n == 0, err
}

func dropSchema(ctx context.Context, db *sql.DB, dsn string) error {
	text := "drop table if exists dualsql_commit; drop table if exists dualsql_pair"
	if onPostgres(dsn) {
		text = "drop schema if exists dualsql cascade"
	}
	_, err := db.ExecContext(ctx, text)
	return err
}

func onPostgres(dsn string) bool {
	driver, _, _ := ownDriver(dsn) // that it has one was found when it was opened
	return driver == "pgx"
}
