package dualsql

import (
	"context"

	"github.com/dualsql/dualsql/internal/engine"
)

// Init creates in both databases what dualsql keeps there, and makes them a pair, as the first connection does by itself
// where its role may. It is for another role than the application's; `dualsql init -print` shows the SQL and the grants. It
// needs no journal, may be repeated, and runs beside a live application. Databases that belong to other pairs are
// [ErrPairMismatch], and nothing is changed in them.
func (c *Connector) Init(ctx context.Context) error {
	if able, why := canMark(c.sides); !able {
		return refuse("there is nothing to create: %s; such a pair runs with commit=besteffort", why)
	}
	return c.withSessions(ctx, func(s [2]engine.Session) error {
		_, err := claimPair(ctx, s[engine.Primary].(engine.Marking), s[engine.Secondary].(engine.Marking))
		return err
	})
}
