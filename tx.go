package dualsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// tx is a transaction over both sides. It begins on the primary; the secondary's part begins in the lane, with the first
// statement that is mirrored.
type tx struct {
	c        *Conn
	ctx      context.Context // what BeginTx was given
	options  engine.TxOptions
	implicit bool // of one statement, outside of any transaction of the caller's

	id          uuid.UUID // given with the first mirrored statement; zero before
	writes      int       // mirrored statements that change data
	ddl         bool
	primaryOnly bool // the caller has asked for statements on the primary alone
	settings    []setting
	err         error // why the transaction can only be rolled back; see doomed

	// These belong to the lane while it is busy.
	begun bool // the secondary is in its transaction
	redo  []redoStatement
	size  int64 // of redo
}

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
	t, err := c.begin(ctx, engine.TxOptions{Write: true}, true)
	if err != nil {
		return nil, nil, err
	}
	var res driver.Result
	var rows driver.Rows
	if r == onPrimaryWrite {
		t.primaryOnly = hintOf(ctx, q.plan) == sqltext.HintPrimary
		res, rows, err = t.onPrimary(ctx, q, q.args, query)
	} else {
		res, rows, err = t.mirror(ctx, q, query)
	}
	if err != nil {
		t.abandon()
		return nil, nil, err
	}
	if err := t.Commit(); err != nil {
		return nil, nil, err
	}
	return res, rows, nil
}

// onPrimary runs a statement on the primary and reads its rows to the end.
func (t *tx) onPrimary(ctx context.Context, q call, args []driver.NamedValue, query bool) (res driver.Result, rows driver.Rows, err error) {
	c := t.c
	q.args = args
	st, text, args, err := c.forPrimary(q)
	if err != nil {
		return nil, nil, err
	}
	run := func() error {
		var err error
		switch {
		case query && st != nil:
			rows, err = engine.QueryStmt(ctx, st, args)
		case query:
			rows, err = c.primary.Query(ctx, text, args)
		case st != nil:
			res, err = engine.ExecStmt(ctx, st, args)
		default:
			res, err = c.primary.Exec(ctx, text, args)
		}
		if err == nil && query {
			rows, err = readAll(rows)
		}
		return err
	}
	if q.plan.st.Kind == sqltext.Savepoint {
		err = run() // it must not be inside another savepoint
	} else {
		err = c.primary.Atomic(ctx, run)
	}
	if err == nil {
		return res, rows, nil
	}
	if c.co.sides[engine.Primary].engine == engine.Generic && (ctx.Err() != nil || errors.Is(err, driver.ErrBadConn)) {
		// Whether the statement took effect is not known.
		t.err = &SideError{Side: "primary", Op: "statement " + shorten(q.plan.st.Text), TxID: t.id, Err: err}
	}
	return nil, nil, c.primaryError(err)
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
	if err != nil {
		return nil, nil, err
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
		if err := c.lane.beforeRollbackTo(ctx, sp.Name); err != nil {
			return nil, nil, err
		}
	}
	res, rows, err := t.onPrimary(ctx, q, args, query)
	if err != nil {
		return nil, nil, err
	}
	m.query = query
	if q.plan.st.Counts {
		if query {
			m.rows = rows.(*bufferedRows).count()
		} else {
			m.rows = affected(res)
		}
	}
	if resetsAll(q.plan.st) {
		if err := c.primary.Setup(ctx); err != nil {
			t.err = settled("primary", "set up the session", err)
			return nil, nil, t.err
		}
	}
	t.note(q.plan.st)
	m.ahead = c.co.window.ahead()
	job := laneJob{run: func(ctx context.Context) error { return t.repeat(ctx, m) }}
	if sp.Op == sqltext.SetSavepoint {
		job.savepoint = sp.Name
	}
	if err := c.lane.add(t.ctx, job); err != nil {
		return nil, nil, err
	}
	if !plain {
		// What the arguments refer to may change once the caller has them back.
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
	lazy := c.co.sides[engine.Secondary].engine.OneWriter() && !c.co.sides[engine.Primary].engine.OneWriter()
	c.lane.start(t.ctx, lazy, func() {
		ctx, cancel := cleanupContext(t.ctx)
		defer cancel()
		_ = c.secondary.Rollback(ctx) // so that the locks go at once; if it fails, the session is closed at the end
	})
	return nil
}

// note keeps what the end of the transaction must know of a statement that has run on the primary.
func (t *tx) note(st *sqltext.Statement) {
	switch st.Kind {
	case sqltext.Savepoint:
	case sqltext.Session:
		t.settings = append(t.settings, newSetting(st)...)
	case sqltext.DDL:
		t.ddl = true
		fallthrough
	default:
		t.writes++
	}
}

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
			return m, err
		}
	} else if b, err = q.plan.bind(side, args[engine.LeadingOptions(args):]); err != nil {
		return m, fmt.Errorf("dualsql: %w", err)
	}
	m.text = b.text
	m.args, err = c.bindArgs(c.secondary, side, m.st, b, args)
	return m, err
}

// repeat runs in the lane: the statement's turn on the secondary has come.
func (t *tx) repeat(ctx context.Context, m mirrored) error {
	c := t.c
	stuck, err := wait(ctx, m.ahead)
	if err != nil {
		return err
	}
	if stuck != nil && c.co.protocol().ordered() {
		return fmt.Errorf("dualsql: transaction %s is rolled back on both sides: %w: %s; try it again", t.id, ErrOvertaking, stuck.txid)
	}
	if !t.begun {
		o := t.options
		o.Write = true
		if err := c.secondary.Begin(ctx, o); err != nil {
			return t.secondaryError("begin", err)
		}
		t.begun = true
	}
	if m.args, err = c.secondary.Portable(ctx, m.text, m.args); err != nil {
		return t.secondaryError("arguments of "+shorten(m.plan.st.Text), err)
	}
	got, err := runRedo(ctx, c.secondary, m.st, &m.redoStatement)
	if err != nil {
		return t.secondaryError("statement "+shorten(m.plan.st.Text), err)
	}
	if resetsAll(m.plan.st) {
		if err := c.secondary.Setup(ctx); err != nil {
			return t.secondaryError("set up the session", err)
		}
	}
	if m.rows >= 0 && got >= 0 && m.rows != got {
		e := &DivergenceError{TxID: t.id, Statement: m.plan.st.Text, Primary: m.rows, Secondary: got}
		c.co.stats.divergences.Add(1)
		if c.co.cfg.Divergence == DivergenceFail {
			return e
		}
		c.co.log.Warn("dualsql: the sides differ", "txid", t.id, "primary", m.rows, "secondary", got, "statement", shorten(m.plan.st.Text))
		m.rows = got // so that the redo, if it is needed, goes on as well
	}
	t.size += m.size()
	if t.size > c.co.cfg.RedoLimit {
		return fmt.Errorf("dualsql: transaction %s is rolled back on both sides: %w (%d bytes); raise it or make the transaction smaller",
			t.id, ErrRedoTooLarge, c.co.cfg.RedoLimit)
	}
	t.redo = append(t.redo, m.redoStatement)
	return nil
}

// runRedo runs a statement on the secondary and returns the rows it affected or returned; -1 when the driver cannot tell.
func runRedo(ctx context.Context, s engine.Session, st driver.Stmt, r *redoStatement) (int64, error) {
	if r.query {
		var rows driver.Rows
		var err error
		if st != nil {
			rows, err = engine.QueryStmt(ctx, st, r.args)
		} else {
			rows, err = s.Query(ctx, r.text, r.args)
		}
		if err != nil {
			return 0, err
		}
		return countRows(rows)
	}
	var res driver.Result
	var err error
	if st != nil {
		res, err = engine.ExecStmt(ctx, st, r.args)
	} else {
		res, err = s.Exec(ctx, r.text, r.args)
	}
	if err != nil {
		return 0, err
	}
	return affected(res), nil
}

func (t *tx) secondaryError(op string, err error) error {
	return &SideError{Side: "secondary", Op: op, TxID: t.id, Err: err}
}

// doomed returns why the transaction can only be rolled back, or nil.
func (t *tx) doomed() error {
	if t.err == nil && t.id != uuid.Nil {
		t.err = t.c.lane.failure()
	}
	return t.err
}

// Commit implements driver.Tx.
func (t *tx) Commit() error {
	c := t.c
	if c.tx != t {
		return sql.ErrTxDone
	}
	if err := t.ready(); err != nil {
		c.co.stats.rolledBack.Add(1)
		t.abandon()
		return err
	}
	defer t.finish()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), c.co.cfg.CommitTimeout)
	defer cancel()
	err := t.commit(ctx)
	if err == nil {
		c.settings = append(c.settings, t.settings...)
		if t.ddl {
			c.co.catalog.Add(1)
		}
	}
	return err
}

// ready is the barrier: both sides have run everything, without a failure or a difference.
func (t *tx) ready() error {
	c := t.c
	if t.err != nil {
		return t.err
	}
	if t.id != uuid.Nil {
		if err := c.lane.barrier(t.ctx); err != nil {
			return err
		}
	}
	if t.writes > 0 || t.primaryOnly || t.options.ReadOnly || c.guard == nil || c.primary.Status() != engine.TxOpen {
		return nil
	}
	wrote, err := c.guard.Wrote(t.ctx)
	if err == nil && wrote {
		err = fmt.Errorf("dualsql: the transaction is rolled back: a statement that looked like a read has changed tables on the primary (%w); "+
			"run it under dualsql.WithMirror, or under WithPrimaryOnly if only the primary is to have it", errUnmirrored)
	}
	return err
}

var errUnmirrored = errors.New("unmirrored write")

func (t *tx) commit(ctx context.Context) error {
	c := t.c
	if t.writes > 0 && c.primary.Status() == engine.TxOpen {
		return c.co.protocol().commit(ctx, t)
	}
	// Nothing to keep in step: only the primary has something to end, or it has failed and answers so.
	err := c.primary.Commit(ctx, nil)
	if err != nil {
		t.endPrimary(ctx)
		t.endSecondary(ctx)
		var unknown *engine.UnknownError
		if errors.As(err, &unknown) {
			err = unknown.Err
		}
		return settled("primary", "commit", err)
	}
	if t.begun {
		if err := c.secondary.Commit(ctx, nil); err != nil {
			c.dropSecondary() // it held savepoints and settings only; the settings come back with the next one
		}
	}
	return nil
}

// Rollback implements driver.Tx.
func (t *tx) Rollback() error {
	c := t.c
	if c.tx != t {
		return sql.ErrTxDone
	}
	c.lane.stop()
	ctx, cancel := cleanupContext(t.ctx)
	defer cancel()
	t.endSecondary(ctx)
	err := settled("primary", "rollback", c.primary.Rollback(ctx))
	t.finish()
	return err
}

// abandon rolls back for a cause that the caller is to see as it is. A rollback that fails has closed its connection, which
// rolls back as well.
func (t *tx) abandon() { _ = t.Rollback() }

// endSecondary rolls the secondary back. A session on which that fails is closed, and the server does it.
func (t *tx) endSecondary(ctx context.Context) {
	if c := t.c; c.secondary != nil && t.begun {
		if c.secondary.Rollback(ctx) != nil || !c.secondary.Valid() {
			c.dropSecondary()
		}
	}
}

// endPrimary rolls the primary back after a COMMIT that failed.
func (t *tx) endPrimary(ctx context.Context) {
	if t.c.primary.Rollback(ctx) != nil {
		t.c.broken = true
	}
}

func (t *tx) finish() {
	t.c.lane.stop()
	t.c.tx = nil
}
