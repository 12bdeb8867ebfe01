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
	// commit ends t, which has passed the barrier but for its last statement, if that is kept back. It returns one of the four
	// outcomes: nil, the cause of a rollback on both, an *InDoubtError, a *HalfDoneError.
	commit(t *tx) error
	// settle tries once to bring a stuck transaction to its end. It may be repeated, by anybody, at any time.
	settle(ctx context.Context, e *entry) (Outcome, error)
	// ordered reports whether a transaction that is stuck will still reach the other side, so that no later write may
	// overtake it there.
	ordered() bool
	// repeats reports whether the journal keeps all that is needed to run a transaction again.
	repeats() bool
}

// protocolOf returns the protocol that an open transaction was begun under; nil if it can only be reported.
func (co *coordinator) protocolOf(in *intent) protocol {
	switch in.protocol {
	case TwoPhase:
		return twoPhase{co, in.prepares}
	case Marker:
		return marker{co}
	}
	return nil
}

// crashpoint, if set, is called at the places where a crash hurts most. Tests set it before anything is opened.
var crashpoint func(co *coordinator, name string)

func (co *coordinator) passing(name string) {
	if crashpoint != nil {
		crashpoint(co, name)
	}
}

// The places, in the order in which a commit passes them.
const (
	atBarrier  = "barrier"  // both sides have run everything
	atPrepared = "prepared" // 2pc: one side is prepared; the intent may be on disk or not
	atIntent   = "intent"   // the intent is on disk
	atDecided  = "decided"  // the last resource has committed; under the other protocols, the primary
	atFinished = "finished" // the other side has committed, or recovery has rolled it back
	atEnded    = "ended"    // the journal says so

	atFenced       = "fenced"        // recovery knows, for ever, how the transaction ended on the side that decides
	atRedo         = "redo"          // recovery knows that it has to run the redo
	atRedoRun      = "redo run"      // the redo has run and is not committed
	atRedoFinished = "redo finished" // the redo is committed
)

// intentOf makes the journal's record of t.
func (t *tx) intentOf(p protocol) *intent {
	co := t.c.co
	in := co.newIntent(t.id, p.name())
	if two, ok := p.(twoPhase); ok {
		in.prepares, in.redo = two.prepares, t.shown
		return in
	}
	adopted := ""
	if a, ok := t.c.secondary.(engine.Ambient); ok {
		adopted = a.Adopted()
	}
	if adopted != "" {
		in.redo = append(in.redo, redoStatement{text: adopted, rows: -1, query: true, session: true})
	}
	for _, s := range t.c.settings {
		if adopted == "" || !s.from.Reset { // a new session has nothing else to reset
			in.redo = append(in.redo, s.redoStatement)
		}
	}
	in.redo = append(in.redo, t.redo...)
	return in
}

// rolledBack ends t on both sides after it has not committed, and returns the cause.
func (t *tx) rolledBack(ctx context.Context, e *entry, cause error) error {
	t.endPrimary(ctx)
	t.endSecondary(ctx)
	if e != nil {
		t.c.co.ended(e, RolledBack)
	}
	t.c.co.stats.rolledBack.Add(1)
	return cause
}

// refused is a side's answer to what ends the transaction: the primary's as it is, so that callers can read it.
func (t *tx) refused(role engine.Role, op string, err error) error {
	if role == engine.Secondary {
		return t.secondaryError(op, err)
	}
	return settled(role.String(), op, err)
}

// commitOn runs the deciding COMMIT. unknown is set when nobody can tell from the reply whether it took effect.
func (t *tx) commitOn(ctx context.Context, role engine.Role, m *engine.Marker) (unknown, failed error) {
	err := t.c.session(role).Commit(ctx, m)
	var u *engine.UnknownError
	if errors.As(err, &u) {
		t.c.lose(role)
		return u.Err, nil
	}
	return nil, err
}

// besteffort commits one side, then the other. What a crash in between leaves is reported.
type besteffort struct{ co *coordinator }

func (besteffort) name() Protocol { return BestEffort }
func (besteffort) ordered() bool  { return false }
func (besteffort) repeats() bool  { return true } // to tell an operator what was cut

func (besteffort) settle(context.Context, *entry) (Outcome, error) { return 0, errReported }

func (p besteffort) commit(t *tx) error {
	ctx, cancel := t.commitContext()
	defer cancel()
	p.co.passing(atBarrier)
	if t.c.secondary.Status() == engine.TxFailed { // it would be found out too late: nothing brings the secondary there
		return t.rolledBack(ctx, nil, t.secondaryError("commit", errFailedBehindSecondary))
	}
	e, err := p.co.journal.begin(t.intentOf(p), p.co.cfg.RedoLimit)
	if err != nil {
		return t.rolledBack(ctx, nil, err)
	}
	p.co.passing(atIntent)
	f := p.co.window.enter(t.id)
	defer f.leave()
	unknown, failed := t.commitOn(ctx, engine.Primary, nil)
	switch {
	case failed != nil:
		return t.rolledBack(ctx, e, t.refused(engine.Primary, "commit", failed))
	case unknown != nil:
		t.endSecondary(ctx)
		err := &InDoubtError{TxID: t.id, Err: fmt.Errorf("the reply to COMMIT on the primary is lost: %w; commit=besteffort cannot ask", unknown)}
		p.co.report(e, InDoubt, err)
		return err
	}
	p.co.decided(e)
	p.co.passing(atDecided)
	if err := t.c.secondary.Commit(ctx, nil); err != nil {
		t.endSecondary(ctx)
		t.c.dropSecondary()
		err := &HalfDoneError{TxID: t.id, Committed: "primary", Pending: "secondary", Err: err}
		p.co.report(e, HalfDone, err)
		return err
	}
	p.co.passing(atFinished)
	p.co.ended(e, Committed)
	p.co.passing(atEnded)
	return nil
}
