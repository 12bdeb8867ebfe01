package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// TestCancelBeforeCommit: database/sql rolls back when the transaction's context ends; both sides are rolled back then.
func TestCancelBeforeCommit(t *testing.T) {
	chaos.CheckGoroutines(t)
	m := newMocks(t)
	m.expect(script{begins, execs(insertOne), rollsBack}, script{begins, execs(insertOne), rollsBack})
	ctx, cancel := context.WithCancel(context.Background())
	c, tx := m.begun(t, ctx)
	if _, err := tx.Exec(insertOne); err != nil {
		t.Fatal(err)
	}
	if err := settle(t, c); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := tx.Commit(); !errors.Is(err, context.Canceled) && !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("Commit: %v", err)
	}
	// The rollback runs in a goroutine of database/sql; Close waits for it.
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	m.met(t)
}

// TestCancelDuringCommit: from the primary's COMMIT on, the caller's context is without effect, although the drivers tie
// COMMIT to the context of BEGIN.
func TestCancelDuringCommit(t *testing.T) {
	for name, side := range map[string]func(*mocks) *mockSide{
		"on the primary":   func(m *mocks) *mockSide { return m.primary },
		"on the secondary": func(m *mocks) *mockSide { return m.secondary },
	} {
		t.Run(name, func(t *testing.T) {
			chaos.CheckGoroutines(t)
			m := newMocks(t)
			m.expect(script{begins, execs(insertOne), commits}, script{begins, execs(insertOne), commits})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			side(m).onCommit = cancel
			_, tx := m.begun(t, ctx)
			if _, err := tx.Exec(insertOne); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Errorf("the caller did not get the true result: %v", err)
			}
			m.met(t)
			if s := m.stats(t); s.Committed != 1 {
				t.Errorf("stats: %+v", s)
			}
		})
	}
}

// TestCancelStatement: a statement that is cut short on the primary may have taken effect there. Nothing commits after it.
func TestCancelStatement(t *testing.T) {
	chaos.CheckGoroutines(t)
	m := newMocks(t)
	m.expect(script{begins, execHangs(insertOne), rollsBack}, nil)
	_, tx := m.begun(t, context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	m.primary.onExec = cancel
	if _, err := tx.ExecContext(ctx, insertOne); !errors.Is(err, sqlmock.ErrCancelled) {
		t.Errorf("Exec: %v", err)
	}
	var side *dualsql.SideError
	if err := tx.Commit(); !errors.As(err, &side) || side.Side != "primary" {
		t.Errorf("Commit: %v", err)
	}
	m.met(t)
}
