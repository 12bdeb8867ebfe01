package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"
)

// WorkerArg makes the command be the working process, which the demo kills.
const WorkerArg = "demo-worker"

// job is what the working process is told, as one line of JSON on its standard input: a DSN may hold a password, which
// must not stand on a command line. The line "stop" ends the work; the end of the input means that the parent is gone.
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
	signal.Ignore(os.Interrupt) // the parent gets it too, and decides
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	var j job
	if err == nil {
		err = json.Unmarshal(line, &j)
	}
	if err != nil {
		fmt.Fprintln(errOut, "dualsql demo-worker: it is started by `dualsql demo`")
		return 2
	}
	log := slog.New(slog.DiscardHandler) // that commits were cut is what the demo is about
	if j.Verbose {
		log = slog.New(slog.NewTextHandler(errOut, nil))
	}
	slog.SetDefault(log)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		if line, _ := lines.ReadString('\n'); strings.TrimSpace(line) == "stop" {
			stop()
			return
		}
		os.Exit(1) // the parent is gone
	}()
	w := &worker{job: j, out: out}
	if err := w.work(ctx); err != nil {
		w.say(sayFailed, err.Error())
		return 1
	}
	w.say(sayDone)
	return 0
}

type worker struct {
	job
	office office
	mu     sync.Mutex
	out    io.Writer
}

// say writes one line in one write: a killed process leaves no half line of an acknowledgement.
func (w *worker) say(words ...string) {
	line := strings.ReplaceAll(strings.Join(words, " "), "\n", " ") + "\n"
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = io.WriteString(w.out, line) // without a reader there is no parent, and stdin has ended too
}

func (w *worker) work(ctx context.Context) (err error) {
	w.say(sayUp)
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
	w.say(sayReady)
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
			w.say(sayCommitted, id)
		case rolledBack:
			w.say(sayRolledBack, id)
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
