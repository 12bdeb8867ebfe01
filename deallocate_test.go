package dualsql_test

import (
	"context"
	"database/sql"
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
