package dualsql

import (
	"context"
	"errors"

	"github.com/dualsql/dualsql/internal/engine"
)

// Init creates in both databases what dualsql keeps there, and makes them a pair, as the first connection does by itself
// where its role may. It is for another role than the application's; `dualsql init -print` shows the SQL and the grants. It
// needs no journal, may be repeated, and runs beside a live application. Databases that belong to other pairs are
// [ErrPairMismatch], and nothing is changed in them.
func (c *Connector) Init(ctx context.Context) (err error) {
	if able, why := canMark(c.sides); !able {
		return refuse("there is nothing to create: %s; such a pair runs with commit=besteffort", why)
	}
	var sessions [2]engine.Marking
	for role, side := range c.sides {
		s, err := side.connect(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		sessions[role] = s.(engine.Marking)
	}
	if err := distinct(ctx, sessions[engine.Primary], sessions[engine.Secondary]); err != nil {
		return err
	}
	_, err = claim(ctx, sessions[engine.Primary], sessions[engine.Secondary])
	return err
}
