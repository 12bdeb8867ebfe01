package dualsql

import (
	"context"
	"errors"
	"fmt"

	"github.com/dualsql/dualsql/internal/engine"
)

// canMark reports whether both sides can carry markers, and else why not.
func canMark(sides [2]*side) (bool, string) {
	for _, s := range sides {
		if s.engine == engine.Generic {
			return false, fmt.Sprintf("the %s is a driver that dualsql knows nothing of", s.role)
		}
	}
	return true, "both sides can carry commit markers"
}

// choose settles on the protocol, and makes the pair ready for it.
func (co *coordinator) choose(ctx context.Context, first bool) (proto protocol, reason string, err error) {
	able, why := canMark(co.sides)
	if able {
		err = co.withSession(ctx, engine.Primary, func(p engine.Marking) error {
			return co.withSession(ctx, engine.Secondary, func(s engine.Marking) (err error) {
				if co.cfg.Commit == BestEffort {
					return distinct(ctx, p, s)
				}
				proto, why, err = co.strongest(ctx, [2]engine.Marking{p, s})
				return err
			})
		})
		if err == nil && proto != nil {
			err = co.ready(ctx, proto, first)
		}
		switch {
		case err == nil:
		case errors.Is(err, engine.ErrNoSchema) && co.cfg.Commit == Auto:
			proto, why = nil, err.Error()
		case errors.Is(err, engine.ErrNoSchema):
			return nil, "", refuse("%w; run `dualsql init` once as a role that may", err)
		default:
			return nil, "", err
		}
	}
	reason = why
	if co.cfg.Commit != Auto {
		reason = "the configuration says so"
	}
	if proto != nil {
		return proto, reason, nil
	}
	if stuck := co.stuckCount(); stuck > 0 {
		return nil, "", refuse("the journal has %d open transactions of commit=2pc or commit=marker; use that until they have ended", stuck)
	}
	return besteffort{co}, reason, nil
}

// ready makes the pair ready for a protocol that keeps markers.
func (co *coordinator) ready(ctx context.Context, proto protocol, first bool) error {
	if p, ok := proto.(twoPhase); ok {
		return co.prepareTwoPhase(ctx, p, first)
	}
	return co.prepareMarker(ctx, first)
}

// strongest chooses among the protocols that keep markers.
func (co *coordinator) strongest(ctx context.Context, s [2]engine.Marking) (protocol, string, error) {
	reason := "the configuration says so"
	want := co.cfg.Commit
	if before := co.proto.Load(); before != nil {
		want = (*before).name() // a process keeps its protocol: commits of the one before may be under way
	}
	if want != Marker {
		// With two that can, the secondary prepares: then a primary that can be reached is never in doubt.
		var why [2]string
		for _, role := range []engine.Role{engine.Secondary, engine.Primary} {
			slots, err := prepareSlots(ctx, s[role])
			if err != nil {
				return nil, "", &SideError{Side: role.String(), Op: "read max_prepared_transactions", Err: err}
			}
			if slots > 0 {
				co.slots.Store(int64(slots))
				if err := co.claim(ctx, s); err != nil {
					return nil, "", err
				}
				return twoPhase{co, role}, fmt.Sprintf("the %s can prepare %d transactions at once", role, slots), nil
			}
			why[role] = fmt.Sprintf("the %s cannot prepare transactions", role)
			if co.sides[role].engine == engine.Postgres {
				why[role] += " (max_prepared_transactions is 0)"
			}
		}
		reason = why[engine.Primary] + ", " + why[engine.Secondary]
		if want == TwoPhase {
			return nil, "", refuse("commit=2pc cannot be had: %s; set max_prepared_transactions on a PostgreSQL side to the number of connections that write, or use commit=auto", reason)
		}
	}
	return marker{co}, reason, nil
}

// prepareSlots returns how many transactions a side can prepare at once.
func prepareSlots(ctx context.Context, s engine.Marking) (int, error) {
	if p, ok := s.(engine.Preparing); ok {
		return p.PrepareSlots(ctx)
	}
	return 0, nil
}
