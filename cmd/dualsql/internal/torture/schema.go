package torture

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// prefix keeps the tables apart from whatever else is in a database.
const prefix = "dualsql_torture_"

// table is one of the torture's. Every transaction has a value, which no other has, and leaves it in one row of item,
// transfer or note. These have no key over the values: what is done twice shows.
type table struct {
	name    string // without the prefix
	columns string // the same text on every engine
	keys    int
}

var tables = []table{
	{"account", "id bigint primary key, balance bigint not null", 1},
	{"list", "id bigint primary key, n bigint not null", 1},
	{"item", "list bigint not null, pos bigint not null, val bigint not null, primary key (list, pos)", 2},
	{"transfer", "val bigint not null, debit bigint not null, credit bigint not null, amount bigint not null", 4},
	{"note", "val bigint not null", 1},
}

// So few that workers meet often.
const (
	accounts = 40
	lists    = 12
	balance  = 1_000_000 // of each account, at the beginning
)

// full puts the prefix in the place of @ in a text.
func full(text string) string { return strings.ReplaceAll(text, "@", prefix) }

func comparable() (list []sides.Table) {
	for _, t := range tables {
		list = append(list, sides.Table{Name: t.name, Full: prefix + t.name, Keys: t.keys})
	}
	return list
}

// create makes the tables, with the same accounts and lists on every side.
func create(ctx context.Context, db *sql.DB) error {
	texts := []string{}
	for _, t := range tables {
		texts = append(texts, "create table @"+t.name+" ("+t.columns+")")
	}
	var a, l []string
	for i := 1; i <= accounts; i++ {
		a = append(a, fmt.Sprintf("(%d, %d)", i, balance))
	}
	for i := 1; i <= lists; i++ {
		l = append(l, fmt.Sprintf("(%d, 0)", i))
	}
	texts = append(texts, "insert into @account (id, balance) values "+strings.Join(a, ", "), "insert into @list (id, n) values "+strings.Join(l, ", "))
	for _, text := range texts {
		if _, err := db.ExecContext(ctx, full(text)); err != nil {
			return err
		}
	}
	return nil
}

func drop(ctx context.Context, db *sql.DB) error {
	for _, t := range tables {
		if _, err := db.ExecContext(ctx, "drop table if exists "+prefix+t.name); err != nil {
			return err
		}
	}
	return nil
}

// existing returns the torture's tables that a database has.
func existing(ctx context.Context, db *sql.DB, dsn string) (found []string, err error) {
	text := map[sides.Engine]string{
		sides.SQLite:    "select count(*) from sqlite_schema where name = ?",
		sides.Postgres:  "select count(*) from pg_catalog.pg_class where oid = to_regclass($1)",
		sides.SQLServer: "select count(*) from sys.tables where object_id = object_id(@p1)",
	}[sides.EngineOf(dsn)]
	for _, t := range tables {
		var n int
		if err := db.QueryRowContext(ctx, text, prefix+t.name).Scan(&n); err != nil {
			return nil, err
		}
		if n > 0 {
			found = append(found, prefix+t.name)
		}
	}
	return found, nil
}
