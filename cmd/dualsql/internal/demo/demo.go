// Package demo is the demonstration of dualsql: an order entry that is killed again and again, first with hand-written code
// and then with dualsql, and a comparison of the two databases at the end.
package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// Options say what the demo runs on, and how.
type Options struct {
	Primary, Secondary string // DSNs; both empty: two SQLite files in a temporary directory
	Journal            string // empty: a temporary directory
	Workers            int
	Kills              int           // in each half
	Duration           time.Duration // of both halves, roughly
	Seed               uint64
	Keep               bool // leave tables and files behind
	Verbose            bool
}

// Report is the outcome of a demo.
type Report struct {
	Seed        uint64  `json:"seed"`
	Workers     int     `json:"workers"`
	DSN         string  `json:"dsn"` // without passwords
	Seconds     float64 `json:"seconds"`
	HandWritten Phase   `json:"hand_written"`
	Dualsql     Phase   `json:"dualsql"`
	Equal       bool    `json:"equal"` // with dualsql the two databases are the same, and all checks hold
	Kept        string  `json:"kept,omitempty"`
}

// Run runs the demo and prints what it finds to out as it goes on; live says that out is a terminal. The report is nil if
// the demo could not be run to its end.
func Run(ctx context.Context, o Options, out io.Writer, live bool) (report *Report, err error) {
	begin := time.Now()
	w, err := build(ctx, &o)
	if err != nil {
		return nil, err
	}
	report = &Report{Seed: o.Seed, Workers: o.Workers, DSN: w.cfg.Redacted()}
	defer func() {
		if o.Keep || report != nil && !report.Equal {
			if report != nil {
				report.Kept = w.dir
			}
			err = errors.Join(err, w.closeSides())
			return
		}
		// The context may have ended: what was made is taken away all the same.
		err = errors.Join(err, w.destroy(context.WithoutCancel(ctx)))
	}()
	s := &show{out: out, live: live, opts: &o}
	s.introduce(w)
	j := job{DSN: w.cfg.FormatDSN(), Primary: o.Primary, Secondary: o.Secondary, Seed: o.Seed, Workers: o.Workers, Verbose: o.Verbose}

	for _, half := range []struct {
		hand    bool
		journal string
		phase   *Phase
		print   func(*Phase)
	}{
		{true, "", &report.HandWritten, s.printHandWritten},
		{false, o.Journal, &report.Dualsql, s.printDualsql},
	} {
		if err := w.reset(ctx); err != nil {
			return nil, err
		}
		j.HandWritten = half.hand
		k := &killing{show: s, job: j, sides: w.sides, journal: half.journal}
		s.begin(k)
		err := k.run(ctx)
		s.clear()
		if err != nil {
			return nil, err
		}
		*half.phase = k.phase
		half.print(half.phase)
	}
	report.Equal = report.Dualsql.equal()
	report.Seconds = time.Since(begin).Seconds()
	return report, nil
}

// world is what the demo runs on.
type world struct {
	cfg   *dualsql.Config
	sides [2]*sql.DB
	dir   string  // the temporary directory; empty: none was needed
	fresh [2]bool // there was no dualsql schema before
	dsns  [2]string
}

func build(ctx context.Context, o *Options) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.closeSides(), w.removeDir())
		}
	}()
	if o.Primary == "" || o.Journal == "" {
		if w.dir, err = os.MkdirTemp("", "dualsql-demo-"); err != nil {
			return w, err
		}
	}
	if o.Primary == "" {
		o.Primary, o.Secondary = sides.SQLiteDSN(filepath.Join(w.dir, "primary.db")), sides.SQLiteDSN(filepath.Join(w.dir, "secondary.db"))
	}
	if o.Journal == "" {
		o.Journal = filepath.Join(w.dir, "journal")
	}
	cfg := dualsql.NewConfig()
	cfg.Primary.DSN, cfg.Secondary.DSN, cfg.Journal = o.Primary, o.Secondary, o.Journal
	if w.cfg, err = dualsql.ParseDSN(cfg.FormatDSN()); err != nil {
		return w, err
	}
	w.dsns = [2]string{o.Primary, o.Secondary}
	for i, dsn := range w.dsns {
		if w.sides[i], err = sides.Open(dsn); err != nil {
			return w, err
		}
		if w.fresh[i], err = sides.HasNoSchema(ctx, w.sides[i], dsn); err != nil {
			return w, fmt.Errorf("%s: %w", sides.Name(i), err)
		}
	}
	return w, nil
}

func (w *world) reset(ctx context.Context) error {
	for i, db := range w.sides {
		if err := reset(ctx, db); err != nil {
			return fmt.Errorf("%s: make the tables: %w", sides.Name(i), err)
		}
	}
	return nil
}

// destroy takes away the tables, the schema of dualsql if it was not there before, and the temporary directory.
func (w *world) destroy(ctx context.Context) (err error) {
	for i, db := range w.sides {
		err = errors.Join(err, drop(ctx, db))
		if w.fresh[i] {
			err = errors.Join(err, sides.DropSchema(ctx, db, w.dsns[i]))
		}
	}
	return errors.Join(err, w.closeSides(), w.removeDir())
}

func (w *world) closeSides() (err error) {
	for _, db := range w.sides {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

func (w *world) removeDir() error {
	if w.dir == "" {
		return nil
	}
	return os.RemoveAll(w.dir)
}
