package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// Generic is any registered driver of which nothing is known: its texts and arguments pass untouched, its transactions
// are its own driver.Tx, and no SQL of dualsql's own is ever sent to it.
var Generic Engine = generic{}

type generic struct{}

func (generic) Name() string             { return "generic" }
func (generic) Dialect() sqltext.Dialect { return sqltext.Generic }
func (generic) Style() sqltext.Style     { return sqltext.AsIs }
func (generic) Transient(error) bool     { return false }
func (generic) OneWriter() bool          { return false }
func (generic) Revives() bool            { return true } // for all that is known
func (generic) Forgets() bool            { return false }

func (generic) Session(_ context.Context, c driver.Conn, _ Options) (Session, error) {
	return &genericSession{session: newSession(c)}, nil
}

type genericSession struct {
	session
	tx     driver.Tx
	cancel context.CancelFunc // ends the context that the transaction was begun with
	broken bool               // an ending failed: the connection's state is not known
}

// Begin gives the driver a context that ends with ctx only while BEGIN runs: drivers tie COMMIT to the context of BEGIN,
// and a caller who goes away must not cut a COMMIT in two.
func (s *genericSession) Begin(ctx context.Context, o TxOptions) error {
	txCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	tx, err := beginDriverTx(txCtx, s.c, o.TxOptions)
	if err == nil && !stop() {
		err = errors.Join(ctx.Err(), tx.Rollback())
	}
	if err != nil {
		cancel()
		return err
	}
	s.tx, s.cancel = tx, cancel
	return nil
}

func beginDriverTx(ctx context.Context, c driver.Conn, o driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, o)
	}
	if o.Isolation != driver.IsolationLevel(sql.LevelDefault) || o.ReadOnly {
		return nil, errors.New("the driver supports neither isolation levels nor read-only transactions")
	}
	//lint:ignore SA1019 drivers without ConnBeginTx have only this form
	return c.Begin()
}

// Commit cannot tell a COMMIT that failed from one whose reply was lost: nothing is known of the driver's errors.
func (s *genericSession) Commit(ctx context.Context, m *Marker) error {
	if m != nil {
		return fmt.Errorf("the %s engine carries no commit markers", Generic.Name())
	}
	tx := s.end()
	if tx == nil {
		return errors.New("no transaction is open")
	}
	defer context.AfterFunc(ctx, s.cancel)()
	defer s.cancel()
	if err := tx.Commit(); err != nil {
		s.broken = true
		return &UnknownError{err}
	}
	return nil
}

func (s *genericSession) Rollback(context.Context) error {
	tx := s.end()
	if tx == nil {
		return nil
	}
	defer s.cancel()
	if err := tx.Rollback(); err != nil {
		s.broken = true
		return err
	}
	return nil
}

func (s *genericSession) end() driver.Tx {
	tx := s.tx
	s.tx = nil
	return tx
}

func (s *genericSession) Status() TxStatus {
	switch {
	case s.broken:
		return TxFailed
	case s.tx != nil:
		return TxOpen
	}
	return TxIdle
}

func (s *genericSession) Valid() bool { return !s.broken && s.session.Valid() }
