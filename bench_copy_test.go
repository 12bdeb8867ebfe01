package dualsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

const benchCopied = 10_000

var benchMoment = time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC)

// BenchmarkCopy copies 10,000 rows in a transaction of their own: through pgx's CopyFrom to one database, and to two, one after the
// other; and through dualsql. The servers sync every commit, as the journal does.
func BenchmarkCopy(b *testing.B) {
	synced := map[string]string{"fsync": "on"}
	clusters := [2]*testdb.Cluster{testdb.StartCluster(b, synced), testdb.StartCluster(b, synced)}
	contestants := []*contender{copies(b, clusters, copiesByHand(1)), copies(b, clusters, copiesByHand(2))}
	ways := []struct {
		name   string
		change func(*dualsql.Config)
	}{
		{"2pc", func(*dualsql.Config) {}},
		{"marker", func(c *dualsql.Config) { c.Commit = dualsql.Marker }},
		{"2pc-row", func(c *dualsql.Config) { c.Mirror = dualsql.MirrorRow }},
	}
	for _, way := range ways {
		contestants = append(contestants, copies(b, clusters, func(b *testing.B, dsn [2]string) func(int) error {
			db := openTwoPhase(b, dsn, 1, way.change)
			return func(turn int) error {
				_, err := dualsql.CopyFrom(context.Background(), db, "copied", copiedColumns, &copiedRows{first: turn * benchCopied})
				return err
			}
		}))
	}
	for _, c := range contestants {
		benchNil(b, c.tx(-1)) // connections, caches
	}
	medians := inTurns(b, contestants, func(c *contender, turn int) { benchNil(b, c.tx(turn)) })
	b.ReportMetric(medians[0], "one-µs")
	b.ReportMetric(medians[1]/medians[0], "two/one")
	for i, way := range ways {
		b.ReportMetric(medians[i+2]/medians[0], way.name+"/one")
		b.ReportMetric(medians[i+2]/medians[1], way.name+"/two")
	}
}

func copies(b *testing.B, clusters [2]*testdb.Cluster, open func(b *testing.B, dsn [2]string) func(int) error) *contender {
	return newContender(b, clusters, 0, 1, func(b *testing.B, dsn [2]string, _ int) func(int) error {
		for _, one := range dsn {
			db, err := sql.Open("pgx", one)
			benchNil(b, err)
			benchNil(b, only(db.Exec("create table copied (id bigint primary key, account int not null, v text, at timestamptz)")))
			benchNil(b, db.Close())
		}
		return open(b, dsn)
	})
}

// copiesByHand copies to so many databases, one after the other, in a transaction of each.
func copiesByHand(databases int) func(b *testing.B, dsn [2]string) func(int) error {
	return func(b *testing.B, dsn [2]string) func(int) error {
		ctx := context.Background()
		var conns []*sql.Conn
		for _, one := range dsn[:databases] {
			db, err := sql.Open("pgx", one)
			c, err := pool(b, db, err, 1).Conn(ctx)
			benchNil(b, err)
			b.Cleanup(func() { benchNil(b, c.Close()) })
			conns = append(conns, c)
		}
		return func(turn int) error {
			var open []*sql.Tx
			for _, c := range conns {
				tx, err := c.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				defer tx.Rollback()
				open = append(open, tx)
				err = c.Raw(func(dc any) error {
					_, err := dc.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"copied"}, copiedColumns, &copiedRows{first: turn * benchCopied})
					return err
				})
				if err != nil {
					return err
				}
			}
			for _, tx := range open {
				if err := tx.Commit(); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

var copiedColumns = []string{"id", "account", "v", "at"}

type copiedRows struct{ first, next int }

func (r *copiedRows) Next() bool {
	r.next++
	return r.next <= benchCopied
}

func (r *copiedRows) Values() ([]any, error) {
	id := r.first + r.next
	return []any{id, id % 100, fmt.Sprintf("the text of row %d", id), benchMoment}, nil
}

func (r *copiedRows) Err() error { return nil }
