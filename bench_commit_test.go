package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
)

// BenchmarkCommit compares transactions of one UPDATE under commit=2pc with what a program would write by hand: begin on
// both sides, update both, commit both, one call after the other, which a crash between the last two tears. The servers sync
// every commit, as the journal does. The ratios are of throughput: above 1, dualsql is faster. Bare are the protocol's own messages,
// sent by pgx: what no program around them can do faster.
func BenchmarkCommit(b *testing.B) {
	synced := map[string]string{"fsync": "on"}
	clusters := [2]*testdb.Cluster{testdb.StartCluster(b, synced), testdb.StartCluster(b, synced)}
	for _, delay := range []time.Duration{0, time.Millisecond} {
		for _, clients := range []int{1, 16} {
			b.Run(fmt.Sprintf("delay=%v/clients=%d", delay, clients), func(b *testing.B) {
				hand := newContender(b, clusters, delay, clients, byHand)
				contestants := []*contender{hand}
				for _, ack := range []dualsql.Ack{dualsql.AckBoth, dualsql.AckDecided} {
					contestants = append(contestants, newContender(b, clusters, delay, clients, through(ack)))
				}
				contestants = append(contestants, newContender(b, clusters, delay, clients, bareTwoPhase))
				for _, c := range contestants {
					c.round(clients) // connections, caches, prepared statements
				}
				medians := inTurns(b, contestants, func(c *contender, _ int) { c.round(clients) })
				b.ReportMetric(medians[0]/float64(perRound*clients), "byhand-µs/tx")
				b.ReportMetric(medians[0]/medians[1], "both/byhand")
				b.ReportMetric(medians[0]/medians[2], "decided/byhand")
				b.ReportMetric(medians[0]/medians[3], "bare/byhand")
				b.ReportMetric(medians[3]/medians[1], "both/bare")
			})
		}
	}
}

// inTurns times the contenders, one after the other and each turn from another on, so that what else the machine does meets all of
// them alike. It returns the medians, in microseconds.
func inTurns(b *testing.B, contestants []*contender, run func(c *contender, turn int)) []float64 {
	times := make([][]float64, len(contestants))
	for turn := 0; b.Loop(); turn++ {
		for i := range contestants {
			i = (i + turn) % len(contestants)
			start := time.Now()
			run(contestants[i], turn)
			times[i] = append(times[i], float64(time.Since(start))/1000)
		}
	}
	b.ReportMetric(0, "ns/op") // of all together, which tells nothing
	medians := make([]float64, len(contestants))
	for i, t := range times {
		slices.Sort(t)
		medians[i] = t[len(t)/2]
	}
	return medians
}

// perRound is how many transactions each client makes in its turn.
const perRound = 64

type contender struct {
	b  *testing.B
	tx func(id int) error
}

// round runs perRound transactions for each client.
func (c *contender) round(clients int) {
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for range perRound {
				if err := c.tx(1 + rand.IntN(benchRows)); err != nil {
					c.b.Error(err)
				}
			}
		})
	}
	group.Wait()
}

const (
	benchRows   = 10_000
	benchUpdate = "update account set balance = balance + 1 where id = $1"
)

// newContender makes a pair of databases of its own, behind the delay.
func newContender(b *testing.B, clusters [2]*testdb.Cluster, delay time.Duration, clients int, open func(b *testing.B, dsn [2]string, clients int) func(id int) error) *contender {
	var dsn [2]string
	for side, cluster := range clusters {
		dsn[side] = cluster.CreateDatabase(b)
		db, err := sql.Open("pgx", dsn[side])
		benchNil(b, err)
		for _, text := range []string{
			"create table account (id int primary key, balance bigint not null) with (fillfactor = 50)",
			"create table entry (id bigint generated always as identity primary key, account int, at timestamptz default now())",
			fmt.Sprintf("insert into account select n, 0 from generate_series(1, %d) n", benchRows),
			"vacuum analyze account",
		} {
			_, err := db.Exec(text)
			benchNil(b, err)
		}
		benchNil(b, db.Close())
		if delay > 0 {
			u, err := url.Parse(dsn[side])
			benchNil(b, err)
			p := chaos.NewProxy(b, u.Host)
			p.Delay(delay)
			dsn[side] = chaos.Via(dsn[side], p)
		}
	}
	return &contender{b, open(b, dsn, clients)}
}

func pool(b *testing.B, db *sql.DB, err error, clients int) *sql.DB {
	benchNil(b, err)
	db.SetMaxOpenConns(clients)
	db.SetMaxIdleConns(clients)
	b.Cleanup(func() { benchNil(b, db.Close()) })
	return db
}

func byHand(b *testing.B, dsn [2]string, clients int) func(id int) error {
	ctx := context.Background()
	var sides [2]*sql.DB
	for i := range sides {
		db, err := sql.Open("pgx", dsn[i])
		sides[i] = pool(b, db, err, clients)
	}
	return func(id int) error {
		var open [2]*sql.Tx
		for i, db := range sides {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			open[i] = tx
		}
		for _, tx := range open {
			if _, err := tx.ExecContext(ctx, benchUpdate, id); err != nil {
				return err
			}
		}
		if err := open[0].Commit(); err != nil {
			return err
		}
		return open[1].Commit()
	}
}

// bareTwoPhase sends what dualsql sends, in as few messages, but for the journal, the look at the catalog and the deletion of markers.
func bareTwoPhase(b *testing.B, dsn [2]string, clients int) func(id int) error {
	ctx := context.Background()
	type pair [2]*pgconn.PgConn
	free := make(chan pair, clients)
	for range clients {
		var p pair
		for side := range p {
			conn, err := pgconn.Connect(ctx, dsn[side])
			benchNil(b, err)
			b.Cleanup(func() { benchNil(b, conn.Close(ctx)) })
			benchNil(b, conn.Exec(ctx, "create table if not exists marker (txid uuid primary key, state text not null, journal uuid not null, at timestamptz not null default now())").Close())
			for name, text := range map[string]string{"begin": "begin", "change": benchUpdate, "mark": "insert into marker (txid, state, journal) values ($1, 'C', $2)", "commit": "commit"} {
				_, err := conn.Prepare(ctx, name, text, nil)
				benchNil(b, err)
			}
			p[side] = conn
		}
		free <- p
	}
	journal := []byte(uuid.New().String())
	return func(id int) error {
		p := <-free
		defer func() { free <- p }()
		txid := []byte(uuid.New().String())
		run := func(side int, last string, prepared ...string) error {
			pipeline := p[side].StartPipeline(ctx)
			for _, name := range prepared {
				var values [][]byte
				switch name {
				case "change":
					values = [][]byte{[]byte(strconv.Itoa(id))}
				case "mark":
					values = [][]byte{txid, journal}
				}
				pipeline.SendQueryPrepared(name, values, nil, nil)
			}
			if last != "" {
				pipeline.SendQueryParams(last+" transaction 'bare:"+string(txid)+"'", nil, nil, nil, nil)
			}
			return errors.Join(pipeline.Sync(), pipeline.Close())
		}
		if err := run(0, "", "begin", "change"); err != nil {
			return err
		}
		if err := run(1, "prepare", "begin", "change", "mark"); err != nil {
			return err
		}
		if err := run(0, "", "mark", "commit"); err != nil {
			return err
		}
		return p[1].Exec(ctx, "commit prepared 'bare:"+string(txid)+"'").Close()
	}
}

func openTwoPhase(b *testing.B, dsn [2]string, clients int, change func(*dualsql.Config)) *sql.DB {
	cfg := dualsql.NewConfig()
	cfg.Primary.DSN, cfg.Secondary.DSN = dsn[0], dsn[1]
	cfg.Journal = filepath.Join(b.TempDir(), "journal")
	cfg.Commit = dualsql.TwoPhase
	cfg.Logger = slog.New(slog.DiscardHandler)
	change(cfg)
	connector, err := dualsql.NewConnector(cfg)
	benchNil(b, err)
	return pool(b, sql.OpenDB(connector), nil, clients)
}

func through(ack dualsql.Ack) func(b *testing.B, dsn [2]string, clients int) func(id int) error {
	return func(b *testing.B, dsn [2]string, clients int) func(id int) error {
		db := openTwoPhase(b, dsn, clients, func(c *dualsql.Config) { c.Ack = ack })
		ctx := context.Background()
		return func(id int) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.ExecContext(ctx, benchUpdate, id); err != nil {
				return err
			}
			return tx.Commit()
		}
	}
}
