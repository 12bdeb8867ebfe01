// Command compose writes a few rows to PostgreSQL and to SQL Server in transactions that are on both or on neither, and prints
// what each side has. The environment names the two databases and the journal: see compose.yaml.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"  // "pgx"
	_ "github.com/microsoft/go-mssqldb" // "sqlserver"

	"github.com/dualsql/dualsql"
)

// The table, in the primary's words: dualsql gives SQL Server the same in its own.
const table = `create table if not exists item (
	id uuid primary key, name varchar(100) not null, price numeric(10, 2) not null, added timestamptz not null)`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv("PRIMARY"), os.Getenv("SECONDARY"), os.Getenv("JOURNAL")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, primary, secondary, journal string) error {
	if err := createDatabase(ctx, secondary); err != nil {
		return err
	}
	cfg := dualsql.NewConfig()
	cfg.Primary.DSN, cfg.Secondary.DSN, cfg.Journal = primary, secondary, journal
	cfg.Commit = dualsql.TwoPhase
	connector, err := dualsql.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.ExecContext(ctx, table); err != nil {
		return report(err)
	}
	for _, order := range [][]string{{"bread", "butter"}, {"Käse 🧀"}} {
		if err := add(ctx, db, order); err != nil {
			return report(err)
		}
	}
	if err := show(ctx, "pgx", primary); err != nil {
		return err
	}
	return show(ctx, "sqlserver", secondary)
}

// add inserts the items in one transaction. Ids and times are made here, and not by the databases: so both sides have the same.
func add(ctx context.Context, db *sql.DB, names []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	for _, name := range names {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "insert into item (id, name, price, added) values ($1, $2, $3, $4)",
			id, name, "2.50", time.Now().UTC()); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// report says what has become of a transaction whose commit has not returned nil.
func report(err error) error {
	var inDoubt *dualsql.InDoubtError
	var halfDone *dualsql.HalfDoneError
	switch {
	case errors.As(err, &inDoubt):
		return fmt.Errorf("not known yet, do not run it again: %w", err)
	case errors.As(err, &halfDone):
		return fmt.Errorf("committed, and still on its way to the other side: %w", err)
	}
	return fmt.Errorf("on neither side: %w", err)
}

// show prints what one side has, read past dualsql.
func show(ctx context.Context, driver, dsn string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "select cast(id as char(36)), name, cast(price as varchar(20)), added from item order by added, name")
	if err != nil {
		return err
	}
	defer rows.Close()
	fmt.Println(driver)
	for rows.Next() {
		var id, name, price string
		var added time.Time
		if err := rows.Scan(&id, &name, &price, &added); err != nil {
			return err
		}
		fmt.Println(" ", uuid.MustParse(id), added.UTC().Format(time.RFC3339Nano), price, name)
	}
	return rows.Err()
}

// createDatabase creates the database that a SQL Server URL names, if it cannot be opened.
func createDatabase(ctx context.Context, dsn string) error {
	if exec(ctx, "sqlserver", dsn, "select 1") == nil {
		return nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("SECONDARY is no URL") // the parser's error may show the password
	}
	q := u.Query()
	name := q.Get("database")
	q.Set("database", "master")
	u.RawQuery = q.Encode()
	return exec(ctx, "sqlserver", u.String(), "declare @text nvarchar(200) = N'create database ' + quotename(@p1); exec(@text)", name)
}

func exec(ctx context.Context, driver, dsn, text string, args ...any) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, text, args...)
	return err
}
