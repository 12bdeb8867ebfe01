package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/child"
)

// WorkerArg makes the command be the working process, which the demo kills.
const WorkerArg = "demo-worker"

// job is what the working process is told.
type job struct {
	HandWritten bool   `json:"hand_written"`
	DSN         string `json:"dsn"` // dualsql's
	Primary     string `json:"primary"`
	Secondary   string `json:"secondary"`
	Seed        uint64 `json:"seed"`
	Run         int    `json:"run"` // counts the working processes, from 1
	Workers     int    `json:"workers"`
	Verbose     bool   `json:"verbose"`
}

// The lines that the working process prints. A table and an id follow sayCommitted and sayRolledBack, and the error
// follows sayFailed.
const (
	sayUp         = "up"    // the process is there
	sayReady      = "ready" // it has recovered, and begins to work
	sayCommitted  = "committed"
	sayRolledBack = "rolled-back"
	sayFailed     = "failed"
	sayDone       = "done"
)

// Work is the working process. It returns the exit code.
func Work(in io.Reader, out, errOut io.Writer) int {
	var j job
	ctx, stop, err := child.Serve(in, &j)
	if err != nil {
		fmt.Fprintln(errOut, "dualsql demo-worker: it is started by `dualsql demo`")
		return 2
	}
	defer stop()
	log := slog.New(slog.DiscardHandler) // that commits were cut is what the demo is about
	if j.Verbose {
		log = slog.New(slog.NewTextHandler(errOut, nil))
	}
	slog.SetDefault(log)
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
	office office
}

func (w *worker) work(ctx context.Context) (err error) {
	w.Say(sayUp)
	if w.HandWritten {
		w.office, err = openHand(w.Primary, w.Secondary, w.Workers)
	} else {
		w.office, err = openDual(w.DSN, w.Workers)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.office.close()) }()
	if err := w.office.start(ctx); err != nil {
		return err
	}
	w.Say(sayReady)
	failures := make([]error, w.Workers)
	var group sync.WaitGroup
	for i := range w.Workers {
		group.Go(func() { failures[i] = w.serve(ctx, newSource(w.Seed, w.Run, i)) })
	}
	group.Wait()
	return errors.Join(failures...)
}

// patience is how many transactions in a row may fail before a worker gives up.
const patience = 50

// serve runs one transaction after the other until ctx ends; the last one is let come to its end.
func (w *worker) serve(ctx context.Context, s *source) error {
	failed := 0
	for ctx.Err() == nil {
		b := s.business()
		v, err := w.office.do(context.WithoutCancel(ctx), b)
		id := fmt.Sprint(b.table, " ", b.id)
		switch v {
		case committed:
			w.Say(sayCommitted, id)
		case rolledBack:
			w.Say(sayRolledBack, id)
		}
		if err == nil || errors.Is(err, errNothingToDo) {
			failed = 0
			continue
		}
		// It is rolled back, for a conflict or because a server is away: other work takes its turn after a pause.
		if failed++; failed == patience {
			return fmt.Errorf("%d transactions in a row have failed; the last: %w", failed, err)
		}
		if pause(ctx, time.Duration(failed)*10*time.Millisecond) != nil {
			return nil
		}
	}
	return nil
}
