package demo

import (
	"context"
	"database/sql"
	"errors"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// handOffice is what one writes by hand: begin both, write both, commit one, commit the other. It is careful about every
// error, and cannot do anything about a crash between the two commits.
type handOffice struct {
	primary, secondary *sql.DB
	engines            [2]sides.Engine
}

func openHand(primary, secondary string, workers int) (office, error) {
	o := &handOffice{}
	for i, side := range []struct {
		db  **sql.DB
		dsn string
	}{{&o.primary, primary}, {&o.secondary, secondary}} {
		var err error
		if *side.db, err = sides.Open(side.dsn); err != nil {
			return nil, err
		}
		(*side.db).SetMaxOpenConns(workers)
		(*side.db).SetMaxIdleConns(workers)
		o.engines[i] = sides.EngineOf(side.dsn)
	}
	return o, nil
}

func (o *handOffice) start(ctx context.Context) error {
	return errors.Join(o.primary.PingContext(ctx), o.secondary.PingContext(ctx))
}

func (o *handOffice) do(ctx context.Context, b business) (verdict, error) {
	p, err := o.primary.BeginTx(ctx, nil)
	if err != nil {
		return rolledBack, err
	}
	defer p.Rollback()
	s, err := o.secondary.BeginTx(ctx, nil)
	if err != nil {
		return rolledBack, err
	}
	defer s.Rollback()
	if err := b.run(ctx, handTx{p, s, o.engines}); err != nil {
		return rolledBack, err
	}
	if err := p.Commit(); err != nil {
		return unknown, err
	}
	// A crash here tears the transaction.
	if err := s.Commit(); err != nil {
		return unknown, err
	}
	return committed, nil
}

func (o *handOffice) close() error { return errors.Join(o.primary.Close(), o.secondary.Close()) }

// handTx writes to both and reads from the primary.
type handTx struct {
	primary, secondary *sql.Tx
	engines            [2]sides.Engine
}

func (t handTx) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	res, err := t.primary.ExecContext(ctx, t.engines[0].Numbered(text), args...)
	if err != nil {
		return nil, err
	}
	_, err = t.secondary.ExecContext(ctx, t.engines[1].Numbered(text), args...)
	return res, err
}

func (t handTx) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return t.primary.QueryContext(ctx, t.engines[0].Numbered(text), args...)
}
