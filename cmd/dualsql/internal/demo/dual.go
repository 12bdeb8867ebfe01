package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
)

// verdict is what a worker knows of a transaction after its commit.
type verdict uint8

const (
	rolledBack verdict = iota // on both sides
	committed
	unknown
)

// office runs transactions on the pair.
type office interface {
	// start makes it ready.
	start(ctx context.Context) error
	// do runs one transaction. The error says why it is not committed.
	do(ctx context.Context, b business) (verdict, error)
	close() error
}

// dualOffice is an ordinary program on one *sql.DB.
type dualOffice struct {
	db        *sql.DB
	connector *dualsql.Connector
}

func openDual(dsn string, workers int) (office, error) {
	db, err := sql.Open(dualsql.Name, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(workers)
	db.SetMaxIdleConns(workers)
	c, err := dualsql.FromDB(db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &dualOffice{db, c}, nil
}

// startLimit is how long a start may wait for a server that has not yet noticed that the process before was killed: its
// session still holds the pair's writer lock.
const startLimit = 30 * time.Second

// start recovers at once: database/sql would do so with its first connection.
func (o *dualOffice) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		_, err := o.connector.Recover(ctx)
		if err == nil || errors.Is(err, dualsql.ErrPairMismatch) {
			return err
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return err
		}
	}
}

func (o *dualOffice) do(ctx context.Context, b business) (verdict, error) {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return rolledBack, err
	}
	if err := b.run(ctx, tx); err != nil {
		_ = tx.Rollback() // what has not committed is rolled back in any case
		return rolledBack, err
	}
	err = tx.Commit()
	var inDoubt *dualsql.InDoubtError
	var halfDone *dualsql.HalfDoneError
	switch {
	case err == nil:
		return committed, nil
	case errors.As(err, &halfDone):
		return committed, nil // decided: dualsql brings it to the other side
	case errors.As(err, &inDoubt):
		return o.ask(ctx, inDoubt.TxID)
	}
	return rolledBack, err // any other error says that it is rolled back on both sides
}

// ask waits for the answer to a transaction in doubt. To run it again before would be to run it twice.
func (o *dualOffice) ask(ctx context.Context, txid uuid.UUID) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		switch outcome, err := o.connector.Outcome(ctx, txid); {
		case err == nil && (outcome == dualsql.Committed || outcome == dualsql.HalfDone):
			return committed, nil
		case err == nil && outcome == dualsql.RolledBack:
			return rolledBack, fmt.Errorf("transaction %s was in doubt, and is rolled back", txid)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return unknown, fmt.Errorf("transaction %s is still in doubt: %w", txid, err)
		}
	}
}

func (o *dualOffice) close() error { return o.db.Close() }

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
