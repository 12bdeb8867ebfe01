package dualsql

import (
	"context"
	"errors"
	"fmt"

	"github.com/dualsql/dualsql/internal/engine"
)

// protocol is a way to end a transaction on both sides.
type protocol interface {
	name() Protocol
	// commit ends t, which has passed the barrier, and returns one of the four outcomes: nil, the cause of a rollback on
	// both, an *InDoubtError, a *HalfDoneError. ctx ends with the commit phase's deadline.
	commit(ctx context.Context, t *tx) error
	// ordered reports whether a transaction that is stuck will still reach the secondary, so that no later write may
	// overtake it there.
	ordered() bool
}

// crashpoint, if set, is called at the places where a crash hurts most. Tests set it before anything is opened.
var crashpoint func(name string)

func passing(name string) {
	if crashpoint != nil {
		crashpoint(name)
	}
}

// The places, in the order in which a commit passes them.
const (
	atBarrier  = "barrier"  // both sides have run everything
	atIntent   = "intent"   // the intent is on disk
	atDecided  = "decided"  // the primary has committed
	atFinished = "finished" // the secondary has committed
	atEnded    = "ended"    // the journal says so

	atFenced       = "fenced"        // recovery knows, for ever, how the transaction ended on the primary
	atRedo         = "redo"          // recovery knows that it has to run the redo
	atRedoRun      = "redo run"      // the redo has run and is not committed
	atRedoFinished = "redo finished" // the redo is committed
)

// intentOf makes the journal's record of t.
func (t *tx) intentOf(p Protocol) *intent {
	co := t.c.co
	in := co.newIntent(t.id, p)
	for _, s := range t.c.settings {
		in.redo = append(in.redo, s.redoStatement)
	}
	in.redo = append(in.redo, t.redo...)
	return in
}

// rolledBack ends t on both sides after the primary has not committed, and returns the cause.
func (t *tx) rolledBack(ctx context.Context, e *entry, cause error) error {
	t.endPrimary(ctx)
	t.endSecondary(ctx)
	if e != nil {
		t.c.co.ended(e, RolledBack)
	}
	t.c.co.stats.rolledBack.Add(1)
	return settled("primary", "commit", cause)
}

// commitPrimary runs the deciding COMMIT. unknown is set when nobody can tell from the reply whether it took effect.
func (t *tx) commitPrimary(ctx context.Context, m *engine.Marker) (unknown, failed error) {
	err := t.c.primary.Commit(ctx, m)
	var u *engine.UnknownError
	if errors.As(err, &u) {
		t.c.broken = true
		return u.Err, nil
	}
	return nil, err
}

// besteffort commits one side, then the other. What a crash in between leaves is reported.
type besteffort struct{ co *coordinator }

func (besteffort) name() Protocol { return BestEffort }
func (besteffort) ordered() bool  { return false }

func (p besteffort) commit(ctx context.Context, t *tx) error {
	passing(atBarrier)
	e, err := p.co.journal.begin(t.intentOf(BestEffort), p.co.cfg.RedoLimit)
	if err != nil {
		return t.rolledBack(ctx, nil, err)
	}
	passing(atIntent)
	f := p.co.window.enter(t.id)
	defer f.leave()
	unknown, failed := t.commitPrimary(ctx, nil)
	switch {
	case failed != nil:
		return t.rolledBack(ctx, e, failed)
	case unknown != nil:
		t.endSecondary(ctx)
		err := &InDoubtError{TxID: t.id, Err: fmt.Errorf("the reply to COMMIT on the primary is lost: %w; commit=besteffort cannot ask", unknown)}
		p.co.report(e, InDoubt, err)
		return err
	}
	p.co.decided(e)
	passing(atDecided)
	if err := t.c.secondary.Commit(ctx, nil); err != nil {
		t.endSecondary(ctx)
		t.c.dropSecondary()
		err := &HalfDoneError{TxID: t.id, Committed: "primary", Pending: "secondary", Err: err}
		p.co.report(e, HalfDone, err)
		return err
	}
	passing(atFinished)
	p.co.ended(e, Committed)
	passing(atEnded)
	return nil
}
