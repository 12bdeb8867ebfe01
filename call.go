package dualsql

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/dualsql/dualsql/internal/engine"
)

// call is one execution of a text or of a prepared statement.
type call struct {
	plan    *plan
	args    []driver.NamedValue
	st      *Stmt   // nil: by text
	variant *plan   // of the text that the secondary gets in plan's place; nil: it gets plan's
	parts   []*plan // the statements of a text that go by themselves; nil: it goes as a whole
}

// run executes a call where it belongs, as a query or for its result alone.
func (c *Conn) run(ctx context.Context, q call, query bool) (driver.Result, driver.Rows, error) {
	r, err := c.route(ctx, &q)
	if err != nil {
		return nil, nil, err
	}
	if r == onPrimary {
		if err := c.usable(); err != nil {
			return nil, nil, err
		}
		st, text, args, err := c.forPrimary(q)
		if err != nil {
			return nil, nil, err
		}
		if c.tx != nil {
			if err := c.tx.alter(ctx, q.plan.st, false); err != nil {
				return nil, nil, err
			}
		}
		res, rows, err := engine.Run(ctx, c.primary, st, text, args, query)
		if err == nil && q.plan.st.Deallocates {
			rows, err = c.deallocated(ctx, rows)
		}
		if err == nil && c.tx != nil && c.tx.options.ReadOnly {
			c.tx.noteSettings(q.plan.st, nil) // the secondary gets them when it is next used
		}
		if err == nil || c.guard == nil || c.tx != nil || !c.guard.ReadOnlyViolation(err) {
			return res, rows, c.primaryError(err)
		}
		if r, err = c.routeGuarded(ctx, q.plan); err != nil {
			return nil, nil, err
		}
	}
	return c.write(ctx, r, q, query)
}

// deallocated has the primary's session forget what it had prepared for itself.
func (c *Conn) deallocated(ctx context.Context, rows driver.Rows) (driver.Rows, error) {
	if rows != nil {
		var err error
		if rows, err = readAll(rows); err != nil {
			return nil, err
		}
	}
	return rows, c.primary.Forget(ctx)
}

// usable reports why nothing more may run in a transaction: a statement of it has failed on the secondary.
func (c *Conn) usable() error {
	if c.tx == nil {
		return nil
	}
	return c.tx.doomed()
}

// primaryError keeps driver.ErrBadConn from leaving a transaction in which something has run.
func (c *Conn) primaryError(err error) error {
	if err == nil || c.tx == nil || c.tx.implicit {
		return err
	}
	return settled("primary", "statement", err)
}

// forPrimary binds a call that runs on the primary alone: pgx takes the caller's arguments as they are.
func (c *Conn) forPrimary(q call) (driver.Stmt, string, []driver.NamedValue, error) {
	side := c.co.sides[engine.Primary]
	args := q.args
	var st driver.Stmt
	var b *binding
	if q.st != nil {
		st, b = q.st.primary, q.st.bound[engine.Primary]
	} else {
		var err error
		if b, err = q.plan.bind(side, args[engine.LeadingOptions(args):]); err != nil {
			return nil, "", nil, fmt.Errorf("dualsql: %w", err)
		}
	}
	if b.params == nil && side.engine == engine.Postgres {
		return st, b.text, args, nil
	}
	args, err := c.bindArgs(c.primary, side, st, b, args)
	return st, b.text, args, err
}

// bindArgs arranges args for one side and has that side's checker bind them.
func (c *Conn) bindArgs(s engine.Session, sd *side, st driver.Stmt, b *binding, args []driver.NamedValue) ([]driver.NamedValue, error) {
	n := engine.LeadingOptions(args)
	own, err := b.arrange(args[n:])
	if err == nil {
		own, err = s.Bind(st, own)
	}
	if err != nil {
		return nil, fmt.Errorf("dualsql: %s: %w; nothing has run", sd.role, err)
	}
	if n > 0 && sd.engine == engine.Postgres {
		own = append(append(make([]driver.NamedValue, 0, n+len(own)), args[:n]...), own...)
	}
	return own, nil
}
