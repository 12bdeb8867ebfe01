package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql/bench/internal/delay"
	"github.com/dualsql/dualsql/internal/testdb"
)

// settings are those of the servers: they sync, they take the connections of all contenders at once, and no checkpoint of
// one contender's writes falls into the turn of the next.
var settings = map[string]string{
	"fsync":                     "on",
	"max_connections":           "2500",
	"max_prepared_transactions": "500",
	"shared_buffers":            "512MB",
	"max_wal_size":              "16GB",
	"checkpoint_timeout":        "1h",
}

// world is what the contenders run on: two servers, the proxies and the Pgpool-IIs in front of them, and a database for each
// contender on each server.
type world struct {
	dir      string
	clusters [2]*testdb.Cluster
	proxies  map[time.Duration][2]string // host:port
	pgpools  map[time.Duration]string    // host:port
	clients  int                         // the most of any cell
	stops    []func() error
}

func newWorld(clients int) (*world, error) {
	dir, err := os.MkdirTemp("", "dualsql-bench-")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, clients: clients, proxies: map[time.Duration][2]string{}, pgpools: map[time.Duration]string{}}
	w.stops = append(w.stops, func() error { return os.RemoveAll(dir) })
	for i := range w.clusters {
		cluster, err := testdb.NewCluster(settings)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.clusters[i] = cluster
		w.stops = append(w.stops, cluster.Close)
	}
	return w, nil
}

// close ends all that newWorld and the others have started, the last one first.
func (w *world) close() error {
	var failures []error
	for len(w.stops) > 0 {
		last := len(w.stops) - 1
		failures = append(failures, w.stops[last]())
		w.stops = w.stops[:last]
	}
	return errors.Join(failures...)
}

func database(c contender) string { return "bench_" + short(c.Name) }

// direct returns a contender's databases without any delay.
func (w *world) direct(c contender) (dsn [2]string) {
	for i, cluster := range w.clusters {
		dsn[i] = cluster.DSN(database(c))
	}
	return dsn
}

// create makes a contender's databases, the same on both servers.
func (w *world) create(ctx context.Context, c contender) error {
	var group sync.WaitGroup
	var failures [2]error
	for i, dsn := range w.direct(c) {
		group.Go(func() {
			failures[i] = execute(ctx, w.clusters[i].DSN("postgres"), "create database "+database(c)+" template template0")
			if failures[i] == nil {
				failures[i] = execute(ctx, dsn, schemaText(), "vacuum analyze")
			}
		})
	}
	group.Wait()
	return errors.Join(failures[:]...)
}

// place returns where a contender runs with a delay, and starts what is in the way.
func (w *world) place(ctx context.Context, c contender, d time.Duration, clients int) (place, error) {
	p := place{dsn: w.direct(c), dir: filepath.Join(w.dir, short(c.Name)), clients: clients}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return p, err
	}
	servers, err := w.servers(d)
	if err != nil {
		return p, err
	}
	for i := range p.dsn {
		if p.dsn[i], err = redirect(p.dsn[i], servers[i]); err != nil {
			return p, err
		}
	}
	if !c.pooled {
		return p, nil
	}
	addr, ok := w.pgpools[d]
	if !ok {
		var stop func() error
		if addr, stop, err = startPgpool(ctx, filepath.Join(w.dir, "pgpool-"+d.String()), servers, w.clients); err != nil {
			return p, err
		}
		w.pgpools[d] = addr
		w.stops = append(w.stops, stop)
	}
	p.pgpool, err = redirect(p.dsn[0], addr)
	return p, err
}

// servers returns the host:port of both servers, or of the proxies that put the delay into the connections to them.
func (w *world) servers(d time.Duration) ([2]string, error) {
	if addrs, ok := w.proxies[d]; ok {
		return addrs, nil
	}
	var addrs [2]string
	for i, cluster := range w.clusters {
		u, err := url.Parse(cluster.DSN("postgres"))
		if err != nil {
			return addrs, err
		}
		addrs[i] = u.Host
	}
	if d > 0 {
		through, stop, err := delay.Start(d, addrs[:]...)
		if err != nil {
			return addrs, err
		}
		w.stops = append(w.stops, stop)
		addrs = [2]string(through)
	}
	w.proxies[d] = addrs
	return addrs, nil
}

// roundTrip returns the median time of the smallest request to the primary with a delay.
func (w *world) roundTrip(ctx context.Context, d time.Duration) (time.Duration, error) {
	servers, err := w.servers(d)
	if err != nil {
		return 0, err
	}
	dsn, err := redirect(w.clusters[0].DSN("postgres"), servers[0])
	if err != nil {
		return 0, err
	}
	var took time.Duration
	err = withConn(ctx, dsn, func(conn *pgx.Conn) error {
		took, err = medianOf(100, func() error { return conn.Ping(ctx) })
		return err
	})
	return took, err
}

// syncTime returns the median time of what a journal has to do at least, in the directory of journals.
func (w *world) syncTime() (time.Duration, error) {
	file, err := os.Create(filepath.Join(w.dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	record := make([]byte, 256)
	return medianOf(100, func() error {
		if _, err := file.Write(record); err != nil {
			return err
		}
		return file.Sync()
	})
}

// version returns the servers' version.
func (w *world) version(ctx context.Context) (number string, err error) {
	err = withConn(ctx, w.clusters[0].DSN("postgres"), func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "show server_version").Scan(&number)
	})
	return number, err
}

func withConn(ctx context.Context, dsn string, use func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(use(conn), conn.Close(ctx))
}

func execute(ctx context.Context, dsn string, texts ...string) error {
	return withConn(ctx, dsn, func(conn *pgx.Conn) error {
		for _, text := range texts {
			if _, err := conn.Exec(ctx, text); err != nil {
				return fmt.Errorf("%.60s: %w", text, err)
			}
		}
		return nil
	})
}
