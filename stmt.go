package dualsql

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// Stmt is a prepared statement: prepared on the primary at once, on the secondary when it is first mirrored. Like every
// driver.Stmt it is not safe for concurrent use.
type Stmt struct {
	c       *Conn
	plan    *plan
	bound   [2]*binding
	primary driver.Stmt

	secondary  driver.Stmt
	generation int // the connection that secondary was prepared on
}

func (c *Conn) prepare(ctx context.Context, text string) (*Stmt, error) {
	p := c.co.plans.get(text)
	if p.st.Kind == sqltext.TxControl {
		return nil, txControl(p.st)
	}
	if err := c.usable(); err != nil {
		return nil, err
	}
	s := &Stmt{c: c, plan: p}
	for role, sd := range c.co.sides {
		b := &binding{}
		var err error
		if b.text, b.params, err = p.st.Bind(sqltext.Shape{Unknown: true}, sd.engine.Style()); err != nil {
			return nil, err
		}
		s.bound[role] = b
	}
	var err error
	if s.primary, err = c.primary.Prepare(ctx, s.bound[engine.Primary].text); err != nil {
		return nil, c.primaryError(err)
	}
	return s, nil
}

// onSecondary returns the statement as prepared on the secondary. It must not be called while the lane is busy.
func (s *Stmt) onSecondary(ctx context.Context) (driver.Stmt, error) {
	if s.secondary != nil && s.generation == s.c.generation {
		return s.secondary, nil
	}
	st, err := s.c.secondary.Prepare(ctx, s.bound[engine.Secondary].text)
	if err != nil {
		return nil, &SideError{Side: "secondary", Op: "prepare " + shorten(s.plan.st.Text), Err: err}
	}
	s.secondary, s.generation = st, s.c.generation
	return st, nil
}

// ExecContext implements driver.StmtExecContext.
func (s *Stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	res, _, err := s.c.run(ctx, call{plan: s.plan, args: args, st: s}, false)
	return res, err
}

// QueryContext implements driver.StmtQueryContext.
func (s *Stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	_, rows, err := s.c.run(ctx, call{plan: s.plan, args: args, st: s}, true)
	return rows, err
}

// Exec implements driver.Stmt.
func (s *Stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

// Query implements driver.Stmt.
func (s *Stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}

// CheckNamedValue implements driver.NamedValueChecker; see [Conn.CheckNamedValue].
func (s *Stmt) CheckNamedValue(nv *driver.NamedValue) error { return s.c.CheckNamedValue(nv) }

// NumInput implements driver.Stmt. With named placeholders, or when the driver does not know, the number is not checked
// before the statement runs.
func (s *Stmt) NumInput() int {
	if s.bound[engine.Primary].params != nil {
		return -1
	}
	return s.primary.NumInput()
}

// Close implements driver.Stmt.
func (s *Stmt) Close() error {
	err := s.primary.Close()
	if s.secondary != nil && s.generation == s.c.generation && s.c.secondary != nil {
		ctx, cancel := cleanupContext(context.Background())
		defer cancel()
		_ = s.c.lane.barrier(ctx) // its failure is the transaction's, not this statement's
		if ctx.Err() == nil {     // else the lane has the session still, and the statement ends with that
			err = errors.Join(err, s.secondary.Close())
		}
	}
	return err
}

var (
	_ driver.StmtExecContext   = (*Stmt)(nil)
	_ driver.StmtQueryContext  = (*Stmt)(nil)
	_ driver.NamedValueChecker = (*Stmt)(nil)
)
