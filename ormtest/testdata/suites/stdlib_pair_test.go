package stdlib_test

import (
	"database/sql"
	"os"

	"github.com/dualsql/dualsql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPair opens dualsql where the suite opens pgx: the primary as the suite has it, and the secondary in the same execution mode.
func openPair(primary pgx.ConnConfig, options ...stdlib.OptionOpenDB) *sql.DB {
	secondary, err := pgx.ParseConfig(os.Getenv("SUITE_SECONDARY"))
	if err != nil {
		panic(err)
	}
	secondary.DefaultQueryExecMode = primary.DefaultQueryExecMode
	cfg := dualsql.NewConfig()
	cfg.Commit = dualsql.Marker // PostgreSQL prepares no transaction that has used temporary tables, as many of the tests do
	cfg.Primary.Connector = stdlib.GetConnector(primary, options...)
	cfg.Secondary.Connector = stdlib.GetConnector(*secondary)
	if cfg.Journal, err = os.MkdirTemp(os.Getenv("SUITE_JOURNALS"), ""); err != nil {
		panic(err)
	}
	connector, err := dualsql.NewConnector(cfg)
	if err != nil {
		panic(err)
	}
	return sql.OpenDB(connector)
}

// openNamed stands in for sql.Open("pgx", dsn).
func openNamed(dsn string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	return openPair(*config), nil
}

// primaryConn is the primary's connection of one that sql.Conn.Raw hands out.
func primaryConn(conn any) *stdlib.Conn { return conn.(*dualsql.Conn).Primary().(*stdlib.Conn) }
