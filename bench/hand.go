package main

import (
	"context"
	"database/sql"
	"errors"
)

// pools are the two databases of a program that writes to both by itself.
type pools [2]*sql.DB

func openPools(p place) (pools, error) {
	var sides pools
	for i := range sides {
		db, err := openPool(p.dsn[i], p.clients)
		if err != nil {
			return sides, err
		}
		sides[i] = db
	}
	return sides, nil
}

func (p pools) close() error { return errors.Join(p[0].Close(), p[1].Close()) }

// on returns where a statement runs: a query on the first alone.
func on[R runner](sides [2]R, s statement) []R {
	if s.read {
		return sides[:1]
	}
	return sides[:]
}

// naive commits each statement on each database by itself.
type naive struct{ pools }

func openNaive(p place) (client, error) {
	sides, err := openPools(p)
	return naive{sides}, err
}

func (n naive) perform(ctx context.Context, tx []statement) error {
	for _, s := range tx {
		for _, db := range on(n.pools, s) {
			if err := run(ctx, db, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// handWritten is best effort: two transactions, committed one after the other.
type handWritten struct{ pools }

func openByHand(p place) (client, error) {
	sides, err := openPools(p)
	return handWritten{sides}, err
}

func (h handWritten) perform(ctx context.Context, tx []statement) error {
	var open [2]*sql.Tx
	for i, db := range h.pools {
		t, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer t.Rollback()
		open[i] = t
	}
	for _, s := range tx {
		for _, t := range on(open, s) {
			if err := run(ctx, t, s); err != nil {
				return err
			}
		}
	}
	if err := open[0].Commit(); err != nil {
		return err
	}
	return open[1].Commit()
}
