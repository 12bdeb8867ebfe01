package dualsql

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// twoPhase prepares the transaction on one side and then commits it on the other, the last resource, whose COMMIT decides.
// The prepared side keeps its locks and follows, however long that takes and whoever sees to it: its prepared transaction's
// name and the last resource's marker say all that there is to know.
type twoPhase struct {
	co       *coordinator
	prepares engine.Role // the prepared participant
}

func (twoPhase) name() Protocol { return TwoPhase }
func (twoPhase) ordered() bool  { return true }
func (twoPhase) repeats() bool  { return false }

// decides is the last resource.
func (p twoPhase) decides() engine.Role { return p.prepares.Other() }

func (p twoPhase) commit(t *tx) error {
	co := p.co
	m := engine.Marker{TxID: t.id, Journal: co.journal.id()}
	e, err := p.prepare(t, m)
	if err != nil {
		return err
	}
	ctx, cancel := t.commitContext()
	defer cancel()
	p.co.passing(atIntent)
	f := co.window.enter(t.id)
	unknown, failed := t.commitOn(ctx, p.decides(), &m)
	if unknown != nil {
		state, err := co.fence(ctx, p.decides(), m)
		if err != nil {
			err = &InDoubtError{TxID: t.id, Err: fmt.Errorf("the reply to COMMIT on the %s is lost (%w), and it cannot be asked: %w", p.decides(), unknown, err)}
			co.stuck(e, f, InDoubt, err)
			return err
		}
		if state == engine.Aborted {
			failed = unknown
		}
	}
	if failed != nil {
		failed = t.refused(p.decides(), "commit", failed)
		if err := p.rollbackPrepared(ctx, t); err != nil {
			co.cleanUp(e, f, err)
			return t.rolledBack(ctx, nil, failed)
		}
		defer f.leave()
		return t.rolledBack(ctx, e, failed)
	}
	co.decided(e)
	p.co.passing(atDecided)
	if co.cfg.Ack == AckDecided && p.prepares == engine.Secondary {
		t.c.lane.follow(func() {
			ctx, cancel := context.WithTimeout(co.bg, co.cfg.CommitTimeout)
			defer cancel()
			if err := p.complete(ctx, t.c.secondary, e, f); err != nil {
				_ = t.c.secondary.Close() // the next transaction finds it so
			}
		})
		return nil
	}
	err = p.complete(ctx, t.c.session(p.prepares), e, f)
	if err != nil {
		t.c.lose(p.prepares)
	}
	return err
}

// prepare brings the journal and the prepared participant to where the last resource may decide. After an error both sides
// are rolled back. The intent need not be durable: should a power loss take it, the sweep finds what is prepared.
func (p twoPhase) prepare(t *tx, m engine.Marker) (*entry, error) {
	co := p.co
	var state preparation
	e, err := co.journal.beginLoose(t.intentOf(p), co.cfg.RedoLimit)
	if err == nil {
		state, err = p.prepareSide(t, m)
	}
	if err == nil {
		return e, nil
	}
	ctx, cancel := t.commitContext()
	defer cancel()
	var left error
	switch state {
	case perhapsPrepared:
		t.c.lose(p.prepares)
		left = p.undo(ctx, t.id)
	case isPrepared:
		left = p.rollbackPrepared(ctx, t)
	}
	if left != nil {
		co.cleanUp(e, co.window.enter(t.id), left)
		e = nil
	}
	return nil, t.rolledBack(ctx, e, err)
}

// preparation is what is known of the prepared participant.
type preparation int

const (
	notPrepared preparation = iota
	isPrepared
	perhapsPrepared
)

// prepareSide runs the last statement, if it was kept back for this, and prepares. Both travel together where they can; until
// the statement has been answered the caller may still cancel.
func (p twoPhase) prepareSide(t *tx, m engine.Marker) (preparation, error) {
	s := t.c.session(p.prepares).(engine.Preparing)
	gid := p.co.gid(t.id)
	var err error
	if t.last != nil {
		s.PrepareAlong(gid, m)
		if err = t.last(t.ctx); err != nil && !s.PreparedAlong() {
			return notPrepared, err
		}
	}
	p.co.passing(atBarrier)
	ctx, cancel := t.commitContext()
	defer cancel()
	perr := s.PrepareTransaction(ctx, gid, m)
	p.co.passing(atPrepared)
	state := isPrepared
	var unknown *engine.UnknownError
	switch {
	case errors.As(perr, &unknown):
		state, perr = perhapsPrepared, &SideError{Side: p.prepares.String(), Op: "PREPARE TRANSACTION", TxID: t.id, Err: unknown.Err}
	case perr != nil:
		state, perr = notPrepared, t.refused(p.prepares, "PREPARE TRANSACTION", p.advise(perr))
	}
	if err == nil {
		err = perr
	}
	return state, err
}

// advise says what to do about a PREPARE that was refused.
func (p twoPhase) advise(err error) error {
	switch {
	case errors.Is(err, ErrPrepareSlots):
		return fmt.Errorf("%w; raise max_prepared_transactions to the number of connections that write, and restart the server", err)
	case errors.Is(err, ErrUnpreparable) && p.prepares == engine.Secondary:
		return fmt.Errorf("%w; keep that statement to the primary with WithPrimaryOnly, or run this transaction under WithBestEffort", err)
	case errors.Is(err, ErrUnpreparable):
		return fmt.Errorf("%w; run this transaction under WithBestEffort", err)
	}
	return err
}

// complete commits the prepared participant of a transaction that is decided. The error is a *HalfDoneError, and the
// resolver goes on.
func (p twoPhase) complete(ctx context.Context, s engine.Session, e *entry, f *flight) error {
	co := p.co
	err := s.(engine.Preparing).CommitPrepared(ctx, co.gid(e.txid))
	answered := err == nil
	if err != nil {
		err = co.retry(ctx, p.prepares, func() error {
			_, err := p.finish(ctx, e.txid)
			return err
		})
	}
	if err != nil {
		err = &HalfDoneError{TxID: e.txid, Committed: p.decides().String(), Pending: p.prepares.String(), Err: err}
		co.stuck(e, f, HalfDone, err)
		return err
	}
	p.co.passing(atFinished)
	co.ended(e, Committed)
	p.co.passing(atEnded)
	f.leave()
	if answered {
		co.collect(e.txid)
	}
	return nil
}

// rollbackPrepared undoes a transaction that was prepared and must not commit.
func (p twoPhase) rollbackPrepared(ctx context.Context, t *tx) error {
	err := t.c.session(p.prepares).(engine.Preparing).RollbackPrepared(ctx, p.co.gid(t.id))
	t.c.lose(p.prepares) // PREPARE has kept what the transaction had set in the session
	if err == nil {
		return nil
	}
	return p.undo(ctx, t.id) // also where it is gone: who has ended it, and how?
}

// gidPrefix begins the names of dualsql's prepared transactions; the pair's id and the TxID follow.
const gidPrefix = "dualsql:"

func (co *coordinator) gid(txid uuid.UUID) string { return co.gidsOfPair() + txid.String() }

func (co *coordinator) gidsOfPair() string { return gidPrefix + co.pairID().String() + ":" }
