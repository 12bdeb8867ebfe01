package dualsql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dualsql/dualsql/internal/engine"
)

// marker commits one side, then the other, each with a marker. The primary's COMMIT decides; a secondary that does not
// follow gets the transaction again from the journal, once and only once, because its marker refuses a second time.
type marker struct{ co *coordinator }

func (marker) name() Protocol { return Marker }
func (marker) ordered() bool  { return true }
func (marker) repeats() bool  { return true }

func (p marker) commit(t *tx) error {
	co, c := p.co, t.c
	ctx, cancel := t.commitContext()
	defer cancel()
	p.co.passing(atBarrier)
	e, err := co.journal.begin(t.intentOf(p), co.cfg.RedoLimit)
	if err != nil {
		return t.rolledBack(ctx, nil, err)
	}
	p.co.passing(atIntent)
	m := engine.Marker{TxID: t.id, Journal: co.journal.id()}
	f := co.window.enter(t.id)
	unknown, failed := t.commitOn(ctx, engine.Primary, &m)
	if unknown != nil {
		state, err := co.fence(ctx, engine.Primary, m)
		if err != nil {
			t.endSecondary(ctx)
			err = &InDoubtError{TxID: t.id, Err: fmt.Errorf("the reply to COMMIT on the primary is lost (%w), and it cannot be asked: %w", unknown, err)}
			co.stuck(e, f, InDoubt, err)
			return err
		}
		if state == engine.Aborted {
			failed = unknown
		}
	}
	if failed != nil {
		defer f.leave()
		return t.rolledBack(ctx, e, t.refused(engine.Primary, "commit", failed))
	}
	co.decided(e)
	p.co.passing(atDecided)
	answered := true
	if err := c.secondary.Commit(ctx, &m); err != nil {
		answered = false
		t.endSecondary(ctx)
		c.dropSecondary()
		if err := co.redo(ctx, e.intent); err != nil {
			err = &HalfDoneError{TxID: t.id, Committed: "primary", Pending: "secondary", Err: err}
			co.stuck(e, f, HalfDone, err)
			return err
		}
	}
	p.co.passing(atFinished)
	co.ended(e, Committed)
	p.co.passing(atEnded)
	f.leave()
	if answered {
		co.collect(t.id)
	}
	return nil
}

// settle asks the primary and, if the transaction is half done, runs its redo.
func (p marker) settle(ctx context.Context, e *entry) (Outcome, error) {
	state, err := p.co.fenceOnce(ctx, engine.Primary, engine.Marker{TxID: e.txid, Journal: p.co.journal.id()})
	if err != nil {
		return 0, err
	}
	p.co.passing(atFenced)
	if state == engine.Aborted {
		return RolledBack, nil
	}
	p.co.decided(e)
	if err := p.co.redoOnce(ctx, e.intent); err != nil {
		return 0, err
	}
	return Committed, nil
}

// fence asks the side that decides how a transaction ended, and makes sure that the answer holds. It tries until ctx ends.
func (co *coordinator) fence(ctx context.Context, role engine.Role, m engine.Marker) (engine.State, error) {
	var state engine.State
	err := co.retry(ctx, role, func() (err error) {
		state, err = co.fenceOnce(ctx, role, m)
		return err
	})
	return state, err
}

func (co *coordinator) fenceOnce(ctx context.Context, role engine.Role, m engine.Marker) (state engine.State, err error) {
	err = co.withSession(ctx, role, func(s engine.Marking) (err error) {
		state, err = s.Fence(ctx, m)
		return err
	})
	return state, err
}

// redo brings an intent to the secondary, unless it is there already. It tries until ctx ends or it is plain that trying
// again is of no use.
func (co *coordinator) redo(ctx context.Context, in *intent) error {
	return co.retry(ctx, engine.Secondary, func() error { return co.redoOnce(ctx, in) })
}

// redoOnce runs on a session of its own, on which a redo may leave settings.
func (co *coordinator) redoOnce(ctx context.Context, in *intent) error {
	s, err := co.ownSession(ctx, engine.Secondary)
	if err != nil {
		return err
	}
	return errors.Join(co.redoOn(ctx, s, in), s.Close())
}

// redoOn inserts the marker first: that waits for an owner that is about to commit, and tells whether one has.
func (co *coordinator) redoOn(ctx context.Context, s engine.Marking, in *intent) (err error) {
	co.passing(atRedo)
	if err := setUp(ctx, s, in.redo); err != nil {
		return err
	}
	if err := s.Begin(ctx, engine.TxOptions{Write: true}); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = s.Rollback(ctx) // the session is closed by its owner anyway
		}
	}()
	m := engine.Marker{TxID: in.txid, Journal: co.journal.id()}
	inserted, err := s.InsertMarker(ctx, m)
	if err != nil {
		return err
	}
	if !inserted {
		state, err := s.MarkerState(ctx, in.txid)
		if err == nil && state != engine.Committed {
			err = fmt.Errorf("another process has become the pair's writer since and has fenced it off (the secondary's marker has state %q); "+
				"compare the sides, make them equal, and run `dualsql recover --forget`", state)
		}
		if err != nil {
			return err
		}
		return s.Rollback(ctx)
	}
	for i := range in.redo {
		r := &in.redo[i]
		if r.session {
			continue
		}
		got, err := runRedo(ctx, s, nil, r)
		if err != nil {
			return fmt.Errorf("redo of %q: %w", shorten(r.text), err)
		}
		if r.rows >= 0 && got >= 0 && got != r.rows {
			return fmt.Errorf("redo of %q affects %d rows, not %d: the secondary's rows have been changed by somebody else; nothing is overwritten",
				shorten(r.text), got, r.rows)
		}
	}
	co.passing(atRedoRun)
	if err := s.Commit(ctx, nil); err != nil {
		return err
	}
	co.passing(atRedoFinished)
	return nil
}

// setUp gives a redo's session the settings that the transaction's own had.
func setUp(ctx context.Context, s engine.Session, redo []redoStatement) error {
	any := false
	for i := range redo {
		if r := &redo[i]; r.session {
			any = true
			if _, err := runRedo(ctx, s, nil, r); err != nil {
				return fmt.Errorf("redo of %q: %w", shorten(r.text), err)
			}
		}
	}
	if !any {
		return nil
	}
	return s.Setup(ctx)
}

// The waits between attempts grow from the first to the last.
const (
	firstWait = 20 * time.Millisecond
	lastWait  = 30 * time.Second
)

// retry runs f until it succeeds, fails for a reason that will not pass, or ctx ends; f's last error is returned.
func (co *coordinator) retry(ctx context.Context, role engine.Role, f func() error) error {
	return retry(ctx, func() (bool, error) {
		err := f()
		return co.sides[role].engine.Transient(err), err
	})
}

func retry(ctx context.Context, f func() (again bool, err error)) error {
	for pause := firstWait; ; pause = min(2*pause, lastWait) {
		again, err := f()
		if err == nil || !again || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
