package torture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/child"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// WorkerArg makes the command be a working process, which the torture kills.
const WorkerArg = "torture-worker"

// job is what a working process is told.
type job struct {
	DSN     string   `json:"dsn"`
	Seed    uint64   `json:"seed"`
	Life    int      `json:"life"` // counts all working processes, from 1
	Workers int      `json:"workers"`
	Ask     []string `json:"ask"` // transactions that earlier processes with this journal were told to be in doubt or half done
	Verbose bool     `json:"verbose"`
}

// Work is a working process. It returns the exit code.
func Work(in io.Reader, out, errOut io.Writer) int {
	var j job
	ctx, stop, err := child.Serve(in, &j)
	if err != nil {
		fmt.Fprintln(errOut, "dualsql torture-worker: it is started by `dualsql torture`")
		return 2
	}
	defer stop()
	level := slog.LevelWarn
	if j.Verbose {
		level = slog.LevelDebug
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level})))
	w := &worker{job: j, Voice: child.NewVoice(out)}
	if err := w.work(ctx); err != nil {
		w.Say(sayFailed, err.Error())
		return 1
	}
	w.Say(sayDone)
	return 0
}

type worker struct {
	job
	*child.Voice
	primary   sides.Engine
	db        *sql.DB
	connector *dualsql.Connector
	asker     *asker
}

// work is an ordinary program on one *sql.DB.
func (w *worker) work(ctx context.Context) (err error) {
	cfg, err := dualsql.ParseDSN(w.DSN)
	if err != nil {
		return err
	}
	w.primary = sides.EngineOf(cfg.Primary.DSN)
	if w.db, err = sql.Open(dualsql.Name, w.DSN); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.db.Close()) }()
	w.db.SetMaxOpenConns(w.Workers)
	w.db.SetMaxIdleConns(w.Workers)
	if w.connector, err = dualsql.FromDB(w.db); err != nil {
		return err
	}
	if w.asker, err = newAsker(w.Ask); err != nil {
		return err
	}
	served := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { w.ask(served) })
	beside.Go(func() { w.count(served) })
	var group sync.WaitGroup
	for i := range w.Workers {
		group.Go(func() { w.serve(ctx, i) })
	}
	group.Wait()
	close(served)
	beside.Wait()
	return nil
}

// serve runs one transaction after the other until ctx ends; the last one is let come to its end.
func (w *worker) serve(ctx context.Context, number int) {
	s := newSource(w.Seed, w.Life, number, w.primary)
	for n := 1; ctx.Err() == nil; n++ {
		val := value(w.Life, number, n)
		p := s.plan(val)
		w.Say(sayTry, fmt.Sprint(val))
		err := p.do(context.WithoutCancel(ctx), w.db, val)
		w.tell(val, err)
		if err != nil && !errors.Is(err, errGivenUp) && !errors.Is(err, context.Canceled) {
			_ = pause(ctx, s.upTo(100*time.Millisecond)) // a server may be away
		}
	}
}

// tell says what the error means: one of the four outcomes.
func (w *worker) tell(val int64, err error) {
	said, txid, why := dualsql.RolledBack, "-", ""
	var inDoubt *dualsql.InDoubtError
	var halfDone *dualsql.HalfDoneError
	switch {
	case err == nil:
		said = dualsql.Committed
	case errors.As(err, &inDoubt):
		said, txid = dualsql.InDoubt, inDoubt.TxID.String()
	case errors.As(err, &halfDone):
		said, txid = dualsql.HalfDone, halfDone.TxID.String()
	}
	if err != nil {
		const most = 400
		why = err.Error()
		why = why[:min(len(why), most)]
	}
	w.Say(sayTold, fmt.Sprint(val), string(rune(said)), txid, why)
	switch said {
	case dualsql.InDoubt:
		w.asker.add(inDoubt.TxID)
	case dualsql.HalfDone:
		w.asker.add(halfDone.TxID)
	}
}

// count tells how much has been recovered, each time that it changes.
func (w *worker) count(served <-chan struct{}) {
	last := uint64(0)
	look := func() {
		if s, err := w.connector.Stats(); err == nil && s.Recovered != last {
			last = s.Recovered
			w.Say(sayRecovered, fmt.Sprint(last))
		}
	}
	defer look()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-served:
			return
		case <-tick.C:
			look()
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
