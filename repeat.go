package dualsql

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// mirrored is one statement on its way to the secondary.
type mirrored struct {
	redoStatement
	plan  *plan
	st    driver.Stmt // nil: by text
	ahead []*flight
}

func (t *tx) bindSecondary(ctx context.Context, q call, args []driver.NamedValue) (mirrored, error) {
	c := t.c
	side := c.co.sides[engine.Secondary]
	m := mirrored{plan: q.plan, redoStatement: redoStatement{rows: -1}}
	if q.variant != nil {
		m.plan, q.plan, q.st = q.variant, q.variant, nil
	}
	var b *binding
	var err error
	if side.engine == engine.Generic || q.st != nil && (q.st.secondary == nil || q.st.generation != c.generation) {
		// The session is needed here: an unknown driver's checker may keep state, or a statement is to be prepared.
		if err := c.lane.barrier(ctx); err != nil {
			return m, err
		}
	}
	if q.st != nil {
		b = q.st.bound[engine.Secondary]
		if m.st, err = q.st.onSecondary(ctx); err != nil {
			if _, ok := c.primary.(engine.Cataloged); ok { // what was prepared there may not run any more either
				err = cmp.Or(c.wrong(ctx, q), err)
			}
			return m, err
		}
	} else if b, err = q.plan.bind(side, args[engine.LeadingOptions(args):]); err != nil {
		return m, fmt.Errorf("dualsql: %w", err)
	}
	m.text = b.text
	m.args, err = c.bindArgs(c.secondary, side, m.st, b, args)
	return m, err
}

// turn begins a job of the lane: what was ahead has landed, and the secondary is in its transaction.
func (t *tx) turn(ctx context.Context, text string, ahead []*flight) error {
	c := t.c
	stuck, err := wait(ctx, ahead)
	if err != nil {
		return err
	}
	if stuck != nil {
		return fmt.Errorf("dualsql: transaction %s is rolled back on both sides: %w: %s; try it again", t.id, ErrOvertaking, stuck.txid)
	}
	if t.begun && c.secondary.Status() == engine.TxIdle {
		return t.secondaryError("statement "+shorten(text), errEndedBehindSecondary)
	}
	if !t.begun {
		o := t.options
		o.Write = true
		if err := c.secondary.Begin(ctx, o); err != nil {
			return t.secondaryError("begin", err)
		}
		t.begun = true
	}
	return nil
}

// repeat runs in the lane: the statement's turn on the secondary has come.
func (t *tx) repeat(ctx context.Context, m mirrored) error {
	c := t.c
	if err := t.turn(ctx, m.plan.st.Text, m.ahead); err != nil {
		return err
	}
	repeats := t.protocol().repeats()
	if repeats {
		var err error
		if m.args, err = c.secondary.Portable(ctx, m.text, m.args); err != nil {
			return t.secondaryError("arguments of "+shorten(m.plan.st.Text), err)
		}
	}
	got, err := t.runSecondary(ctx, &m)
	if err != nil {
		return t.secondaryError("statement "+shorten(m.plan.st.Text), err)
	}
	if err := setUpBehind(ctx, c.secondary, m.plan.st); err != nil {
		return t.secondaryError("set up the session", err)
	}
	for _, set := range m.plan.st.Settings {
		if err := restore(ctx, c.secondary, set); err != nil {
			return t.secondaryError("set up the session", err)
		}
	}
	if m.rows, err = t.compare(m.plan.st.Text, m.rows, got); err != nil || !repeats {
		return err
	}
	return t.keepRedo(m.redoStatement)
}

// runSecondary runs a statement on the secondary and returns the rows it affected or returned; -1 when the driver cannot tell.
func (t *tx) runSecondary(ctx context.Context, m *mirrored) (n int64, err error) {
	run := func() (err error) {
		n, err = runRedo(ctx, t.c.secondary, m.st, &m.redoStatement)
		return err
	}
	if wary, ok := t.c.secondary.(engine.Wary); ok && !isSingle(m.plan.st) && m.plan.st.Savepoint.Op == sqltext.NoSavepoint {
		return n, wary.SameTransaction(ctx, run)
	}
	return n, run()
}

// compare compares the rows of a statement on the primary, negative if nobody knows, with those on the secondary. It returns how
// many the redo must have.
func (t *tx) compare(text string, want, got int64) (int64, error) {
	c := t.c
	if want < 0 || got < 0 || want == got {
		return want, nil
	}
	e := &DivergenceError{TxID: t.id, Statement: text, Primary: want, Secondary: got}
	c.co.stats.divergences.Add(1)
	if c.co.cfg.Divergence == DivergenceFail {
		return want, e
	}
	c.co.log.Warn("dualsql: the sides differ", "txid", t.id, "primary", want, "secondary", got, "statement", shorten(text))
	return got, nil
}

// keepRedo keeps what the journal needs.
func (t *tx) keepRedo(r redoStatement) error {
	t.size += r.size()
	if t.size > t.c.co.cfg.RedoLimit {
		return fmt.Errorf("dualsql: transaction %s is rolled back on both sides: %w (%d bytes); raise it or make the transaction smaller",
			t.id, ErrRedoTooLarge, t.c.co.cfg.RedoLimit)
	}
	t.redo = append(t.redo, r)
	return nil
}

// runRedo runs a statement on the secondary and returns the rows it affected or returned; -1 when the driver cannot tell.
func runRedo(ctx context.Context, s engine.Session, st driver.Stmt, r *redoStatement) (int64, error) {
	res, rows, err := engine.Run(ctx, s, st, r.text, r.args, r.query)
	switch {
	case err != nil:
		return 0, err
	case r.query:
		return countRows(rows)
	}
	return affected(res), nil
}

func (t *tx) secondaryError(op string, err error) error {
	return &SideError{Side: "secondary", Op: op, TxID: t.id, Err: err}
}
