package torture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
	"github.com/dualsql/dualsql/internal/chaos/netproxy"
)

// world is what the torture runs on.
type world struct {
	*Options
	dsns    [2]string
	sides   [2]*sql.DB         // past dualsql, and past the proxies
	proxies [2]*netproxy.Proxy // nil: the side's connections are left alone
	fresh   [2]bool            // there was no dualsql schema before
	made    [2]bool            // the tables are ours
	dir     string
	ownDir  bool // dir is a temporary one of ours
	ownLogs bool // the journals and logs in dir are ours
}

// sideLimit bounds what is done to one side before and after the torture: it must not wait for ever for somebody's lock.
const sideLimit = time.Minute

func build(ctx context.Context, o *Options) (w *world, err error) {
	w = &world{Options: o, dsns: [2]string{o.Primary, o.Secondary}, dir: o.Dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.destroy(context.WithoutCancel(ctx)))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, sideLimit)
	defer cancel()
	for i, dsn := range w.dsns {
		if err := w.buildSide(ctx, i, dsn); err != nil {
			return w, fmt.Errorf("%s: %w", sides.Name(i), err)
		}
	}
	if err := w.buildDir(); err != nil {
		return w, err
	}
	return w, w.tryOut(ctx)
}

func (w *world) buildDir() (err error) {
	if w.dir == "" {
		w.dir, err = os.MkdirTemp("", "dualsql-torture-")
		w.ownDir = err == nil
		return err
	}
	for n := range w.Processes {
		_, err := os.Stat(w.journal(n))
		if err == nil && !w.Drop {
			return fmt.Errorf("%s is there already: an earlier run has left it; --drop removes it", w.journal(n))
		}
		if err := errors.Join(os.RemoveAll(w.journal(n)), os.RemoveAll(w.log(n))); err != nil {
			return err
		}
	}
	w.ownLogs = true
	return os.MkdirAll(w.dir, 0o700)
}

// tryOut uses the pair once: what forbids it altogether is to be reported before anything is disturbed.
func (w *world) tryOut(ctx context.Context) error {
	cfg, err := w.config(0, true)
	if err != nil {
		return err
	}
	c, err := dualsql.NewConnector(cfg)
	if err != nil {
		return err
	}
	_, err = c.Recover(ctx)
	return errors.Join(err, c.Close())
}

func (w *world) buildSide(ctx context.Context, i int, dsn string) (err error) {
	if w.sides[i], err = sides.Open(dsn); err != nil {
		return err
	}
	w.sides[i].SetMaxIdleConns(0) // the server may be stopped between two uses
	if w.fresh[i], err = sides.HasNoSchema(ctx, w.sides[i], dsn); err != nil {
		return err
	}
	found, err := existing(ctx, w.sides[i], dsn)
	switch {
	case err != nil:
		return err
	case len(found) > 0 && !w.Drop:
		w.fresh[i] = false // it belongs to what is there
		return fmt.Errorf("it has the tables %s already: an earlier run has left them; --drop removes them", strings.Join(found, ", "))
	case len(found) > 0:
		if err := drop(ctx, w.sides[i]); err != nil {
			return fmt.Errorf("drop the tables of an earlier run (a prepared transaction of it may hold them: end it with `dualsql recover`): %w", err)
		}
	}
	w.made[i] = true
	if err := create(ctx, w.sides[i]); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	target := proxyTarget(dsn)
	if target == "" {
		return nil
	}
	w.proxies[i], err = netproxy.Listen(target)
	return err
}

// journal is the directory of one process's journal.
func (w *world) journal(n int) string { return filepath.Join(w.dir, fmt.Sprint("journal-", n+1)) }

// log is the file with what the runs of one process have logged.
func (w *world) log(n int) string { return filepath.Join(w.dir, fmt.Sprint("log-", n+1)) }

const (
	// orphanAge is short, so that a transaction of a lost journal does not hold its locks for long, and still long beside
	// a commit: to take a live owner's transaction for an orphan is allowed, and must not be all that is tested.
	orphanAge   = 2 * time.Second
	lockTimeout = 5 * time.Second
	// A disturbance is longer than the one bound, and mostly shorter than the other: under the first more callers are told
	// that their transaction is in doubt or half done, under the second more commits come to their end behind it.
	shortCommit = time.Second // which a connection has to be made in, however much else the machine has to do
	// To log in takes SQL Server longer, and that has to come to its end, too.
	shortCommitSQLServer = 2 * time.Second
	longCommit           = 5 * time.Second
)

// config is the pair as one process uses it; direct past the proxies.
func (w *world) config(n int, direct bool) (*dualsql.Config, error) {
	c := dualsql.NewConfig()
	c.Journal, c.Commit = w.journal(n), w.Commit
	c.OrphanAge, c.CommitTimeout, c.LockTimeout = orphanAge, shortCommit, lockTimeout
	if slices.ContainsFunc(w.dsns[:], func(dsn string) bool { return sides.EngineOf(dsn) == sides.SQLServer }) {
		c.CommitTimeout = shortCommitSQLServer
	}
	if w.Commit == dualsql.TwoPhase && (w.Ack == AckDecided || w.Ack == AckMixed && n%2 == 1) {
		c.Ack = dualsql.AckDecided
	}
	if n/2%2 == 1 {
		c.CommitTimeout = longCommit
	}
	for i, side := range []*dualsql.Side{&c.Primary, &c.Secondary} {
		side.DSN = w.dsns[i]
		if p := w.proxies[i]; p != nil && !direct {
			var err error
			if side.DSN, err = p.Via(side.DSN); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// destroy leaves nothing of the torture: neither tables nor, if it was not there before, the schema of dualsql, nor files.
func (w *world) destroy(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sideLimit)
	defer cancel()
	for i, db := range w.sides {
		if db == nil || !w.made[i] {
			continue
		}
		err = errors.Join(err, drop(ctx, db))
		if w.fresh[i] {
			err = errors.Join(err, sides.DropSchema(ctx, db, w.dsns[i]))
		}
	}
	return errors.Join(err, w.close(), w.removeFiles())
}

func (w *world) removeFiles() (err error) {
	switch {
	case w.ownDir:
		return os.RemoveAll(w.dir)
	case !w.ownLogs:
		return nil
	}
	for n := range w.Processes {
		err = errors.Join(err, os.RemoveAll(w.journal(n)), os.RemoveAll(w.log(n)))
	}
	return err
}

// close ends the connections and the proxies.
func (w *world) close() (err error) {
	for i, db := range w.sides {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
		if w.proxies[i] != nil {
			w.proxies[i].Close()
		}
	}
	return err
}
