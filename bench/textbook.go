package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// textbookCommit is two-phase commit as textbooks have it: both databases prepare, the coordinator makes its decision durable, and both
// commit. It has no recovery, which would read the file.
type textbookCommit struct {
	pools
	decisions *os.File
	parallel  bool
}

func openTextbook(parallel bool) func(place) (client, error) {
	return func(p place) (client, error) {
		sides, err := openPools(p)
		if err != nil {
			return nil, err
		}
		file, err := os.OpenFile(filepath.Join(p.dir, "decisions"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		return &textbookCommit{sides, file, parallel}, nil
	}
}

func (t *textbookCommit) close() error { return errors.Join(t.decisions.Close(), t.pools.close()) }

func (t *textbookCommit) perform(ctx context.Context, tx []statement) error {
	var open [2]*sql.Conn
	for i, db := range t.pools {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		open[i] = conn
	}
	name := rand.Text()
	if err := t.prepare(ctx, open, tx, name); err != nil {
		for _, conn := range open { // one of these fails on each: it is either open or prepared
			_, _ = conn.ExecContext(ctx, "rollback")
			_, _ = conn.ExecContext(ctx, "rollback prepared '"+name+"'")
		}
		return err
	}
	if err := t.decide(name); err != nil {
		return err
	}
	return t.each(open, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "commit prepared '"+name+"'")
		return err
	})
}

func (t *textbookCommit) prepare(ctx context.Context, open [2]*sql.Conn, tx []statement, name string) error {
	for _, conn := range open {
		if _, err := conn.ExecContext(ctx, "begin"); err != nil {
			return err
		}
	}
	for _, s := range tx {
		for _, conn := range on(open, s) {
			if err := run(ctx, conn, s); err != nil {
				return err
			}
		}
	}
	return t.each(open, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "prepare transaction '"+name+"'")
		return err
	})
}

// decide makes the decision durable. Its callers do not wait for each other: the file system makes one write of the syncs that
// meet.
func (t *textbookCommit) decide(name string) error {
	if _, err := fmt.Fprintln(t.decisions, name, "commit"); err != nil {
		return err
	}
	return t.decisions.Sync()
}

func (t *textbookCommit) each(open [2]*sql.Conn, do func(*sql.Conn) error) error {
	if !t.parallel {
		if err := do(open[0]); err != nil {
			return err
		}
		return do(open[1])
	}
	second := make(chan error, 1)
	go func() { second <- do(open[1]) }()
	return errors.Join(do(open[0]), <-second)
}
