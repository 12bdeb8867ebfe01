// Command dualsql shows, examines and repairs pairs of databases that are written to through the dualsql driver.
//
// Run `dualsql help` for its subcommands, and `dualsql demo` to see what it is about.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/demo"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/torture"
	_ "modernc.org/sqlite" // the embedded engine
)

// The exit codes.
const (
	exitOK    = 0
	exitError = 1 // it failed, or found a problem
	exitUsage = 2
	exitOpen  = 3 // a transaction is open
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == demo.WorkerArg {
		os.Exit(demo.Work(os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) == 2 && os.Args[1] == torture.WorkerArg {
		os.Exit(torture.Work(os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command is one subcommand. run has its flags parsed by then.
type command struct {
	name    string
	summary string // one line, for the list
	help    string // the long text, with examples
	setup   func(*invocation) func(context.Context) (int, error)
}

// invocation is one call of a subcommand.
type invocation struct {
	flags       *flag.FlagSet
	out, errOut io.Writer
	json        bool
	verbose     bool
}

func commands() []command {
	return []command{demoCommand, statusCommand, recoverCommand, journalCommand, initCommand, doctorCommand, sequencesCommand, tortureCommand, versionCommand}
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) == 0 {
		usage(errOut)
		return exitUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(rest) == 0 {
			usage(out)
			return exitOK
		}
		name, rest = rest[0], []string{"-h"}
	}
	for _, c := range commands() {
		if c.name == name {
			return c.invoke(ctx, rest, out, errOut)
		}
	}
	fmt.Fprintf(errOut, "dualsql: unknown command %q; `dualsql help` lists them\n", name)
	return exitUsage
}

func (c command) invoke(ctx context.Context, args []string, out, errOut io.Writer) int {
	inv := &invocation{flags: flag.NewFlagSet("dualsql "+c.name, flag.ContinueOnError), out: out, errOut: errOut}
	inv.flags.SetOutput(io.Discard) // errors and help are printed here
	inv.flags.BoolVar(&inv.json, "json", false, "print JSON; the field names are stable")
	inv.flags.BoolVar(&inv.verbose, "v", false, "log what the driver does, on standard error")
	run := c.setup(inv)
	err := inv.flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		c.printHelp(out, inv.flags)
		return exitOK
	}
	if err == nil && inv.flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", inv.flags.Arg(0))
	}
	if err != nil {
		return c.misused(errOut, err)
	}
	level := slog.LevelWarn
	if inv.verbose {
		level = slog.LevelDebug
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level})))
	code, err := run(ctx)
	var u usageError
	if errors.As(err, &u) {
		return c.misused(errOut, err)
	}
	if err != nil {
		fmt.Fprintf(errOut, "dualsql %s: %v\n", c.name, err)
		return max(code, exitError)
	}
	return code
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (c command) misused(errOut io.Writer, err error) int {
	fmt.Fprintf(errOut, "dualsql %s: %v; see `dualsql %s -h`\n", c.name, err, c.name)
	return exitUsage
}
