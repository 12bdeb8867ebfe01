package dualsql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/dualsql/dualsql"
)

// mocks is a pair of which both sides are sqlmocks.
type mocks struct {
	db                 *sql.DB
	connector          *dualsql.Connector
	primary, secondary *mockSide
}

// mockSide is the connector of one side. A call that its mock does not expect fails the test, even if the product hides
// the error.
type mockSide struct {
	sqlmock.Sqlmock
	t        testing.TB
	name     string
	dsn      string
	pool     *sql.DB
	connects atomic.Int32
	refuse   error       // what Connect fails with
	onExec   func()      // called when a statement arrives at Exec
	onCommit func()      // called when COMMIT arrives
	rows     driver.Rows // the last that a query returned
}

var mockNumber atomic.Int64

func newMockSide(t testing.TB, name string, options ...func(*mockSide)) *mockSide {
	t.Helper()
	s := &mockSide{t: t, name: name, dsn: fmt.Sprintf("%s %s %d", t.Name(), name, mockNumber.Add(1))}
	for _, o := range options {
		o(s)
	}
	var err error
	s.pool, s.Sqlmock, err = sqlmock.NewWithDSN(s.dsn, sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual),
		sqlmock.ValueConverterOption(mockConverter{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.pool.Close() }) // sqlmock complains about a Close that it was not told of
	return s
}

// newMocks opens a pair of mocks with commit=besteffort; configure may change anything else.
func newMocks(t testing.TB, configure ...func(*dualsql.Config)) *mocks {
	t.Helper()
	m := &mocks{primary: newMockSide(t, "primary"), secondary: newMockSide(t, "secondary")}
	m.open(t, filepath.Join(t.TempDir(), "journal"), configure...)
	return m
}

func (m *mocks) open(t testing.TB, journal string, configure ...func(*dualsql.Config)) {
	t.Helper()
	cfg := dualsql.NewConfig()
	cfg.Primary.Connector, cfg.Secondary.Connector = m.primary, m.secondary
	cfg.Journal = journal
	cfg.Commit = dualsql.BestEffort
	cfg.Logger = slog.New(slog.DiscardHandler)
	for _, f := range configure {
		f(cfg)
	}
	var err error
	if m.connector, err = dualsql.NewConnector(cfg); err != nil {
		t.Fatal(err)
	}
	m.db = sql.OpenDB(m.connector)
	t.Cleanup(func() { _ = m.db.Close() })
}

// expect tells both sides what is to come.
func (m *mocks) expect(primary, secondary script) {
	primary.tell(m.primary)
	secondary.tell(m.secondary)
}

// met fails the test if something that was to come has not.
func (m *mocks) met(t testing.TB) {
	t.Helper()
	for _, s := range []*mockSide{m.primary, m.secondary} {
		if err := s.ExpectationsWereMet(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

// settle waits until the secondary has run what was mirrored so far.
func settle(t testing.TB, c *sql.Conn) error {
	t.Helper()
	return c.Raw(func(dc any) error {
		_, err := dc.(*dualsql.Conn).Secondary(context.Background())
		return err
	})
}

// begun returns a transaction, and the connection that it is on for settle.
func (m *mocks) begun(t testing.TB, ctx context.Context) (*sql.Conn, *sql.Tx) {
	t.Helper()
	c, err := m.db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, tx
}

func (m *mocks) stats(t testing.TB) dualsql.Stats {
	t.Helper()
	s, err := m.connector.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (m *mocks) pending(t testing.TB) []dualsql.PendingTx {
	t.Helper()
	p, err := m.connector.Pending()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Connect implements driver.Connector.
func (s *mockSide) Connect(context.Context) (driver.Conn, error) {
	if s.refuse != nil {
		return nil, s.refuse
	}
	s.connects.Add(1)
	c, err := s.pool.Driver().Open(s.dsn)
	if err != nil {
		return nil, err
	}
	return &mockConn{mockDriverConn: c.(mockDriverConn), side: s}, nil
}

// Driver implements driver.Connector.
func (s *mockSide) Driver() driver.Driver { return s.pool.Driver() }

func (s *mockSide) strict(err error) error {
	if err != nil && strings.Contains(err.Error(), "was not expected") {
		s.t.Errorf("%s: %v", s.name, err)
	}
	return err
}

type mockDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
}

type mockConn struct {
	mockDriverConn
	side *mockSide
}

func (c *mockConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.mockDriverConn.BeginTx(ctx, o)
	if c.side.strict(err) != nil {
		return nil, err
	}
	return &mockTx{Tx: tx, side: c.side, ctx: ctx}, nil
}

func (c *mockConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if c.side.onExec != nil {
		c.side.onExec()
	}
	res, err := c.mockDriverConn.ExecContext(ctx, text, args)
	return res, c.side.strict(err)
}

func (c *mockConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.mockDriverConn.QueryContext(ctx, text, args)
	c.side.rows = rows
	return rows, c.side.strict(err)
}

func (c *mockConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	st, err := c.mockDriverConn.PrepareContext(ctx, text)
	return st, c.side.strict(err)
}

// mockTx ties COMMIT to the context of BEGIN, as pgx and go-mssqldb do.
type mockTx struct {
	driver.Tx
	side *mockSide
	ctx  context.Context
}

func (t *mockTx) Commit() error {
	if t.side.onCommit != nil {
		t.side.onCommit()
	}
	if err := t.ctx.Err(); err != nil {
		return errors.Join(err, t.Tx.Rollback())
	}
	return t.side.strict(t.Tx.Commit())
}

func (t *mockTx) Rollback() error { return t.side.strict(t.Tx.Rollback()) }

// unbindable is an argument that the mock of the side it names cannot bind.
type unbindable string

// mockConverter is the default converter, and refuses unbindable.
type mockConverter struct{}

func (mockConverter) ConvertValue(v any) (driver.Value, error) {
	if u, ok := v.(unbindable); ok {
		return nil, fmt.Errorf("this side cannot bind %q", u)
	}
	return driver.DefaultParameterConverter.ConvertValue(v)
}
