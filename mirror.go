package dualsql

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// write runs a statement that does not run on the primary as a plain read.
func (c *Conn) write(ctx context.Context, r route, q call, query bool) (driver.Result, driver.Rows, error) {
	switch r {
	case onSession:
		return c.setSession(ctx, q, query)
	case onBothBare:
		return c.runBare(ctx, q)
	}
	if c.tx != nil {
		return c.tx.mirror(ctx, q, query)
	}
	if r == onBoth {
		// Before the transaction takes any lock that recovery may need.
		if err := c.co.admit(ctx); err != nil {
			return nil, nil, err
		}
	}
	var res driver.Result
	var rows driver.Rows
	err := c.alone(ctx, func(t *tx) (err error) {
		if r != onPrimaryWrite {
			res, rows, err = t.mirror(ctx, q, query)
			return err
		}
		t.primaryOnly = hintOf(ctx, q.plan) == sqltext.HintPrimary
		if err = t.alter(ctx, q.plan.st, false); err == nil {
			res, rows, err = t.onPrimary(ctx, q, q.args, query)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return res, rows, nil
}

// alone runs f as a transaction of its own.
func (c *Conn) alone(ctx context.Context, f func(t *tx) error) error {
	t, err := c.begin(ctx, engine.TxOptions{Write: true}, true)
	if err != nil {
		return err
	}
	if err := f(t); err != nil {
		t.abandon()
		return err
	}
	return t.Commit()
}

// onPrimary runs a statement on the primary and reads its rows to the end.
func (t *tx) onPrimary(ctx context.Context, q call, args []driver.NamedValue, query bool) (res driver.Result, rows driver.Rows, err error) {
	c := t.c
	q.args = args
	st, text, args, err := c.forPrimary(q)
	if err != nil {
		return nil, nil, err
	}
	single := isSingle(q.plan.st)
	_, wary := c.primary.(engine.Wary)
	run := func() error {
		if wary && !single {
			// The driver remembers from binding where outputs go, and a look at the transaction makes it forget.
			if st, text, args, err = c.forPrimary(q); err != nil {
				return err
			}
		}
		var err error
		res, rows, err = engine.Run(ctx, c.primary, st, text, args, query)
		if err == nil && query {
			rows, err = readAll(rows)
		}
		return err
	}
	if q.plan.st.Savepoint.Op != sqltext.NoSavepoint {
		err = run() // it must not be inside another savepoint
	} else {
		err = c.primary.Atomic(ctx, single, run)
	}
	if err == nil {
		return res, rows, nil
	}
	if c.primary.Status() == engine.TxFailed && !c.co.sides[engine.Primary].engine.Revives() {
		t.err = &SideError{Side: "primary", Op: "statement " + shorten(q.plan.st.Text), TxID: t.id, Err: err}
	}
	if c.co.sides[engine.Primary].engine == engine.Generic && (ctx.Err() != nil || errors.Is(err, driver.ErrBadConn)) {
		// Whether the statement took effect is not known.
		t.err = &SideError{Side: "primary", Op: "statement " + shorten(q.plan.st.Text), TxID: t.id, Err: err}
	}
	return nil, nil, c.primaryError(err)
}

// isSingle reports whether a text is one statement of which nothing is left when it fails, and which cannot end its transaction:
// on SQL Server a SELECT INTO leaves its table, DROP TABLE a, b what it came to, and a procedure does what it likes.
func isSingle(st *sqltext.Statement) bool {
	switch st.Kind {
	case sqltext.Read, sqltext.LockingRead:
		return st.Count <= 1
	case sqltext.Write:
		return st.Count <= 1 && st.Counts && !strings.Contains(strings.ToUpper(st.Text), "EXEC")
	}
	return false
}

// mirror runs a statement on the primary and, when it has succeeded there, queues it for the secondary.
func (t *tx) mirror(ctx context.Context, q call, query bool) (driver.Result, driver.Rows, error) {
	c := t.c
	if err := t.doomed(); err != nil {
		return nil, nil, err
	}
	if query && q.plan.st.Counts && !q.plan.st.Returns {
		// Its rows-affected are worth comparing, and it has no rows.
		_, _, err := t.mirror(ctx, q, false)
		return nil, noRows(), err
	}
	args, plain, err := resolve(q.args)
	if err == nil {
		err = c.co.agree(args)
	}
	if err != nil {
		return nil, nil, err
	}
	if q.parts != nil {
		if query || len(args) > engine.LeadingOptions(args) {
			return nil, nil, c.cannotMirror(ctx, q, "", errSeveral)
		}
		return t.runParts(ctx, q.parts)
	}
	other, seen, err := c.captures(ctx, q, args, query)
	if err != nil {
		return nil, nil, err
	}
	if other != nil && other.parts != nil {
		return t.runParts(ctx, other.parts)
	}
	if err := t.alter(ctx, q.plan.st, true); err != nil {
		return nil, nil, err
	}
	t.rely(seen)
	if other != nil {
		return t.mirrorRows(ctx, q, other, args, query)
	}
	if err := t.enlist(ctx); err != nil {
		return nil, nil, err
	}
	m, err := t.bindSecondary(ctx, q, args)
	if err != nil {
		return nil, nil, err
	}
	sp := q.plan.st.Savepoint
	if sp.Op == sqltext.RollbackToSavepoint && c.primary.Status() == engine.TxOpen {
		if err := c.lane.beforeRollbackTo(ctx); err != nil {
			return nil, nil, err
		}
	}
	res, rows, err := t.onPrimary(ctx, q, args, query)
	if err != nil {
		return nil, nil, err
	}
	if sp.Op == sqltext.RollbackToSavepoint {
		c.lane.rolledBackTo(sp.Name)
	}
	m.query = query && (m.plan == q.plan || m.plan.st.Returns || !m.plan.st.Counts)
	if q.plan.st.Counts && m.plan.st.Counts {
		if query {
			m.rows = rows.(*bufferedRows).count()
		} else {
			m.rows = affected(res)
		}
	}
	if err := setUpBehind(ctx, c.primary, q.plan.st); err != nil {
		t.err = settled("primary", "set up the session", err)
		return nil, nil, t.err
	}
	t.note(q.plan.st)
	t.ddl = t.ddl || m.plan.st.Kind == sqltext.DDL
	t.forgetCaptured(q.plan.st)
	if m.plan != q.plan {
		t.forgetCaptured(m.plan.st)
	}
	if t.writes > 0 && c.co.sides[engine.Primary].engine.OneWriter() {
		c.lane.hurry() // nobody else has a place on the primary now
	}
	t.show(m.text)
	if plain {
		t.noteSettings(q.plan.st, &m.redoStatement)
	} else {
		t.noteSettings(q.plan.st, nil)
	}
	m.ahead = c.co.window.ahead()
	job := laneJob{size: m.size(), run: func(ctx context.Context) error { return t.repeat(ctx, m) }, releases: sp.Op == sqltext.ReleaseSavepoint}
	if sp.Op == sqltext.SetSavepoint {
		job.savepoint = sp.Name
	}
	if err := c.lane.add(t.ctx, job); err != nil {
		return nil, nil, err
	}
	if !plain || resetsAll(q.plan.st) || q.plan.st.Deallocates {
		// What the arguments refer to may change once the caller has them back; and behind a reset the session has to be set up
		// before anything else is sent.
		if err := c.lane.barrier(ctx); err != nil {
			return nil, nil, err
		}
	}
	return res, rows, nil
}

// enlist gives the transaction its id and the secondary, with the first mirrored statement. Nothing is sent for it to the
// secondary yet.
func (t *tx) enlist(ctx context.Context) error {
	if t.id != uuid.Nil {
		return nil
	}
	c := t.c
	if err := c.co.admit(ctx); err != nil {
		return err
	}
	if err := c.needSecondary(ctx); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	t.id = id
	lazy := c.co.sides[engine.Secondary].engine.OneWriter()
	two, ok := t.protocol().(twoPhase)
	c.lane.start(t.ctx, lazy, ok && two.prepares == engine.Secondary, func() {
		ctx, cancel := cleanupContext(t.ctx)
		defer cancel()
		_ = c.secondary.Rollback(ctx) // so that the locks go at once; if it fails, the session is closed at the end
	})
	return nil
}

// note keeps what the end of the transaction must know of a statement that has run on the primary.
func (t *tx) note(st *sqltext.Statement) {
	switch st.Kind {
	case sqltext.Savepoint, sqltext.Session:
	case sqltext.DDL:
		t.ddl = true
		fallthrough
	default:
		t.writes++
	}
}

// maxShown is how many statements the journal shows of a transaction whose statements it need not keep.
const maxShown = 8

func (t *tx) show(text string) {
	if len(t.shown) < maxShown {
		t.shown = append(t.shown, redoStatement{text: shorten(text), rows: -1})
	}
}
