package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/demo"
)

var demoCommand = command{
	name:    "demo",
	summary: "kill a working program again and again, and compare the databases",
	help: `
An order entry with several workers on one *sql.DB writes customers, stock, orders, order lines, payments and deliveries
to two databases. Its process is killed with SIGKILL at random moments and started anew; each start recovers. First the
same is done with code as one writes it by hand, without dualsql. At the end both databases are compared row by row, and
it is checked that everything that was acknowledged is there and that the books are right.

Without flags it uses two SQLite files in a temporary directory, and takes about half a minute. On servers of your own
it uses tables whose names begin with dualsql_demo_; they are dropped at the start and, unless --keep is given, at the end.

Exit codes: 0 the databases are equal; 1 they are not, or the demo could not be run.

  dualsql demo
  dualsql demo --kills 100 --seconds 120 --workers 8
  dualsql demo --primary postgres://app@db0/test --secondary postgres://app@db1/test
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var o demo.Options
		var seconds float64
		f := inv.flags
		f.StringVar(&o.Primary, "primary", "", "`DSN` of the primary: postgres://..., sqlserver://... or file:...")
		f.StringVar(&o.Secondary, "secondary", "", "`DSN` of the secondary")
		f.StringVar(&o.Journal, "journal", "", "`directory` of the journal (default: a temporary one)")
		f.IntVar(&o.Workers, "workers", 4, "`number` of workers")
		f.IntVar(&o.Kills, "kills", 24, "`number` of kills, in each half")
		f.Float64Var(&seconds, "seconds", 24, "about how `long` the kills go on, in both halves together")
		f.Uint64Var(&o.Seed, "seed", 0, "`seed` of the work and of the moments of the kills (default: random)")
		f.BoolVar(&o.Keep, "keep", false, "leave tables and files behind")
		return func(ctx context.Context) (int, error) {
			switch {
			case (o.Primary == "") != (o.Secondary == ""):
				return exitUsage, usageError{errors.New("give both --primary and --secondary, or neither")}
			case o.Workers < 1 || o.Workers > 64:
				return exitUsage, usageError{errors.New("--workers takes 1 to 64")}
			case o.Kills < 1:
				return exitUsage, usageError{errors.New("--kills takes 1 or more")}
			case seconds <= 0:
				return exitUsage, usageError{errors.New("--seconds must be greater than zero")}
			}
			if o.Seed == 0 {
				o.Seed = rand.Uint64N(1e9) + 1
			}
			o.Duration, o.Verbose = time.Duration(seconds*float64(time.Second)), inv.verbose
			return runDemo(ctx, inv, o)
		}
	},
}

func runDemo(ctx context.Context, inv *invocation, o demo.Options) (int, error) {
	out := inv.out
	if inv.json {
		out = io.Discard
	}
	report, err := demo.Run(ctx, o, out, isTerminal(out))
	if report == nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		return exitError, err
	}
	code := exitOK
	if !report.Equal || err != nil {
		code = exitError
	}
	if inv.json {
		return code, errors.Join(err, writeJSON(inv.out, report))
	}
	fmt.Fprintln(inv.out, report.Verdict())
	return code, err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
