package dualsql

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// The journal's own entries that no commit protocol made. Both are reported until an operator forgets them.
const (
	bareStatement Protocol = "statement"    // a statement that cannot run in a transaction
	lostRedo      Protocol = "redo is lost" // a transaction of a journal that is gone
)

// runBare runs a statement that the databases refuse inside a transaction, such as VACUUM or CREATE INDEX CONCURRENTLY, on
// one side after the other. Nothing can take it back: if the second side fails, it is reported as half done.
func (c *Conn) runBare(ctx context.Context, q call) (driver.Result, driver.Rows, error) {
	co := c.co
	if len(q.args) > 0 {
		return nil, nil, fmt.Errorf("dualsql: %s takes no arguments", q.plan.st.Verb)
	}
	if q.plan.st.Count > 1 {
		return nil, nil, fmt.Errorf("dualsql: %q has %s among other statements, which cannot run in a transaction; run it by itself", shorten(q.plan.st.Text), q.plan.st.Verb)
	}
	if err := co.admit(ctx); err != nil {
		return nil, nil, err
	}
	if err := c.needSecondary(ctx); err != nil {
		return nil, nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	text, there := q.plan.st.Text, q.plan.st.Text
	if q.variant != nil {
		there = q.variant.st.Text
	}
	in := co.newIntent(id, bareStatement)
	in.redo = []redoStatement{{text: there, rows: -1}}
	e, err := co.journal.begin(in, co.cfg.RedoLimit)
	if err != nil {
		return nil, nil, err
	}
	c.co.passing(atIntent)
	var res driver.Result
	sent := false
	run := func() error {
		sent = true
		res, err = c.primary.Exec(ctx, text, nil)
		return err
	}
	if c.guard != nil {
		err = c.guard.Unguarded(ctx, run)
	} else {
		err = run()
	}
	if err != nil {
		answered := ctx.Err() == nil && c.primary.Valid() && co.sides[engine.Primary].engine != engine.Generic
		// pgx says ErrBadConn also of a connection that is lost while it waits for the answer.
		if answered || !sent || err == driver.ErrBadConn && c.guard == nil {
			co.ended(e, RolledBack) // the primary has refused it, or it was never sent
			return nil, nil, err
		}
		err = &InDoubtError{TxID: id, Err: fmt.Errorf("%s on the primary: %w", q.plan.st.Verb, err)}
		co.report(e, InDoubt, err)
		return nil, nil, err
	}
	co.decided(e)
	c.co.passing(atDecided)
	if _, err = wait(ctx, co.window.ahead()); err == nil {
		_, err = c.secondary.Exec(ctx, there, nil)
	}
	if err != nil {
		c.dropSecondary()
		err = &HalfDoneError{TxID: id, Committed: engine.Primary.String(), Pending: engine.Secondary.String(), Err: err}
		co.report(e, HalfDone, err)
		return nil, nil, err
	}
	co.ended(e, Committed)
	co.catalog.Add(1)
	return res, noRows(), nil
}
