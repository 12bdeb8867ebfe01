package dualsql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// TestInterfaces: database/sql finds all that it may ask a driver for.
func TestInterfaces(t *testing.T) {
	m := newMocks(t)
	m.expect(script{queries("select v from t", "x"), prepares(insertOne), begins, queries("insert into t default values returning v", "x"), commits},
		script{begins, queries("insert into t default values returning v", "x"), commits})
	ctx := context.Background()
	raw(t, m.db, func(c *dualsql.Conn) error {
		has[driver.DriverContext](t, m.db.Driver())
		has[driver.Connector](t, m.connector)
		has[io.Closer](t, m.connector)
		has[driver.ConnBeginTx](t, c)
		has[driver.ConnPrepareContext](t, c)
		has[driver.ExecerContext](t, c)
		has[driver.QueryerContext](t, c)
		has[driver.Pinger](t, c)
		has[driver.SessionResetter](t, c)
		has[driver.Validator](t, c)
		has[driver.NamedValueChecker](t, c)

		rows, err := c.QueryContext(ctx, "select v from t", nil)
		if err != nil {
			return err
		}
		if rows != m.primary.rows {
			t.Errorf("the rows of a read are %T, not the primary's own", rows)
		}
		st, err := c.PrepareContext(ctx, insertOne)
		if err != nil {
			return err
		}
		has[driver.StmtExecContext](t, st)
		has[driver.StmtQueryContext](t, st)
		has[driver.NamedValueChecker](t, st)

		rows, err = c.QueryContext(ctx, "insert into t default values returning v", nil)
		if err != nil {
			return err
		}
		has[driver.RowsNextResultSet](t, rows)
		has[driver.RowsColumnTypeDatabaseTypeName](t, rows)
		has[driver.RowsColumnTypeLength](t, rows)
		has[driver.RowsColumnTypeNullable](t, rows)
		has[driver.RowsColumnTypePrecisionScale](t, rows)
		has[driver.RowsColumnTypeScanType](t, rows)
		return nil
	})
	m.met(t)
}

func has[T any](t *testing.T, v any) {
	t.Helper()
	if _, ok := v.(T); !ok {
		t.Errorf("%T is no %T", v, *new(T))
	}
}

func raw(t *testing.T, db *sql.DB, f func(*dualsql.Conn) error) {
	t.Helper()
	c, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Raw(func(dc any) error { return f(dc.(*dualsql.Conn)) }); err != nil {
		t.Error(err)
	}
}

// TestConn: a connection gives out its connector and both sides' own connections, and is on both only once it has to be.
func TestConn(t *testing.T) {
	m := newMocks(t)
	ctx := context.Background()
	raw(t, m.db, func(c *dualsql.Conn) error {
		if c.Connector() != m.connector {
			t.Error("Connector is another")
		}
		if p, ok := c.Primary().(*mockConn); !ok || p.side != m.primary {
			t.Errorf("Primary is %T", c.Primary())
		}
		if m.secondary.connects.Load() != 0 {
			t.Error("the secondary was connected to before it was needed")
		}
		s, err := c.Secondary(ctx)
		if own, ok := s.(*mockConn); !ok || own.side != m.secondary {
			t.Errorf("Secondary is %T", s)
		}
		return err
	})
}

// TestOneTransaction: a connection has one transaction at a time, and is not given back to the pool while it is open.
func TestOneTransaction(t *testing.T) {
	m := newMocks(t)
	m.expect(script{begins, rollsBack}, nil)
	ctx := context.Background()
	raw(t, m.db, func(c *dualsql.Conn) error {
		tx, err := c.BeginTx(ctx, driver.TxOptions{})
		if err != nil {
			return err
		}
		if _, err := c.BeginTx(ctx, driver.TxOptions{}); err == nil {
			t.Error("a second transaction began")
		}
		if c.IsValid() || c.ResetSession(ctx) != driver.ErrBadConn {
			t.Error("a connection with an open transaction counts as clean")
		}
		if err := tx.Rollback(); err != nil {
			return err
		}
		if !c.IsValid() || c.ResetSession(ctx) != nil {
			t.Error("the connection is of no use after its rollback")
		}
		if err := tx.Commit(); !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("Commit after Rollback: %v", err)
		}
		return nil
	})
	m.met(t)
}

// TestFromDB finds the connector of a pool of this driver, and of no other.
func TestFromDB(t *testing.T) {
	m := newMocks(t)
	if c, err := dualsql.FromDB(m.db); err != nil || c != m.connector {
		t.Errorf("FromDB: %v, %v", c, err)
	}
	if _, err := dualsql.FromDB(m.primary.pool); err == nil || !strings.Contains(err.Error(), "not with dualsql") {
		t.Errorf("FromDB of another driver's: %v", err)
	}
}

// TestUnknownTx: nobody can ask for, or forget, what the journal has never reported.
func TestUnknownTx(t *testing.T) {
	m := newMocks(t)
	ctx := context.Background()
	id := uuid.New()
	if _, err := m.connector.Outcome(ctx, id); !errors.Is(err, dualsql.ErrUnknownTx) {
		t.Errorf("Outcome: %v", err)
	}
	if err := m.connector.Forget(ctx, id); !errors.Is(err, dualsql.ErrUnknownTx) {
		t.Errorf("Forget: %v", err)
	}
}

// TestSharedJournal: all pools of one process with one DSN share the journal, which is given back with the last of them.
func TestSharedJournal(t *testing.T) {
	chaos.CheckGoroutines(t)
	p, s := newMockSide(t, "primary"), newMockSide(t, "secondary")
	dir := filepath.Join(t.TempDir(), "journal")
	dsn := fmt.Sprintf("primary.driver=sqlmock primary='%s' secondary.driver=sqlmock secondary='%s' journal='%s'", p.dsn, s.dsn, dir)
	open := func(dsn string) *sql.DB {
		t.Helper()
		db, err := sql.Open(dualsql.Name, dsn)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	ping := func(db *sql.DB) error { return db.Ping() }
	first, second, other := open(dsn), open(dsn), open(dsn+" divergence=warn")
	for _, db := range []*sql.DB{first, second} {
		if err := ping(db); err != nil {
			t.Error(err)
		}
	}
	if err := ping(other); err == nil || !strings.Contains(err.Error(), "another configuration") || !strings.Contains(err.Error(), dir) {
		t.Errorf("another configuration on the same journal: %v", err)
	}
	if err := closeMocks(first); err != nil {
		t.Error(err)
	}
	if err := ping(second); err != nil {
		t.Errorf("the journal went with the first of two: %v", err)
	}
	if err := ping(other); err == nil {
		t.Error("another configuration got the journal while one is open")
	}
	if err := closeMocks(second); err != nil {
		t.Error(err)
	}
	if err := ping(other); err != nil {
		t.Errorf("the journal is still held: %v", err)
	}
	if err := closeMocks(other); err != nil {
		t.Error(err)
	}
}

// TestClosed: Close may be called twice, leaves no goroutine, and a closed connector says what it is.
func TestClosed(t *testing.T) {
	chaos.CheckGoroutines(t)
	m := newMocks(t)
	m.expect(script{begins, execs(insertOne), commits}, script{begins, execs(insertOne), commits})
	if _, err := m.db.Exec(insertOne); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.connector.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := m.connector.Pending(); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Pending: %v", err)
	}
	if err := closeMocks(m.db); err != nil {
		t.Error(err)
	}
}
