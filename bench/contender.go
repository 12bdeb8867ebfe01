package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// contender is one way to write to two databases.
type contender struct {
	result.Contender
	// writesOnly: it reads as plain pgx does, from one database, so there is nothing to compare.
	writesOnly bool
	// sides is how many databases it writes.
	sides int
	// exact: what the database computes is carried over too. Otherwise the text of a statement is run twice, and its clock and its
	// sequences with it.
	exact bool
	// pooled: it runs on Pgpool-II's address, and not on the two databases.
	pooled bool
	open   func(p place) (client, error)
}

// place is where a contender runs.
type place struct {
	dsn     [2]string // the two databases, by the path with the cell's delay
	pgpool  string    // Pgpool-II in front of them, if the contender is pooled
	dir     string    // for what it keeps on disk, from one cell to the next
	clients int
}

// journal is the directory of dualsql's journal.
func (p place) journal() string { return filepath.Join(p.dir, "journal") }

// client is a contender at work. perform is called by many goroutines.
type client interface {
	perform(ctx context.Context, tx []statement) error
	close() error
}

// openPool keeps as many connections as there are clients.
func openPool(dsn string, clients int) (*sql.DB, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	return limited(db, clients), nil
}

func limited(db *sql.DB, clients int) *sql.DB {
	db.SetMaxOpenConns(clients)
	db.SetMaxIdleConns(clients)
	return db
}

// runner is what runs a statement: a *sql.DB, *sql.Tx or *sql.Conn.
type runner interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

func run(ctx context.Context, on runner, s statement) error {
	if !s.read {
		_, err := on.ExecContext(ctx, s.text, s.args...)
		return err
	}
	rows, err := on.QueryContext(ctx, s.text, s.args...)
	if err != nil {
		return err
	}
	return consume(rows)
}

// consume takes the values of all rows over into Go.
func consume(rows *sql.Rows) error {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// single is a client that has one *sql.DB: plain pgx, Pgpool-II, dualsql. A statement alone needs no BEGIN.
type single struct{ db *sql.DB }

func (c *single) perform(ctx context.Context, tx []statement) error {
	if len(tx) == 1 {
		return run(ctx, c.db, tx[0])
	}
	open, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer open.Rollback()
	for _, s := range tx {
		if err := run(ctx, open, s); err != nil {
			return err
		}
	}
	return open.Commit()
}

func (c *single) close() error { return c.db.Close() }

func openPlain(p place) (client, error) {
	db, err := openPool(p.dsn[0], p.clients)
	return &single{db}, err
}

// The names that goals, tables and the default plan use.
const (
	plain    = "pgx"
	byHand   = "best-effort by hand"
	textbook = "textbook 2pc by hand"
	pooled   = "Pgpool-II"
	both     = "dualsql 2pc both"
	decided  = "dualsql 2pc decided"
)

func contenders() []contender {
	return slices.Concat([]contender{
		{Contender: result.Contender{Name: plain, About: "one database, by pgx alone: the floor"}, sides: 1, open: openPlain},
		{Contender: result.Contender{Name: "naive", About: "each statement on one database, then on the other, committed by itself: any crash or failure tears"},
			writesOnly: true, sides: 2, open: openNaive},
		{Contender: result.Contender{Name: byHand, About: "begin both, write both, commit one, then the other: a crash between the commits tears"},
			writesOnly: true, sides: 2, open: openByHand},
		{Contender: result.Contender{Name: textbook, About: "prepare both, write the decision to a file and sync it, commit both prepared; one call after the other"},
			writesOnly: true, sides: 2, open: openTextbook(false)},
		{Contender: result.Contender{Name: textbook + ", parallel", About: "the same, with PREPARE and COMMIT PREPARED sent to both at the same time"},
			writesOnly: true, sides: 2, open: openTextbook(true)},
		{Contender: result.Contender{Name: pooled, About: "Pgpool-II in native replication mode on the client's machine: a crash between its commits tears"},
			sides: 2, pooled: true, open: openPgpool},
	}, dualContenders())
}

// named returns the contenders that a list names, "all" for all.
func named(all []contender, list string) ([]contender, error) {
	return pick(all, list, func(c contender) string { return c.Name }, "contender")
}

// short makes a name that files and databases can have.
func short(name string) string {
	return strings.NewReplacer(" ", "_", ",", "", "-", "_").Replace(strings.ToLower(name))
}
