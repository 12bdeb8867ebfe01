package dualsql

import (
	"context"

	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// Conn is a connection to both databases, as database/sql's pool holds it. [sql.Conn.Raw] hands it out. Like every
// driver.Conn it is not safe for concurrent use.
type Conn struct {
	connector *Connector
	co        *coordinator
	primary   engine.Session
	guard     engine.Guarding // the primary, if it can refuse writes taken for reads; else nil

	// The secondary is connected when the first write needs it. While the lane is busy it belongs to the lane.
	secondary  engine.Session
	joined     bool  // the sessions count as ones of the pair's writer
	generation int   // counts the secondary's connections: what was prepared on an earlier one is gone
	catalog    int64 // the state of the catalog that its prepared statements are for
	rested     bool  // the pool has handed this connection out anew since the secondary was last used

	lane     lane
	tx       *tx
	captured captured
	levelled bool      // transactions may have another isolation level than is known
	settings []setting // the session statements since the primary was connected, for a secondary that comes later
	broken   bool
}

// setting is one session statement.
type setting struct {
	redoStatement
	name    string // a later one of the same name takes its place
	from    sqltext.Setting
	applied bool // the secondary has it
}

// Primary returns the primary's own connection, such as a *stdlib.Conn of pgx. What is done on it is not mirrored.
func (c *Conn) Primary() driver.Conn {
	c.captured = captured{} // whoever has the connection may change its settings
	return c.primary.Conn()
}

// Secondary returns the secondary's own connection, and makes it if there is none yet. What is done on it is done on the
// secondary alone. Inside a transaction it waits until the secondary has run what was mirrored so far.
func (c *Conn) Secondary(ctx context.Context) (driver.Conn, error) {
	if err := c.lane.barrier(ctx); err != nil {
		return nil, err
	}
	if c.tx == nil || !c.tx.begun { // else it has one, which must not be touched
		if err := c.needSecondary(ctx); err != nil {
			return nil, err
		}
	}
	return c.secondary.Conn(), nil
}

// Connector returns the connector that made the connection.
func (c *Conn) Connector() *Connector { return c.connector }

// needSecondary makes sure that the secondary is connected, in a usable state, and has all session settings. It must not be
// called while the lane is busy.
func (c *Conn) needSecondary(ctx context.Context) error {
	s := c.secondary
	if c.lane.following() {
		if c.upToDate() {
			c.rested = false
			return nil // the lane waits for the session
		}
		if err := c.lane.waitFollowing(ctx); err != nil {
			return err
		}
	}
	if s != nil && c.rested {
		if !s.Valid() || s.Reset(ctx) != nil {
			_ = s.Close() // it is not usable; a new one takes its place
			s, c.secondary = nil, nil
		} else if c.co.sides[engine.Secondary].engine.Forgets() {
			for i := range c.settings {
				c.settings[i].applied = false
			}
		}
	}
	c.rested = false
	catalog := c.co.catalog.Load()
	if s != nil && c.catalog != catalog {
		if s.Forget(ctx) != nil {
			c.dropSecondary()
			s = nil
		}
		c.generation++
	}
	c.catalog = catalog
	if s == nil {
		var err error
		if s, err = c.co.sides[engine.Secondary].connectLike(ctx, c.primary); err != nil {
			return err
		}
		c.secondary = s
		c.joined = false
		c.generation++
		for i := range c.settings {
			c.settings[i].applied = false
		}
	}
	for i := range c.settings {
		if err := c.applySetting(ctx, &c.settings[i]); err != nil {
			return &SideError{Side: "secondary", Op: "session statement " + shorten(c.settings[i].text), Err: err}
		}
	}
	if c.joined {
		return nil
	}
	if err := c.co.join(ctx, c); err != nil {
		c.dropSecondary()
		return &SideError{Side: "secondary", Op: "join the pair's writer", Err: err}
	}
	c.joined = c.co.prepared.Load() && c.primary.Status() != engine.TxFailed
	return nil
}

// upToDate reports whether the secondary's session needs nothing before its next transaction.
func (c *Conn) upToDate() bool {
	for i := range c.settings {
		if !c.settings[i].applied {
			return false
		}
	}
	return c.secondary != nil && c.joined && c.catalog == c.co.catalog.Load()
}

// session returns the session on one side. It must not be called for the secondary while the lane is busy.
func (c *Conn) session(role engine.Role) engine.Session {
	if role == engine.Primary {
		return c.primary
	}
	return c.secondary
}

// lose gives up the session on one side, whose state is not known any more.
func (c *Conn) lose(role engine.Role) {
	if role == engine.Primary {
		c.broken = true
	} else {
		c.dropSecondary()
	}
}

func (c *Conn) applySetting(ctx context.Context, s *setting) error {
	if s.applied {
		return nil
	}
	if _, err := c.secondary.Exec(ctx, s.text, s.args); err != nil {
		return err
	}
	s.applied = true
	if s.name != settingAll {
		return restore(ctx, c.secondary, s.from)
	}
	c.joined = false // DISCARD ALL gives the session's locks back, and drops what is prepared
	c.generation++
	if err := c.secondary.Forget(ctx); err != nil {
		return err
	}
	return c.secondary.Setup(ctx)
}

// dropSecondary closes a secondary whose state is not known any more.
func (c *Conn) dropSecondary() {
	if c.secondary != nil {
		_ = c.secondary.Close() // the server rolls back what was open
		c.secondary = nil
	}
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *Conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	return c.prepare(ctx, text)
}

// Prepare implements driver.Conn.
func (c *Conn) Prepare(text string) (driver.Stmt, error) {
	return c.prepare(context.Background(), text)
}

// ExecContext implements driver.ExecerContext.
func (c *Conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if b := bulkOf(args); b != nil {
		return c.copyFrom(ctx, b)
	}
	q, err := c.newCall(ctx, text, args)
	if err != nil {
		return nil, err
	}
	res, _, err := c.run(ctx, q, false)
	return res, err
}

// QueryContext implements driver.QueryerContext.
func (c *Conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	q, err := c.newCall(ctx, text, args)
	if err != nil {
		return nil, err
	}
	_, rows, err := c.run(ctx, q, true)
	return rows, err
}

func (c *Conn) newCall(ctx context.Context, text string, args []driver.NamedValue) (call, error) {
	if len(args) > 0 {
		var err error
		if text, args, err = engine.Rewrite(ctx, c.primary, text, args); err != nil {
			return call{}, err
		}
	}
	return call{plan: c.co.plans.get(text), args: args}, nil
}

// CheckNamedValue implements driver.NamedValueChecker. It lets every value through: which side will see it is not known
// yet, and each side's own checker is asked when the statement runs, before anything is sent. SQL Server's UUIDs, whose bytes
// come in an order of their own, become text.
func (c *Conn) CheckNamedValue(nv *driver.NamedValue) error {
	nv.Value = engine.Neutral(nv.Value)
	return nil
}

// Begin implements driver.Conn.
func (c *Conn) Begin() (driver.Tx, error) { return c.BeginTx(context.Background(), driver.TxOptions{}) }

// BeginTx implements driver.ConnBeginTx. It begins on the primary; the secondary follows with the first write.
func (c *Conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if c.tx != nil {
		return nil, errors.New("dualsql: a transaction is open on this connection already")
	}
	if c.co.sides[engine.Primary].engine == engine.SQLite && !o.ReadOnly {
		// BEGIN may take the write lock, which the recovery of a stuck transaction needs.
		if err := c.co.passGate(ctx); err != nil {
			return nil, err
		}
	}
	return c.begin(ctx, engine.TxOptions{TxOptions: o}, false)
}

func (c *Conn) begin(ctx context.Context, o engine.TxOptions, implicit bool) (*tx, error) {
	if err := c.primary.Begin(ctx, o); err != nil {
		if !c.primary.Valid() && ctx.Err() == nil {
			c.broken = true
			if c.co.sides[engine.Primary].engine.Transient(err) {
				return nil, driver.ErrBadConn // BEGIN does nothing: database/sql may try another connection
			}
		}
		return nil, err
	}
	c.tx = &tx{c: c, ctx: ctx, options: o, implicit: implicit, bestEffort: ctx.Value(bestEffortKey{}) != nil}
	return c.tx, nil
}

// Ping implements driver.Pinger. It asks the primary: reads go on while the secondary is away.
func (c *Conn) Ping(ctx context.Context) error { return c.primary.Ping(ctx) }

// ResetSession implements driver.SessionResetter. The secondary is reset when it is next needed.
func (c *Conn) ResetSession(ctx context.Context) error {
	if c.broken || c.tx != nil {
		return driver.ErrBadConn
	}
	c.rested = true
	if len(c.settings) > 0 && c.co.sides[engine.Primary].engine.Forgets() {
		if !c.co.sides[engine.Secondary].engine.Forgets() {
			_ = c.lane.waitFollowing(ctx) // what it still has to do has a deadline of its own
			c.dropSecondary()             // it would keep what the primary forgets
		}
		if slices.ContainsFunc(c.settings, func(s setting) bool { return s.name == "transaction isolation level" }) {
			return driver.ErrBadConn // the one thing that SQL Server does not forget
		}
		c.settings = nil
	}
	return c.primary.Reset(ctx)
}

// IsValid implements driver.Validator.
func (c *Conn) IsValid() bool { return !c.broken && c.tx == nil && c.primary.Valid() }

// Close implements driver.Conn.
func (c *Conn) Close() error {
	c.lane.stop()
	_ = c.lane.waitFollowing(context.Background()) // it has a deadline of its own
	c.broken = true
	if c.tx != nil {
		c.tx.finish()
	}
	err := c.primary.Close()
	if c.secondary != nil {
		err = errors.Join(err, c.secondary.Close())
	}
	c.co.connClosed()
	return err
}

// cleanupTimeout bounds what is done to leave a connection clean after its caller has gone.
const cleanupTimeout = 5 * time.Second

func cleanupContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
}

// txControl is the answer to BEGIN, COMMIT and their kin in a text.
func txControl(st *sqltext.Statement) error {
	return fmt.Errorf("dualsql: %s in %q: %w; use BeginTx, and Commit or Rollback of the transaction it returns",
		st.Verb, shorten(st.Text), ErrTxControl)
}

var (
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
)
