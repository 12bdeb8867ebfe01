package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/bench/internal/result"
	"github.com/dualsql/dualsql/internal/wal"
)

// The types of the journal's records that are written here: an intent, and its end. They are part of its format.
const (
	recordIntent = 'I'
	recordEnd    = 'E'
)

// transactions makes some transactions of one UPDATE, and settles them.
func (b *bench) transactions(ctx context.Context, c client, clients int, count int64) error {
	done := make(chan struct{}, count)
	for range count {
		done <- struct{}{}
	}
	t := together(ctx, c, workloads[0].next, clients, rand.Uint64(), func(int) bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	if t.first != nil || int64(len(t.times)) != count {
		return fmt.Errorf("%d transactions of %d: %w", len(t.times), count, errors.Join(t.first, ctx.Err()))
	}
	return nil
}

// fill begins a contender's journal anew, and writes n intents into it, as a transaction has left one. All have an end, or
// none.
func (b *bench) fill(ctx context.Context, p place, n func(bytes int) int64, ended bool) (ids []uuid.UUID, err error) {
	dir := p.journal()
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	c, err := b.contenders[0].open(p)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(b.transactions(ctx, c, 1, 1), c.close()); err != nil {
		return nil, err
	}
	var payload []byte
	if _, err := wal.Scan(dir, func(_ uint64, r wal.Record) error {
		if r.Type == recordIntent {
			payload = append([]byte(nil), r.Payload...)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	log, err := wal.Open(dir, wal.Options{}, nil)
	if err != nil {
		return nil, err
	}
	for range n(len(payload)) {
		id := uuid.Must(uuid.NewV7())
		_, err := log.Append(wal.Record{Type: recordIntent, TxID: id, Payload: payload})
		if err == nil && ended {
			_, err = log.Append(wal.Record{Type: recordEnd, TxID: id, Payload: []byte{byte(dualsql.Committed)}})
		}
		if err != nil {
			return nil, errors.Join(err, log.Close())
		}
		ids = append(ids, id)
	}
	return ids, log.Close()
}

// openingJournal compares opening a journal in which nothing is open with reading its files. Both find them in the operating
// system's cache.
func openingJournal(ctx context.Context, b *bench, _ *result.Run, c *curve, mib int64) error {
	p, err := b.world.place(ctx, b.contenders[0], 0, 1)
	if err != nil {
		return err
	}
	const frames = 2*40 + 16 // around an intent and its end
	if _, err := b.fill(ctx, p, func(bytes int) int64 { return mib << 20 / int64(bytes+frames) }, true); err != nil {
		return err
	}
	var ratios []float64
	for round := range b.rounds {
		var took [2]time.Duration
		for _, i := range rotated(len(took), round) {
			start := time.Now()
			if i == 0 {
				err = openOnce(p)
			} else {
				err = readFiles(p.journal())
			}
			if err != nil {
				return err
			}
			took[i] = time.Since(start)
		}
		ratios = append(ratios, took[0].Seconds()/took[1].Seconds())
	}
	c.Add(both, mib, result.SpreadOf(ratios))
	return os.RemoveAll(p.journal())
}

// openOnce opens a journal: Pending asks for what is open, and talks to no database.
func openOnce(p place) error {
	connector, err := dualsql.NewConnector(dualConfig(p, dualsql.TwoPhase, dualsql.AckBoth, dualsql.MirrorAuto))
	if err != nil {
		return err
	}
	_, err = connector.Pending()
	return errors.Join(err, connector.Close())
}

func readFiles(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	buffer := make([]byte, 1<<20)
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		for n := 1; n > 0; {
			n, _ = file.Read(buffer) // at its end it reads nothing
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

// probes is how many transactions by hand a recovery is compared with.
const probes = 200

// recovering opens a journal with open transactions and ends them: every other one has committed on both sides, and of the others
// nothing is there. The time is from opening the journal until none is open.
func recovering(ctx context.Context, b *bench, _ *result.Run, c *curve, count int64) error {
	p, err := b.world.place(ctx, b.contenders[0], 0, 1)
	if err != nil {
		return err
	}
	ids, err := b.fill(ctx, p, func(int) int64 { return count }, false)
	if err != nil {
		return err
	}
	var committed [][16]byte
	for i := 0; i < len(ids); i += 2 {
		committed = append(committed, ids[i])
	}
	var hand time.Duration
	for _, side := range p.dsn {
		err := withConn(ctx, side, func(conn *pgx.Conn) error {
			if _, err := conn.Exec(ctx, "insert into dualsql.commit (txid, state, journal) select unnest($1::uuid[]), 'C', $2", committed, uuid.Nil); err != nil {
				return err
			}
			took, err := medianOf(probes, func() error {
				_, err := conn.Exec(ctx, "insert into dualsql.commit (txid, state, journal) values ($1, 'A', $2)", uuid.New(), uuid.Nil)
				return err
			})
			hand += took
			return err
		})
		if err != nil {
			return err
		}
	}
	start := time.Now()
	cfg := dualConfig(p, dualsql.TwoPhase, dualsql.AckBoth, dualsql.MirrorAuto)
	cfg.Logger = slog.New(slog.DiscardHandler) // it would name each of them
	connector, err := dualsql.NewConnector(cfg)
	if err != nil {
		return err
	}
	for left := 1; err == nil && left > 0; {
		var r dualsql.Recovery
		if r, err = connector.Recover(ctx); err == nil {
			left = len(r.Pending)
		}
	}
	took := time.Since(start)
	if err = errors.Join(err, connector.Close()); err != nil {
		return err
	}
	ratio := took.Seconds() / float64(count) / hand.Seconds()
	fmt.Printf("recovery of %d: %v, %v each\n", count, took.Round(time.Millisecond), took/time.Duration(count))
	c.Add(both, count, result.SpreadOf([]float64{ratio}))
	return os.RemoveAll(p.journal())
}

// sinceClients make the transactions of the curve since, and sinceStart has the servers not sync for it: what stays behind
// is the same, and a million take minutes.
const sinceClients = 16

// sinceStart opens dualsql and makes transactions, and looks at what has grown.
func sinceStart(ctx context.Context, b *bench, _ *result.Run, c *curve, count int64) (err error) {
	fsync := func(value string) error {
		for _, cluster := range b.world.clusters {
			if err := execute(ctx, cluster.DSN("postgres"), "alter system set fsync = "+value, "select pg_reload_conf()"); err != nil {
				return err
			}
		}
		return nil
	}
	if err := fsync("off"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fsync("on")) }()
	p, err := b.world.place(ctx, b.contenders[0], 0, sinceClients)
	if err != nil {
		return err
	}
	dir := p.journal()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, side := range p.dsn {
		if err := execute(ctx, side, "drop schema if exists dualsql cascade"); err != nil {
			return err
		}
	}
	one, err := b.contenders[0].open(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, one.close()) }()
	start := time.Now()
	if err := b.transactions(ctx, one, sinceClients, count); err != nil {
		return err
	}
	fmt.Printf("%d transactions took %v\n", count, time.Since(start).Round(time.Second))
	add := func(name string, bytes int64) {
		mib := float64(bytes) / (1 << 20)
		c.Add(name, count, result.SpreadOf([]float64{mib}))
	}
	for i, name := range []string{"primary's markers", "secondary's markers"} {
		size, err := ask[int64](ctx, p.dsn[i], "select pg_total_relation_size('dualsql.commit')")
		if err != nil {
			return err
		}
		add(name, size)
	}
	var journal int64
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			return err
		}
		journal += info.Size()
	}
	add("journal", journal)
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	add("heap", int64(memory.HeapInuse))
	return nil
}
