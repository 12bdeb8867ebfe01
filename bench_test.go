package dualsql_test

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

// benchPair is what the benchmarks run on: dualsql on two clusters, and pgx on the same two databases.
type benchPair struct {
	dual               *sql.DB
	primary, secondary *sql.DB
}

func openBenchPair(b *testing.B, commit dualsql.Protocol) *benchPair {
	clusters := testdb.Clusters(b, 2)
	cfg := dualsql.NewConfig()
	cfg.Primary.DSN, cfg.Secondary.DSN = clusters[0].CreateDatabase(b), clusters[1].CreateDatabase(b)
	cfg.Journal = filepath.Join(b.TempDir(), "journal")
	cfg.Commit = commit
	cfg.Logger = slog.New(slog.DiscardHandler)
	connector, err := dualsql.NewConnector(cfg)
	if err != nil {
		b.Fatal(err)
	}
	p := &benchPair{dual: sql.OpenDB(connector)}
	b.Cleanup(func() { benchNil(b, p.dual.Close()) })
	for _, side := range []struct {
		db  **sql.DB
		dsn string
	}{{&p.primary, cfg.Primary.DSN}, {&p.secondary, cfg.Secondary.DSN}} {
		db, err := sql.Open("pgx", side.dsn)
		benchNil(b, err)
		b.Cleanup(func() { benchNil(b, db.Close()) })
		*side.db = db
	}
	for _, text := range []string{
		"create table item (id int primary key, name text not null, price bigint not null)",
		"insert into item select n, 'item ' || n, n * 10 from generate_series(1, 1000) n",
	} {
		_, err := p.dual.Exec(text)
		benchNil(b, err)
	}
	for _, db := range []*sql.DB{p.primary, p.secondary} {
		_, err := db.Exec("vacuum analyze item")
		benchNil(b, err)
	}
	return p
}

func benchNil(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// contest times two ways to do the same in short batches, each in turn, so that what slows the machine down for a while
// slows down both. It reports the ratio of the medians, and the allocations of each.
func contest(b *testing.B, batch int, dual, plain func()) {
	names := [2]string{"dual", "plain"}
	run := [2]func(){dual, plain}
	var times [2][]float64
	var mallocs [2]uint64
	for range 2 * batch { // caches, connections, prepared statements
		dual()
		plain()
	}
	rounds := 0
	var before, after runtime.MemStats
	b.ResetTimer()
	for b.Loop() {
		for turn := range run {
			i := (turn + rounds) % 2
			runtime.ReadMemStats(&before)
			start := time.Now()
			for range batch {
				run[i]()
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			times[i] = append(times[i], float64(took.Nanoseconds())/float64(batch))
			mallocs[i] += after.Mallocs - before.Mallocs
		}
		rounds++
	}
	var medians, allocs [2]float64
	for i := range run {
		slices.Sort(times[i])
		medians[i] = times[i][len(times[i])/2]
		allocs[i] = float64(mallocs[i]) / float64(rounds*batch)
		b.ReportMetric(medians[i]/1000, names[i]+"-µs")
		b.ReportMetric(allocs[i], names[i]+"-allocs")
	}
	b.ReportMetric(medians[0]/medians[1], "time-ratio")
	b.ReportMetric(allocs[0]-allocs[1], "extra-allocs")
	b.ReportMetric(0, "ns/op") // of a round of both, which tells nothing
}

// BenchmarkRead compares reads through dualsql with the same through pgx alone.
func BenchmarkRead(b *testing.B) {
	p := openBenchPair(b, dualsql.Marker)
	ctx := context.Background()
	scan := func(rows *sql.Rows, err error, want int) {
		benchNil(b, err)
		var id, n int
		var name string
		var price int64
		for rows.Next() {
			benchNil(b, rows.Scan(&id, &name, &price))
			n++
		}
		benchNil(b, rows.Err())
		benchNil(b, rows.Close())
		if n != want {
			b.Fatalf("%d rows, want %d", n, want)
		}
	}
	const point, all = "select id, name, price from item where id = $1", "select id, name, price from item"
	text := func(db *sql.DB) func() {
		return func() {
			rows, err := db.QueryContext(ctx, point, 500)
			scan(rows, err, 1)
		}
	}
	prepared := func(db *sql.DB) func() {
		st, err := db.PrepareContext(ctx, point)
		benchNil(b, err)
		b.Cleanup(func() { benchNil(b, st.Close()) })
		return func() {
			rows, err := st.QueryContext(ctx, 500)
			scan(rows, err, 1)
		}
	}
	thousand := func(db *sql.DB) func() {
		return func() {
			rows, err := db.QueryContext(ctx, all)
			scan(rows, err, 1000)
		}
	}
	b.Run("point", func(b *testing.B) { contest(b, 50, text(p.dual), text(p.primary)) })
	b.Run("prepared", func(b *testing.B) { contest(b, 50, prepared(p.dual), prepared(p.primary)) })
	b.Run("rows=1000", func(b *testing.B) { contest(b, 10, thousand(p.dual), thousand(p.primary)) })
}

// BenchmarkWrite compares an UPDATE through dualsql with what a program would write by hand without it: a transaction on
// each side, one after the other, that a crash in between leaves on one side.
func BenchmarkWrite(b *testing.B) {
	ctx := context.Background()
	const text = "update item set price = price + 1 where id = $1"
	for _, commit := range []dualsql.Protocol{dualsql.Marker, dualsql.BestEffort} {
		b.Run(string(commit), func(b *testing.B) {
			p := openBenchPair(b, commit)
			byHand := func() {
				first, err := p.primary.BeginTx(ctx, nil)
				benchNil(b, err)
				second, err := p.secondary.BeginTx(ctx, nil)
				benchNil(b, err)
				for _, tx := range []*sql.Tx{first, second} {
					_, err := tx.ExecContext(ctx, text, 2)
					benchNil(b, err)
				}
				benchNil(b, first.Commit())
				benchNil(b, second.Commit())
			}
			dual := func() {
				tx, err := p.dual.BeginTx(ctx, nil)
				benchNil(b, err)
				_, err = tx.ExecContext(ctx, text, 1)
				benchNil(b, err)
				benchNil(b, tx.Commit())
			}
			contest(b, 10, dual, byHand)
		})
	}
}
