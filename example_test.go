package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/dualsql/dualsql"
)

// exampleDSN is the DSN of two SQLite files and a journal in a new directory. In a program it is read from the
// configuration, such as
//
//	primary='postgres://app@db0/shop' secondary='postgres://app@db1/shop' journal=/var/lib/shop/dualsql
func exampleDSN() (dsn string, remove func()) {
	dir, err := os.MkdirTemp("", "dualsql-example-")
	if err != nil {
		log.Fatal(err)
	}
	dsn = fmt.Sprintf("primary='%s' secondary='%s' journal='%s'", sqliteDSN(dir, "a"), sqliteDSN(dir, "b"), filepath.ToSlash(filepath.Join(dir, "journal")))
	return dsn, func() { _ = os.RemoveAll(dir) }
}

// peek reads one number from the secondary itself, which dualsql never reads from.
func peek(dsn, query string) int {
	cfg, err := dualsql.ParseDSN(dsn)
	if err != nil {
		log.Fatal(err)
	}
	db, err := sql.Open("sqlite", cfg.Secondary.DSN)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow(query).Scan(&n); err != nil {
		log.Fatal(err)
	}
	return n
}

// One *sql.DB stands for both databases. Placeholders are ?, $1, @p1 or named, whatever the databases take themselves.
func Example() {
	dsn, remove := exampleDSN()
	defer remove()
	db, err := sql.Open("dualsql", dsn)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("create table account (id integer primary key, balance integer not null)"); err != nil {
		log.Fatal(err)
	}
	if _, err := db.Exec("insert into account values (?, ?), (?, ?)", 1, 100, 2, 0); err != nil {
		log.Fatal(err)
	}

	tx, err := db.Begin()
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("update account set balance = balance - $1 where id = $2", 30, 1); err != nil {
		log.Fatal(err)
	}
	if _, err := tx.Exec("update account set balance = balance + @amount where id = @id", sql.Named("id", 2), sql.Named("amount", 30)); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	var balance int
	if err := db.QueryRow("select balance from account where id = ?", 2).Scan(&balance); err != nil {
		log.Fatal(err)
	}
	fmt.Println("primary:", balance)
	fmt.Println("secondary:", peek(dsn, "select balance from account where id = 2"))
	// Output:
	// primary: 30
	// secondary: 30
}

func ExampleParseDSN() {
	cfg, err := dualsql.ParseDSN(`primary='postgres://app:secret@db0/shop' secondary='postgres://app:secret@db1/shop'
		journal=/var/lib/shop/dualsql commit_timeout=5s`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cfg.CommitTimeout, cfg.LockTimeout)
	fmt.Println(cfg.Primary.DSN)

	_, err = dualsql.ParseDSN("primary=file:a.db secondary=file:b.db")
	fmt.Println(err)
	// Output:
	// 5s 10s
	// postgres://app:secret@db0/shop
	// dualsql: journal is missing: it takes a directory on a local disk, such as /var/lib/app/dualsql
}

func ExampleConfig_Redacted() {
	cfg := dualsql.NewConfig()
	cfg.Primary.DSN = "postgres://app:secret@db0/shop"
	cfg.Secondary.DSN = "postgres://app:secret@db1/shop"
	cfg.Journal = "/var/lib/shop/dualsql"
	fmt.Println(cfg.Redacted())
	// Output:
	// primary=postgres://app:xxxxx@db0/shop secondary=postgres://app:xxxxx@db1/shop journal=/var/lib/shop/dualsql
}

// A Config can say what a DSN cannot: a logger, or connectors that make the connections.
func ExampleNewConnector() {
	dsn, remove := exampleDSN()
	defer remove()
	cfg, err := dualsql.ParseDSN(dsn)
	if err != nil {
		log.Fatal(err)
	}
	cfg.Divergence = dualsql.DivergenceWarn
	connector, err := dualsql.NewConnector(cfg)
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if err := db.Ping(); err != nil {
		log.Fatal(err)
	}
	stats, err := connector.Stats()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("commit protocol:", stats.Protocol)
	// Output:
	// commit protocol: marker
}

// The connector behind a pool tells what is open, for a health check.
func ExampleFromDB() {
	dsn, remove := exampleDSN()
	defer remove()
	db, err := sql.Open("dualsql", dsn)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	connector, err := dualsql.FromDB(db)
	if err != nil {
		log.Fatal(err)
	}
	pending, err := connector.Pending()
	if err != nil {
		log.Fatal(err)
	}
	for _, tx := range pending {
		fmt.Println(tx.TxID, tx.State, tx.Problem)
	}
	fmt.Println(len(pending), "open")
	// Output:
	// 0 open
}

// WithPrimaryOnly keeps a write from the secondary, here a cache that only this side needs.
func ExampleWithPrimaryOnly() {
	dsn, remove := exampleDSN()
	defer remove()
	db, err := sql.Open("dualsql", dsn)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("create table cache (k text, v text)"); err != nil {
		log.Fatal(err)
	}
	ctx := dualsql.WithPrimaryOnly(context.Background())
	if _, err := db.ExecContext(ctx, "insert into cache values ('a', 'b')"); err != nil {
		log.Fatal(err)
	}
	var n int
	if err := db.QueryRow("select count(*) from cache").Scan(&n); err != nil {
		log.Fatal(err)
	}
	fmt.Println("primary:", n, "secondary:", peek(dsn, "select count(*) from cache"))
	// Output:
	// primary: 1 secondary: 0
}

// CopyFrom writes many rows to both sides, here as a part of a transaction.
func ExampleCopyFrom() {
	dsn, remove := exampleDSN()
	defer remove()
	db, err := sql.Open("dualsql", dsn)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("create table square (n integer primary key, square integer)"); err != nil {
		log.Fatal(err)
	}
	squares := func(yield func([]any, error) bool) {
		for n := range 1000 {
			if !yield([]any{n, n * n}, nil) {
				return
			}
		}
	}

	ctx := context.Background()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()
	n, err := dualsql.CopyFrom(ctx, tx, "square", []string{"n", "square"}, dualsql.CopySeq(squares))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := tx.ExecContext(ctx, "delete from square where n = 0"); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("copied:", n, "secondary:", peek(dsn, "select count(*) from square"))
	// Output:
	// copied: 1000 secondary: 999
}

// A statement that affects different numbers of rows on the two sides is rolled back on both.
func ExampleDivergenceError() {
	dsn, remove := exampleDSN()
	defer remove()
	db, err := sql.Open("dualsql", dsn)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("create table stock (item text, n integer)"); err != nil {
		log.Fatal(err)
	}
	ctx := dualsql.WithPrimaryOnly(context.Background())
	if _, err := db.ExecContext(ctx, "insert into stock values ('nail', 10)"); err != nil {
		log.Fatal(err)
	}

	_, err = db.Exec("update stock set n = n - 1 where item = 'nail'")
	var divergence *dualsql.DivergenceError
	if errors.As(err, &divergence) {
		fmt.Println("primary:", divergence.Primary, "secondary:", divergence.Secondary)
	}
	var n int
	if err := db.QueryRow("select n from stock").Scan(&n); err != nil {
		log.Fatal(err)
	}
	fmt.Println("in stock:", n)
	// Output:
	// primary: 1 secondary: 0
	// in stock: 10
}

// advice says what a caller knows after Commit, and what it may do.
func advice(err error) string {
	var doubt *dualsql.InDoubtError
	var half *dualsql.HalfDoneError
	switch {
	case err == nil:
		return "committed on both sides"
	case errors.As(err, &half):
		return "committed; the " + half.Pending + " gets it later"
	case errors.As(err, &doubt):
		return "in doubt: ask Connector.Outcome for " + doubt.TxID.String()
	}
	return "rolled back on both sides: it may be tried again"
}

// The reply to the primary's COMMIT is lost, and it cannot be asked: nobody knows yet how the transaction ended.
func ExampleInDoubtError() {
	err := error(&dualsql.InDoubtError{Err: errors.New("connection reset by peer")})
	fmt.Println(advice(err))
	// Output:
	// in doubt: ask Connector.Outcome for 00000000-0000-0000-0000-000000000000
}

// The primary has committed and the secondary could not follow yet.
func ExampleHalfDoneError() {
	err := error(&dualsql.HalfDoneError{Committed: "primary", Pending: "secondary", Err: errors.New("connection refused")})
	fmt.Println(advice(err))
	// Output:
	// committed; the secondary gets it later
}
