package dualsql_test

import (
	"context"
	"testing"

	"github.com/dualsql/dualsql"
)

// BenchmarkBudget is what a transaction may cost the client: CI prints its allocations beside those of bench/budget.txt. Times are
// the machine's.
func BenchmarkBudget(b *testing.B) {
	ctx := context.Background()
	p := openBenchPair(b, dualsql.TwoPhase)
	_, err := p.dual.Exec("create table made (id bigint generated always as identity primary key, item int, at timestamptz default now())")
	benchNil(b, err)
	update := func(on executor, id int) {
		_, err := on.ExecContext(ctx, "update item set price = price + 1 where id = $1", id)
		benchNil(b, err)
	}
	for _, c := range []struct {
		name string
		do   func(i int)
	}{
		{"select", func(i int) {
			var name string
			benchNil(b, p.dual.QueryRowContext(ctx, "select name from item where id = $1", 1+i%1000).Scan(&name))
		}},
		{"update", func(i int) { update(p.dual, 1+i%1000) }},
		{"ten updates", func(i int) {
			tx, err := p.dual.BeginTx(ctx, nil)
			benchNil(b, err)
			for n := range 10 {
				update(tx, 1+(10*i+n)%1000)
			}
			benchNil(b, tx.Commit())
		}},
		{"insert with identity", func(i int) {
			_, err := p.dual.ExecContext(ctx, "insert into made (item) values ($1)", i)
			benchNil(b, err)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for i := range 50 { // connections, caches, prepared statements
				c.do(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.do(i)
			}
		})
	}
}
