package ormtest

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"gorm.io/driver/postgres"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
)

// playVendors runs a script on pgx alone, and on PostgreSQL with SQL Server as the secondary, and compares what was noted and the rows
// of all tables of the pair. The script speaks PostgreSQL's dialect alone.
func playVendors(t *testing.T, script func(*target)) {
	t.Helper()
	c := testdb.Clusters(t, 1)[0]
	want := run(t, "pgx", c.CreateDatabase(t), script)
	primary, secondary := c.CreateDatabase(t), sqlserver.Servers(t, 2)[1].CreateDatabase(t)
	notes := run(t, dualsql.Name, fmt.Sprintf("primary='%s' secondary='%s' journal='%s' commit=2pc", primary, secondary, t.TempDir()), script)
	for i := range max(len(want), len(notes)) {
		if w, n := at(want, i), at(notes, i); w != n {
			t.Errorf("\n pgx:     %s\n dualsql: %s", w, n)
		}
	}
	p, s := opened(t, "pgx", primary), opened(t, "sqlserver", secondary)
	tables := column(t, p, "select tablename from pg_tables where schemaname = 'public' order by 1")
	if others := column(t, s, "select name from sys.tables where schema_id = schema_id(N'dbo') order by 1"); !slices.Equal(tables, others) || len(tables) == 0 {
		t.Fatalf("the primary has the tables %q, the secondary %q", tables, others)
	}
	for _, table := range tables {
		names := column(t, p, "select attname::text from pg_attribute where attrelid = '\""+table+"\"'::regclass and attnum > 0 and not attisdropped order by 1")
		list := `"` + strings.Join(names, `", "`) + `"`
		if a, b := rowsOf(t, p, list, table), rowsOf(t, s, list, table); !slices.Equal(a, b) {
			t.Errorf("%s (%s) differs:\n primary   %q\n secondary %q", table, list, a, b)
		}
	}
}

func opened(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// rowsOf are a table's rows as sorted text, which is the same on both engines.
func rowsOf(t *testing.T, db *sql.DB, columns, table string) []string {
	t.Helper()
	rows, err := db.Query("select " + columns + ` from "` + table + `"`)
	if err != nil {
		t.Fatalf("%s: %v", table, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		values := make([]any, strings.Count(columns, `", "`)+1)
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			switch v := v.(type) {
			case []byte:
				values[i] = string(v)
			case time.Time:
				values[i] = v.UTC().Format(time.RFC3339Nano)
			case nil:
				values[i] = "NULL"
			}
		}
		all = append(all, fmt.Sprintf("%q", values))
	}
	slices.Sort(all)
	return all
}

// GORM's own texts for PostgreSQL are enough: AutoMigrate and the migrator change both sides.
func TestGORMVendors(t *testing.T) {
	playVendors(t, func(x *target) {
		db := openGORM(x, postgres.New(postgres.Config{Conn: x.db}), nil)
		gormScript(x, db)
		gormMigrateAgain(x, db)
		gormErrors(x, db)
	})
}

// bun's migrator, and the tables that it keeps.
func TestBunMigrateVendors(t *testing.T) { playVendors(t, bunMigrateScript) }

// A migration says once what both sides get. What cannot be said there names the way: a text of its own.
func TestGooseVendors(t *testing.T) {
	playVendors(t, func(x *target) {
		p, err := goose.NewProvider(goose.DialectPostgres, x.db, migrations(x, "testdata/vendors"))
		x.must(err)
		_, err = p.Up(x.Context())
		x.must(err)
		_, err = x.db.Exec("INSERT INTO invoice (customer, total) SELECT id, 12.5 FROM customer")
		x.must(err)
		_, err = p.DownTo(x.Context(), 2)
		x.must(err)
		_, err = p.Up(x.Context())
		x.must(err)
		version, err := p.GetDBVersion(x.Context())
		x.note("version", version, err)
	})
}
