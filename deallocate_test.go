package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/dualsql/dualsql"
)

// TestDeallocateAll: a text that drops what a session has prepared does not make the next statements fail, whoever had prepared them.
func TestDeallocateAll(t *testing.T) {
	ctx := context.Background()
	for _, mode := range []string{"cache_statement", "cache_describe", "simple_protocol"} {
		for _, text := range []string{"deallocate all", "DEALLOCATE PREPARE ALL", "close all; deallocate all", "insert into entry values (100, 'x'); deallocate all", "discard all", `prepare "ALL" as select; deallocate "ALL"`} {
			t.Run(mode+"/"+text, func(t *testing.T) {
				w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "mirror=mixed")
				for side := range w.raw {
					w.dsn[side] += "&default_query_exec_mode=" + mode
				}
				n := w.open()
				n.SetMaxOpenConns(1)
				id := 0
				write := func(on executor) {
					t.Helper()
					for range 2 {
						id++
						if _, err := on.ExecContext(ctx, "insert into entry values ($1, 'x')", id); err != nil {
							t.Error(err)
						}
						var v string
						if rows, err := on.QueryContext(ctx, "select v from entry where id = $1", id); err != nil || !rows.Next() || rows.Scan(&v) != nil || rows.Close() != nil {
							t.Error(err)
						}
					}
				}
				write(n.DB)
				if _, err := n.ExecContext(ctx, text); err != nil {
					t.Fatal(err)
				}
				write(n.DB)
				if text != "discard all" { // which cannot be run inside a transaction
					tx, err := n.BeginTx(ctx, &sql.TxOptions{})
					if err != nil {
						t.Fatal(err)
					}
					defer tx.Rollback()
					write(tx)
					if _, err := tx.ExecContext(ctx, "delete from entry where id = 100; "+text); err != nil {
						t.Fatal(err)
					}
					write(tx)
					if err := tx.Commit(); err != nil {
						t.Error(err)
					}
				}
				write(n.DB)
				w.close(n)
				w.sameEverywhere()
			})
		}
	}
}

// TestPreparedForATableThatIsGone: the error is the primary's own, as if it had run the statement, and ends the transaction there.
func TestPreparedForATableThatIsGone(t *testing.T) {
	ctx := context.Background()
	for _, secondary := range []string{"postgres", "sqlite"} {
		for _, mirror := range []string{"statement", "mixed"} {
			t.Run(secondary+"/"+mirror, func(t *testing.T) {
				w := newWorld(t, [2]string{"postgres", secondary}, dualsql.TwoPhase, "mirror="+mirror)
				n := w.open()
				n.SetMaxOpenConns(1)
				if _, err := n.Exec("create table gone (id bigint primary key)"); err != nil {
					t.Fatal(err)
				}
				kept, err := n.Prepare("insert into gone values ($1)")
				if err != nil {
					t.Fatal(err)
				}
				defer kept.Close()
				if _, err := n.Exec("drop table gone"); err != nil {
					t.Fatal(err)
				}
				if _, err := kept.Exec(1); diffClassify(err) != "SQLSTATE 42P01" {
					t.Errorf("outside of a transaction: %v", err)
				}
				tx, err := n.BeginTx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Rollback()
				var side *dualsql.SideError
				if _, err := tx.Stmt(kept).Exec(1); diffClassify(err) != "SQLSTATE 42P01" || errors.As(err, &side) {
					t.Errorf("in a transaction: %v", err)
				}
				if _, err := tx.Exec("insert into entry values (1, 'x')"); diffClassify(err) != "SQLSTATE 25P02" {
					t.Errorf("after it: %v", err)
				}
			})
		}
	}
}
