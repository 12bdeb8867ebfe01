// Package sides looks at the two databases of a pair past dualsql: each by its own driver.
package sides

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"  // "pgx"
	_ "github.com/microsoft/go-mssqldb" // "sqlserver"
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

// Engine is a kind of database that the command works on.
type Engine string

// The engines.
const (
	Postgres  Engine = "postgres"
	SQLite    Engine = "sqlite"
	SQLServer Engine = "sqlserver"
)

func ownDriver(dsn string) (driver, own string, err error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch scheme {
	case "postgres", "postgresql":
		return "pgx", dsn, nil
	case "sqlserver":
		return "sqlserver", dsn, nil
	case "file":
		return "sqlite", dsn, nil
	case "sqlite":
		return "sqlite", strings.TrimPrefix(rest, "//"), nil
	}
	return "", "", fmt.Errorf("the command runs on postgres://..., sqlserver://... and file:... databases, not on %q", scheme+":")
}

// EngineOf returns the engine of a DSN that Open has taken.
func EngineOf(dsn string) Engine {
	switch driver, _, _ := ownDriver(dsn); driver {
	case "pgx":
		return Postgres
	case "sqlserver":
		return SQLServer
	}
	return SQLite
}

// Numbered writes a text that has question marks for its arguments as the engine's own driver wants it.
func (e Engine) Numbered(text string) string {
	if e == SQLite {
		return text
	}
	var b strings.Builder
	n := 0
	for _, r := range text {
		switch {
		case r != '?':
			b.WriteRune(r)
			continue
		case e == SQLServer:
			b.WriteString("@p")
		default:
			b.WriteByte('$')
		}
		n++
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
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
	database := u.Query().Get("database")
	if u.RawQuery = ""; EngineOf(dsn) == SQLServer && database != "" {
		u.RawQuery = url.Values{"database": {database}}.Encode()
	}
	return u.Redacted()
}

// HasNoSchema reports whether dualsql has never been used on a database: then a command that has used it for a test
// leaves nothing of it behind either.
func HasNoSchema(ctx context.Context, db *sql.DB, dsn string) (bool, error) {
	text := map[Engine]string{
		SQLite:    "select count(*) from sqlite_schema where name in ('dualsql_commit', 'dualsql_pair')",
		Postgres:  "select count(*) from pg_catalog.pg_namespace where nspname = 'dualsql'",
		SQLServer: "select count(*) from sys.schemas where name = N'dualsql'",
	}[EngineOf(dsn)]
	var n int
	err := db.QueryRowContext(ctx, text).Scan(&n)
	return n == 0, err
}

// DropSchema takes away what dualsql keeps in a database.
func DropSchema(ctx context.Context, db *sql.DB, dsn string) error {
	text := map[Engine]string{
		SQLite:    "drop table if exists dualsql_commit; drop table if exists dualsql_pair",
		Postgres:  "drop schema if exists dualsql cascade",
		SQLServer: "drop table if exists dualsql.[commit], dualsql.pair, dualsql.writer; drop schema if exists dualsql",
	}[EngineOf(dsn)]
	_, err := db.ExecContext(ctx, text)
	return err
}
