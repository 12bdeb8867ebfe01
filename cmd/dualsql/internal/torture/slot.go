package torture

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/child"
)

// slot is one of the processes: killed and started anew, with the same journal unless that is deleted.
type slot struct {
	t *torture
	n int // from 0

	mu      sync.Mutex // held while the process is being replaced
	process *child.Process
	life    int
	journal journalID
	log     *os.File
	leave   chan struct{} // closed when the end of the process is wanted
}

func (t *torture) newSlot(n int) (*slot, error) {
	log, err := os.OpenFile(t.world.log(n), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &slot{t: t, n: n, journal: journalID{process: n}, log: log}, nil
}

// start runs the process. If it ends without being asked to, so does the whole run.
func (s *slot) start() error {
	cfg, err := s.t.config(s.n, false)
	if err != nil {
		return err
	}
	j := job{DSN: cfg.FormatDSN(), Seed: s.t.Seed, Workers: s.t.Workers, Verbose: s.t.Verbose}
	for _, txid := range s.t.ledger.open(s.journal) {
		j.Ask = append(j.Ask, txid.String())
	}
	j.Life = s.t.ledger.begin(s.journal)
	s.life = j.Life
	if _, err := fmt.Fprintf(s.log, "--- %s process run %d\n", time.Now().Format(time.RFC3339Nano), j.Life); err != nil {
		return err
	}
	failure, done := "", false
	p, err := child.Start(WorkerArg, j, s.log, func(line string) {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case sayDone:
			done = true
		case sayFailed:
			failure = rest
		default:
			if err := s.t.ledger.hear(j.Life, line); err != nil {
				s.t.cancel(err)
			}
		}
	})
	if err != nil {
		return err
	}
	leave := make(chan struct{})
	s.process, s.leave = p, leave
	go func() {
		err := p.Err()
		select {
		case <-leave:
			if failure == "" && (done || err != nil) { // stopped or killed
				return
			}
		default:
		}
		s.t.cancel(fmt.Errorf("process %d (run %d) has ended by itself: %v %s; its log is %s", s.n+1, j.Life, err, failure, s.t.log(s.n)))
	}()
	return nil
}

// kill kills the process and starts it anew after a while. It reports whether it did: a slot that is busy is let be.
func (s *slot) kill(ctx context.Context, loseJournal bool, after time.Duration) (bool, error) {
	if !s.mu.TryLock() {
		return false, nil
	}
	defer s.mu.Unlock()
	s.expectEnd()
	if !s.process.Kill() {
		return false, fmt.Errorf("process %d has ended by itself: %v", s.n+1, s.process.Err())
	}
	if loseJournal {
		s.t.ledger.deleted(s.journal)
		s.journal.deletions++
		if err := os.RemoveAll(s.t.journal(s.n)); err != nil {
			return true, err
		}
	}
	_ = pause(ctx, after) // the process is started even if the time is over: it recovers
	return true, s.start()
}

// stop lets the process end in good order.
func (s *slot) stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expectEnd()
	if err := s.process.Stop(); err != nil {
		return err
	}
	select {
	case <-s.process.Ended():
		if err := s.process.Err(); err != nil {
			return fmt.Errorf("process %d did not end in good order: %w; its log is %s", s.n+1, err, s.t.log(s.n))
		}
		return nil
	case <-ctx.Done():
		s.process.Kill()
		return fmt.Errorf("process %d does not end when it is asked to; its log is %s", s.n+1, s.t.log(s.n))
	}
}

// expectEnd makes the end of the process no failure. s.mu is held.
func (s *slot) expectEnd() {
	select {
	case <-s.leave: // it is over already
	default:
		close(s.leave)
	}
}

// end kills the process for good.
func (s *slot) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.expectEnd()
		s.process.Kill()
	}
	return s.log.Close()
}
