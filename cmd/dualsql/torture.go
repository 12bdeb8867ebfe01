package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/torture"
)

var tortureCommand = command{
	name:    "torture",
	summary: "kill and cut all that writes to a pair of your own, and verify that nothing is lost",
	help: `
Several processes, each with a journal of its own, write to one pair with many workers: bank transfers, and appends to
lists. They are killed with SIGKILL at random and started anew, sometimes without their journal; the connections to the
servers go through proxies that cut, slow, freeze and refuse them, and lose or hold up single messages of commits. (To
SQL Server only with encrypt=disable or trustservercertificate=true in the DSN.) At the end it waits until all work
again, and verifies past dualsql that both sides are equal, that the money is all there, that every acknowledged append
is there exactly once and in order, and none that was reported as rolled back, that what was in doubt has ended as
Connector.Outcome says, that no prepared transaction is left, and no journal entry open.

It uses tables whose names begin with dualsql_torture_. It refuses to begin if they are there, unless --drop is given, and
drops them at the end unless something has failed: then they are kept, and so are the journals, logs and what each caller
was told. Use databases that nothing depends on: it makes load, and kills in the middle of commits. An interrupt ends the
disturbances early; the verification follows all the same.

What it does comes from the seed; what that meets depends on the machine.

Exit codes: 0 all holds; 1 it does not, or the torture could not be run.

  dualsql torture --primary postgres://app@db0/test --secondary postgres://app@db1/test --for 10m
  dualsql torture --primary postgres://app@db0/test --secondary file:/tmp/copy.db --processes 2 --ack decided
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var o torture.Options
		var commit string
		f := inv.flags
		f.StringVar(&o.Primary, "primary", "", "`DSN` of the primary: postgres://..., sqlserver://... or file:...")
		f.StringVar(&o.Secondary, "secondary", "", "`DSN` of the secondary")
		f.StringVar(&o.Dir, "journal", "", "`directory` for the processes' journals and logs (default: a temporary one)")
		f.StringVar(&commit, "commit", string(dualsql.TwoPhase), "commit `protocol`: 2pc, or marker with one process")
		f.StringVar(&o.Ack, "ack", torture.AckMixed, "when a commit returns under 2pc: both, decided, or mixed (every other process)")
		f.IntVar(&o.Processes, "processes", 0, "`number` of processes (default 4, with marker 1)")
		f.IntVar(&o.Workers, "workers", 8, "`number` of workers in each process")
		f.DurationVar(&o.Duration, "for", 30*time.Second, "how `long` to disturb")
		f.Uint64Var(&o.Seed, "seed", 0, "`seed` of the work and of the disturbances (default: random)")
		f.BoolVar(&o.Drop, "drop", false, "remove the tables and journals that an earlier run has left")
		return func(ctx context.Context) (int, error) {
			o.Commit, o.Verbose = dualsql.Protocol(commit), inv.verbose
			if err := checkTorture(&o); err != nil {
				return exitUsage, usageError{err}
			}
			return runTorture(ctx, inv, o)
		}
	},
}

// checkTorture finds what makes no sense, and fills in the defaults.
func checkTorture(o *torture.Options) error {
	if o.Processes == 0 {
		o.Processes = 4
		if o.Commit == dualsql.Marker {
			o.Processes = 1
		}
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64N(1e9) + 1
	}
	switch {
	case o.Primary == "" || o.Secondary == "":
		return errors.New("give --primary and --secondary: databases that nothing depends on")
	case o.Commit != dualsql.TwoPhase && o.Commit != dualsql.Marker:
		return errors.New("--commit takes 2pc or marker")
	case o.Commit == dualsql.Marker && o.Processes != 1:
		return errors.New("--commit marker takes one process: one at a time may write to such a pair")
	case !slices.Contains([]string{torture.AckBoth, torture.AckDecided, torture.AckMixed}, o.Ack):
		return errors.New("--ack takes both, decided or mixed")
	case o.Processes < 1 || o.Processes > 64:
		return errors.New("--processes takes 1 to 64")
	case o.Workers < 1 || o.Workers > 64:
		return errors.New("--workers takes 1 to 64")
	case o.Duration <= 0:
		return errors.New("--for must be greater than zero")
	}
	return nil
}

func runTorture(ctx context.Context, inv *invocation, o torture.Options) (int, error) {
	out := inv.out
	if inv.json {
		out = io.Discard
	}
	report, err := torture.Run(ctx, o, out, isTerminal(out))
	if report == nil {
		return exitError, err
	}
	code := exitOK
	if !report.OK || err != nil {
		code = exitError
	}
	if inv.json {
		return code, errors.Join(err, writeJSON(inv.out, report))
	}
	fmt.Fprintln(inv.out, report.Verdict())
	return code, err
}
