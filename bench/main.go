// Command bench compares dualsql with what a program could do in its place: write to two databases by hand, in several
// ways, or put Pgpool-II in front of them. It starts the servers that it needs, runs all contenders interleaved, checks
// after each cell that both databases are as they should be, and prints ratios, which hold within one run.
//
//	go run .                                     the cells that the goals are about; some ten minutes
//	go run . -all                                all contenders, workloads, delays and numbers of clients; hours
//	go run . -contenders pgx,dualsql_2pc_both -workloads select -clients 1 -delays 0
//	go run . -json run.json -markdown ../docs/performance.md
//	go run ./plot run.json ../docs/performance.svg
//	go run . scale                               how the cost grows with what there is to do: see scale -h
//
// It needs a Unix, and PostgreSQL's server programs, which it finds as internal/testdb does; and for one of the contenders Debian's
// package pgpool2, without which that contender is left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dualsql/dualsql/bench/internal/result"
)

// bench is a run.
type bench struct {
	world      *world
	contenders []contender
	rounds     int
	turn       time.Duration
}

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	if len(args) > 0 && args[0] == "scale" {
		return scale(args[1:])
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	everything := flags.Bool("all", false, "all contenders, workloads, delays and numbers of clients that no other flag chooses")
	who := flags.String("contenders", "", "contenders, separated by commas, or all; -list shows them")
	what := flags.String("workloads", "", "workloads, separated by commas, or all; -list shows them")
	delays := flags.String("delays", "", "delays put into each connection, in each direction, such as 0,500us,1ms,5ms")
	clients := flags.String("clients", "", "numbers of clients, such as 1,16,64")
	o := commonFlags(flags)
	list := flags.Bool("list", false, "say what there is to choose from, and end")
	_ = flags.Parse(args) // it exits
	if *list {
		printChoices()
		return nil
	}
	if err := o.check(flags); err != nil {
		return err
	}
	cells, err := planned(*everything, *what, *delays, *clients)
	if err != nil {
		return err
	}
	chosen, err := named(contenders(), orElse(*who, *everything, "all", strings.Join(defaultContenders, ",")))
	if err != nil {
		return err
	}
	b := &bench{contenders: chosen, rounds: o.rounds, turn: o.turn}
	run, err := b.inWorld(mostClients(cells), func(ctx context.Context) (*result.Run, error) { return b.run(ctx, cells) })
	if err != nil {
		return err
	}
	return reportCells(run, o.file, o.page)
}

// options are the flags that both commands have.
type options struct {
	rounds     int
	turn       time.Duration
	file, page string
}

func commonFlags(flags *flag.FlagSet) *options {
	o := &options{}
	flags.IntVar(&o.rounds, "rounds", 5, "rounds of each cell; in each every contender has its turn")
	flags.DurationVar(&o.turn, "turn", 700*time.Millisecond, "time of a contender's turn")
	flags.StringVar(&o.file, "json", "", "file to write the measurements to, for plot")
	flags.StringVar(&o.page, "markdown", "", "page to write the tables to, between the marks in it")
	return o
}

func (o *options) check(flags *flag.FlagSet) error {
	if o.rounds < 1 || o.turn <= 0 || flags.NArg() > 0 {
		return fmt.Errorf("-rounds takes 1 or more, -turn a time above 0, and there are no arguments but flags: see %s -h", flags.Name())
	}
	return nil
}

// inWorld measures with servers for so many clients, and ends these. A signal cuts it short.
func (b *bench) inWorld(clients int, measure func(context.Context) (*result.Run, error)) (*result.Run, error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	var err error
	if b.world, err = newWorld(clients); err != nil {
		return nil, err
	}
	run, err := measure(ctx)
	return run, errors.Join(err, b.world.close())
}

func (b *bench) run(ctx context.Context, cells []cellKey) (*result.Run, error) {
	run, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range cells {
		if !slices.ContainsFunc(run.Delays, func(d result.Delay) bool { return d.Delay == key.delay }) {
			took, err := b.world.roundTrip(ctx, key.delay)
			if err != nil {
				return nil, err
			}
			run.Delays = append(run.Delays, result.Delay{Delay: key.delay, RoundTrip: took})
		}
		cell, err := b.cell(ctx, key)
		if err != nil {
			return nil, err
		}
		run.Cells = append(run.Cells, *cell)
		printCell(os.Stdout, cell)
	}
	return run, nil
}

// start makes the databases of all contenders.
func (b *bench) start(ctx context.Context) (run *result.Run, err error) {
	run = &result.Run{Date: time.Now().UTC().Truncate(time.Second), Rounds: b.rounds, Turn: b.turn}
	for _, c := range b.contenders {
		run.Contenders = append(run.Contenders, c.Contender)
		if err := b.world.create(ctx, c); err != nil {
			return nil, err
		}
	}
	run.Machine, err = b.machine(ctx)
	return run, err
}

func (b *bench) machine(ctx context.Context) (result.Machine, error) {
	m := result.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(), Pgpool: pgpoolVersion()}
	var err error
	if m.PostgreSQL, err = b.world.version(ctx); err != nil {
		return m, err
	}
	m.Sync, err = b.world.syncTime()
	return m, err
}

// fatal ends a run that does not end by itself.
func (b *bench) fatal(err error) {
	fmt.Fprintln(os.Stderr, "bench:", errors.Join(err, b.world.close()))
	os.Exit(1)
}

func reportCells(run *result.Run, file, page string) error {
	printGoals(os.Stdout, run)
	return report(run, file, page, blockBegin, markdown)
}

// report writes what a run has measured, and the text that is made of it into the block of a page that begins so. What was found
// to be wrong with the databases is an error: figures of what loses transactions are worth nothing.
func report(run *result.Run, file, page, begin string, text func(*result.Run) string) error {
	if file != "" {
		if err := run.Write(file); err != nil {
			return err
		}
	}
	if page != "" {
		if err := writeMarkdown(page, begin, text(run)); err != nil {
			return err
		}
	}
	if list := wrongs(run); len(list) > 0 {
		return errors.New("databases that are not as they should be:\n" + strings.Join(list, "\n"))
	}
	return nil
}

func printChoices() {
	fmt.Println("Contenders:")
	for _, c := range contenders() {
		fmt.Printf("  %-32s %s\n", short(c.Name), c.About)
	}
	fmt.Println("Workloads:")
	for _, w := range workloads {
		fmt.Printf("  %-32s %s\n", w.name, w.about)
	}
}

func mostClients(cells []cellKey) int {
	most := 0
	for _, c := range cells {
		most = max(most, c.clients)
	}
	return most
}
