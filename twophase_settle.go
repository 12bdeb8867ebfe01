package dualsql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// byHandError says that somebody has ended a prepared transaction against the last resource's decision.
type byHandError struct {
	side engine.Role
	done string
}

// What a hand may have done.
const (
	handCommitted  = "committed"
	handRolledBack = "rolled back"
)

func (e *byHandError) Error() string {
	return fmt.Sprintf("its prepared transaction on the %s was %s by hand: the sides differ by it; make them equal and run `dualsql recover --forget`", e.side, e.done)
}

// settle fences the last resource, and makes the prepared participant follow.
func (p twoPhase) settle(ctx context.Context, e *entry) (Outcome, error) {
	state, _, err := p.end(ctx, e.txid, func() { p.co.decided(e) })
	if err != nil {
		return 0, err
	}
	if state == engine.Committed {
		return Committed, nil
	}
	return RolledBack, nil
}

// end reports also whether it was this call that has ended what was prepared.
func (p twoPhase) end(ctx context.Context, txid uuid.UUID, decided func()) (state engine.State, own bool, err error) {
	state, err = p.co.fenceOnce(ctx, p.decides(), engine.Marker{TxID: txid, Journal: p.co.journal.id()})
	if err != nil {
		return 0, false, err
	}
	p.co.passing(atFenced)
	if state == engine.Committed {
		decided()
		own, err = p.finish(ctx, txid)
	} else {
		own, err = p.undoOnce(ctx, txid)
	}
	if err == nil {
		p.co.passing(atFinished)
	}
	return state, own, err
}

// finish commits the prepared participant of a transaction that is decided, on a session of its own.
func (p twoPhase) finish(ctx context.Context, txid uuid.UUID) (own bool, err error) {
	var state engine.State
	err = p.withPrepared(ctx, func(s engine.Preparing) error {
		err := s.CommitPrepared(ctx, p.co.gid(txid))
		if own = err == nil; errors.Is(err, engine.ErrNotPrepared) {
			state, err = s.MarkerState(ctx, txid)
		}
		return err
	})
	if own || err != nil || state == engine.Committed {
		return own, err
	}
	// Its owner may have finished it and deleted its markers: the last resource's first, so it is gone there too.
	err = p.co.withSession(ctx, p.decides(), func(s engine.Marking) (err error) {
		state, err = s.MarkerState(ctx, txid)
		return err
	})
	if err == nil && state == engine.Committed {
		err = &byHandError{p.prepares, handRolledBack}
	}
	return false, err
}

// undo rolls back what is prepared and sees to it that nothing of the transaction will be prepared later. It tries until ctx
// ends.
func (p twoPhase) undo(ctx context.Context, txid uuid.UUID) error {
	return p.co.retry(ctx, p.prepares, func() error {
		_, err := p.undoOnce(ctx, txid)
		return err
	})
}

// undoOnce leaves a fence where nothing is prepared: the PREPARE may still be on its way, and has to collide. If it comes in
// between, the fence waits for it in vain, and the next attempt finds it.
func (p twoPhase) undoOnce(ctx context.Context, txid uuid.UUID) (own bool, err error) {
	err = p.withPrepared(ctx, func(s engine.Preparing) error {
		err := s.RollbackPrepared(ctx, p.co.gid(txid))
		if own = err == nil; !errors.Is(err, engine.ErrNotPrepared) {
			return err
		}
		state, err := s.Fence(ctx, engine.Marker{TxID: txid, Journal: p.co.journal.id()})
		if err == nil && state == engine.Committed {
			err = &byHandError{p.prepares, handCommitted}
		}
		return err
	})
	return own, err
}

func (p twoPhase) withPrepared(ctx context.Context, f func(engine.Preparing) error) error {
	return p.co.withSession(ctx, p.prepares, func(s engine.Marking) error { return f(s.(engine.Preparing)) })
}

// orphan is a prepared transaction that is in no journal of this process.
type orphan struct {
	side engine.Role // where it is prepared
	PendingTx
}

// sweepPrepared ends the pair's prepared transactions that are older than orphan_age, whoever has made them: those whose
// owner is gone, with its journal or without. An owner that is only slow is told that it was rolled back. What cannot be
// ended is listed until it is.
func (co *coordinator) sweepPrepared(ctx context.Context) {
	ended := map[uuid.UUID]engine.State{}
	var left []orphan
	for _, role := range []engine.Role{engine.Primary, engine.Secondary} {
		list, err := co.preparedOn(ctx, role, co.cfg.OrphanAge)
		if err != nil {
			if ctx.Err() == nil {
				co.log.Warn("dualsql: looking for prepared transactions", "side", role.String(), "error", err)
			}
			left = append(left, co.orphansKnown(role)...)
		}
		for _, o := range list {
			if co.journal.find(o.TxID) != nil {
				continue // this process is at work on it
			}
			state, own, err := twoPhase{co, role}.end(ctx, o.TxID, func() { o.State = HalfDone })
			var hand *byHandError
			switch {
			case errors.As(err, &hand) && hand.done == handCommitted:
				// Since it was listed its owner has finished it and begun to delete its markers.
			case err != nil:
				o.Problem = err.Error()
				co.log.Warn("dualsql: prepared transaction cannot be ended yet", "txid", o.TxID, "side", role.String(), "since", o.Since, "error", err)
				left = append(left, o)
			case own: // else its owner was quicker, and knows the outcome
				co.log.Info("dualsql: prepared transaction ended that nobody was finishing", "txid", o.TxID, "side", role.String(), "since", o.Since)
				co.stats.recovered.Add(1)
				ended[o.TxID] = state
			}
		}
	}
	co.openMu.Lock()
	defer co.openMu.Unlock()
	co.orphans = left
	maps.Copy(co.swept, ended)
}

// preparedOn lists the pair's prepared transactions on one side that are at least so old.
func (co *coordinator) preparedOn(ctx context.Context, role engine.Role, age time.Duration) (list []orphan, err error) {
	if co.pairID() == uuid.Nil {
		return nil, nil
	}
	err = co.withSession(ctx, role, func(s engine.Marking) error {
		preparing, ok := s.(engine.Preparing)
		if !ok {
			return nil
		}
		prefix := co.gidsOfPair()
		found, err := preparing.Prepared(ctx, prefix, age)
		for _, x := range found {
			if txid, err := uuid.Parse(strings.TrimPrefix(x.GID, prefix)); err == nil { // else it is not dualsql's
				list = append(list, orphan{role, PendingTx{TxID: txid, State: InDoubt, Protocol: TwoPhase, Since: x.Since,
					Sides: [2]string{co.sides[0].name, co.sides[1].name}, Statements: []string{}}})
			}
		}
		return err
	})
	return list, err
}

// orphansKnown returns what the last sweep has left on a side.
func (co *coordinator) orphansKnown(role engine.Role) []orphan {
	co.openMu.Lock()
	defer co.openMu.Unlock()
	return slices.DeleteFunc(slices.Clone(co.orphans), func(o orphan) bool { return o.side != role })
}

// sweepEvery keeps a prepared transaction from growing much older than orphan_age.
func (co *coordinator) sweepEvery() time.Duration {
	return max(co.cfg.OrphanAge/2, firstWait)
}
