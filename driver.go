package dualsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// Name is the name under which the driver is registered with database/sql.
const Name = "dualsql"

func init() { sql.Register(Name, &Driver{}) }

// Driver is the database/sql driver. The zero Driver is ready for use; it is safe for concurrent use.
type Driver struct {
	connector *Connector // whose Driver method returned it; nil for the registered one
}

// Open implements driver.Driver. database/sql uses OpenConnector instead.
func (d *Driver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := c.Connect(context.Background())
	// The connection has its own hold on the pair.
	return conn, errors.Join(err, c.(io.Closer).Close())
}

// OpenConnector implements driver.DriverContext. It opens nothing yet: what is wrong with the DSN is reported at once, what
// is wrong with the databases or the journal by the first connection.
func (d *Driver) OpenConnector(dsn string) (driver.Connector, error) {
	cfg, err := ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	return NewConnector(cfg)
}

// Connector makes connections to a pair, for sql.OpenDB, and tells of transactions that have not ended. It is safe for
// concurrent use. All connectors of one process to one journal share it. Close gives the journal back when the last
// connection is closed as well; a *sql.DB does that in its own Close.
type Connector struct {
	cfg   *Config
	sides [2]*side

	mu     sync.Mutex
	co     *coordinator // nil before the first use
	closed bool
}

// NewConnector checks cfg, copies it, and returns a connector. It opens nothing yet.
func NewConnector(cfg *Config) (*Connector, error) {
	cfg = cfg.Clone()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	sides, err := resolveSides(cfg)
	if err != nil {
		return nil, err
	}
	if able, why := canMark(sides); !able && (cfg.Commit == Marker || cfg.Commit == TwoPhase) {
		return nil, configError("commit", fmt.Sprintf("cannot be %s: %s; use auto or besteffort", cfg.Commit, why))
	}
	if why := cannotCapture(mirrorOf(cfg.Mirror, sides), sides); why != "" {
		return nil, configError("mirror", fmt.Sprintf("cannot be %s: %s; use statement", cfg.Mirror, why))
	}
	return &Connector{cfg: cfg, sides: sides}, nil
}

// FromDB returns the connector behind a *sql.DB that was opened with this driver. A *sql.DB whose driver is wrapped by
// another has none; use [sql.Conn.Raw] and [Conn.Connector] there.
func FromDB(db *sql.DB) (*Connector, error) {
	if d, ok := db.Driver().(*Driver); ok && d.connector != nil {
		return d.connector, nil
	}
	return nil, fmt.Errorf("dualsql: the *sql.DB was opened with %T, not with dualsql", db.Driver())
}

// Driver implements driver.Connector.
func (c *Connector) Driver() driver.Driver { return &Driver{connector: c} }

// Connect implements driver.Connector. The first connection opens the journal and recovers what a crash has left.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	co, err := c.coordinator()
	if err != nil {
		return nil, err
	}
	conn, err := co.newConn(ctx)
	if err != nil {
		return nil, err
	}
	conn.connector = c
	return conn, nil
}

func (c *Connector) coordinator() (*coordinator, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errors.New("dualsql: the connector is closed")
	}
	if c.co == nil {
		co, err := acquire(c.cfg, c.sides)
		if err != nil {
			return nil, err
		}
		c.co = co
	}
	return c.co, nil
}

// withSessions runs f on a session to each side that no connection of the application uses.
func (c *Connector) withSessions(ctx context.Context, f func([2]engine.Session) error) (err error) {
	var sessions [2]engine.Session
	defer func() {
		for _, s := range sessions {
			if s != nil {
				err = errors.Join(err, s.Close())
			}
		}
	}()
	for role, side := range c.sides {
		if sessions[role], err = side.connect(ctx); err != nil {
			return err
		}
	}
	return f(sessions)
}

// Close implements io.Closer; it may be called more than once.
func (c *Connector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.co == nil {
		return nil
	}
	co := c.co
	c.co = nil
	return co.release()
}

// Pending returns the transactions that are in doubt or half done, oldest first. It opens the journal, but connects to no
// database.
func (c *Connector) Pending() ([]PendingTx, error) {
	co, err := c.coordinator()
	if err != nil {
		return nil, err
	}
	return co.pending(), nil
}

// Outcome tells how a transaction ended that was reported as in doubt or half done, or where it stands. It tries to settle
// it first. A transaction that the journal does not know, or that was never reported, is [ErrUnknownTx].
func (c *Connector) Outcome(ctx context.Context, txid uuid.UUID) (Outcome, error) {
	co, err := c.coordinator()
	if err != nil {
		return 0, err
	}
	return co.outcome(ctx, txid)
}

// Recovery is what [Connector.Recover] has found.
type Recovery struct {
	Committed  []uuid.UUID `json:"committed"`   // were open, and are now on both sides
	RolledBack []uuid.UUID `json:"rolled_back"` // were open, and are on neither
	Pending    []PendingTx `json:"pending"`     // are still open
}

// Recover tries at once to end all open transactions, as the first connection and the resolver do. An error says that the
// pair could not be used at all; transactions that could not be ended are in Pending, each with its problem.
func (c *Connector) Recover(ctx context.Context) (Recovery, error) {
	co, err := c.coordinator()
	if err != nil {
		return Recovery{}, err
	}
	return co.recover(ctx)
}

// Forget takes a transaction off the list of open ones. It is for an operator who has compared the sides and made them
// equal by hand: dualsql then no longer tries to finish it. Stop the program that writes to the pair first, or its resolver
// may finish the transaction while it is being done by hand.
func (c *Connector) Forget(ctx context.Context, txid uuid.UUID) error {
	co, err := c.coordinator()
	if err != nil {
		return err
	}
	return co.forget(ctx, txid)
}

// Stats returns counters since the journal was opened by this process.
func (c *Connector) Stats() (Stats, error) {
	co, err := c.coordinator()
	if err != nil {
		return Stats{}, err
	}
	return co.statistics(), nil
}

var (
	_ driver.DriverContext = (*Driver)(nil)
	_ driver.Connector     = (*Connector)(nil)
	_ io.Closer            = (*Connector)(nil)
)
