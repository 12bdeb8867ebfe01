package dualsql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
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
	bestEffort  bool                        // the caller has asked for that protocol
	primaryOnly bool                        // the caller has asked for statements on the primary alone
	last        func(context.Context) error // the last statement, which the secondary is still to run; nil: it has run all
	settings    []setting
	shown       []redoStatement // the first few statements, for the journal to show where it need not keep them
	marks       []savepointMark // of the savepoints
	// unrepeatable: it leaves behind session state that another session could not be given.
	unrepeatable bool
	// rearranged: what is known of tables may not hold any more when the transaction ends.
	rearranged bool
	altering   bool          // it may change tables
	levelled   bool          // a statement has set its isolation level
	seen       []engine.Seen // what the mirroring of its statements relies on
	err        error         // why the transaction can only be rolled back; see doomed

	// These belong to the lane while it is busy.
	begun bool // the secondary is in its transaction
	redo  []redoStatement
	size  int64 // of redo
}

// doomed returns why the transaction can only be rolled back, or nil.
func (t *tx) doomed() error {
	if t.err == nil && t.id != uuid.Nil {
		if err := t.c.lane.failure(); err != nil {
			t.err = t.explain(err)
		}
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
	err := t.commit()
	if err == nil {
		for _, s := range t.settings {
			c.keep(s)
		}
		c.broken = c.broken || t.unrepeatable
		if t.ddl {
			c.co.catalog.Add(1)
		}
	} else {
		t.leaveSettings()
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
		var err error
		if t.writes > 0 && (len(t.seen) == 0 || !t.snapshot()) {
			t.last, err = c.lane.last(t.ctx)
		} else { // all has to have run before checkSeen
			err = c.lane.barrier(t.ctx)
		}
		if err == nil && t.last != nil && !t.begun && !c.secondary.Valid() {
			// It was lost with the transaction before, which was still following.
			c.dropSecondary()
			err = c.needSecondary(t.ctx)
		}
		if err != nil {
			return t.explain(err)
		}
	}
	if c.primary.Status() == engine.TxIdle {
		return errEndedBehind
	}
	if t.begun && c.secondary.Status() == engine.TxIdle {
		return t.secondaryError("commit", errEndedBehindSecondary)
	}
	if err := t.checkSeen(t.ctx); err != nil {
		return err
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

// errEndedBehind: a text that nobody could read, or a hand on the raw connection, has ended the transaction. What it wrote is
// on the primary or it is not; the secondary's part is rolled back.
var errEndedBehind = errors.New("dualsql: primary: the transaction was ended behind the driver's back, and is rolled back on the secondary: " +
	"compare the tables that it wrote; use Commit and Rollback of the transaction, and nothing else")

var errEndedBehindSecondary = errors.New("the transaction was ended behind the driver's back: compare the tables that it wrote; leave BEGIN, COMMIT and ROLLBACK to the driver")

var errFailedBehindSecondary = errors.New("the transaction has failed behind the driver's back; what is run on the raw connection can fail it")

var errUnmirrored = errors.New("unmirrored write")

func (t *tx) protocol() protocol {
	if t.bestEffort {
		return besteffort{t.c.co}
	}
	return t.c.co.protocol()
}

// commitContext is what the commit phase runs on: a caller who cancels must not cut a COMMIT in two.
func (t *tx) commitContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(t.ctx), t.c.co.cfg.CommitTimeout)
}

func (t *tx) commit() error {
	c := t.c
	if t.writes > 0 && c.primary.Status() == engine.TxOpen {
		if len(t.seen) > 0 {
			c.primary.(engine.Cataloged).Expect(t.seen, !t.snapshot())
		}
		err := t.protocol().commit(t)
		if len(t.seen) > 0 && err != nil && !undecided(err) {
			err = t.explain(err)
		}
		return err
	}
	ctx, cancel := t.commitContext()
	defer cancel()
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
	t.leaveSettings()
	t.finish()
	return err
}

// leaveSettings: on SQL Server a SET outlives the transaction that is rolled back, and the other side need not have run it.
func (t *tx) leaveSettings() {
	if len(t.settings) > 0 && t.c.co.sides[engine.Primary].engine.Forgets() {
		t.c.broken = true
	}
}

// abandon rolls back for a cause that the caller is to see as it is. A rollback that fails has closed its connection, which
// rolls back as well.
func (t *tx) abandon() { _ = t.Rollback() }

// endSecondary rolls the secondary back. A session on which that fails is closed, and the server does it.
func (t *tx) endSecondary(ctx context.Context) {
	c := t.c
	if c.lane.following() {
		return // nothing has been begun behind it
	}
	if c.secondary != nil && (t.begun && c.secondary.Rollback(ctx) != nil || !c.secondary.Valid()) {
		c.dropSecondary()
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
	if t.rearranged {
		t.c.captured = captured{} // what was set for the transaction ends with it
	}
	if t.altering {
		t.c.co.catalog.Add(1)
	}
}
