package engine

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/google/uuid"
)

// uuid reads one, as text; the zero UUID if there is no row. As uniqueidentifier its bytes would come in SQL Server's own order.
func (s *mssqlSession) uuid(ctx context.Context, text string) (uuid.UUID, error) {
	var id string
	err := s.scan(ctx, text, &id)
	if err == errNoRow {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.Parse(id)
}

func (s *mssqlSession) Identity(ctx context.Context) (id string, err error) {
	err = s.scan(ctx, mssqlIdentity, &id)
	return id, err
}

func (s *mssqlSession) Init(ctx context.Context) error {
	var tables int64
	if err := s.scan(ctx, mssqlReady, &tables); err != nil || tables == 3 {
		return err
	}
	err := s.run(ctx, mssqlInit)
	if err == nil {
		return s.Setup(ctx) // it has changed XACT_ABORT
	}
	switch mssqlNumber(err) {
	case 229, 262, 2760, 15247: // permission denied on an object, to create, in the schema, for the action
		return fmt.Errorf("%w: %w", ErrNoSchema, err)
	}
	return err
}

func (s *mssqlSession) ClaimPair(ctx context.Context, row PairRow) (PairRow, error) {
	if err := s.run(ctx, mssqlClaim(row)); err != nil && mssqlNumber(err) != mssqlDuplicateKey {
		return PairRow{}, err
	}
	return s.Pair(ctx)
}

func (s *mssqlSession) Pair(ctx context.Context) (row PairRow, err error) {
	var pair, side string
	err = s.scan(ctx, mssqlPair, &pair, &side)
	if err == errNoRow {
		return PairRow{}, nil
	}
	if err != nil {
		return PairRow{}, err
	}
	if side == Secondary.String() {
		row.Side = Secondary
	}
	row.Pair, err = uuid.Parse(pair)
	return row, err
}

// Fence: an insert of a key that an open transaction has inserted waits for its end. Then the row is there, for ever.
func (s *mssqlSession) Fence(ctx context.Context, m Marker) (State, error) {
	err := s.run(ctx, mssqlLockTimeout(s.o)+mssqlInsertMarker(m, Aborted))
	if err != nil && mssqlNumber(err) != mssqlDuplicateKey {
		return 0, err
	}
	return fenced(ctx, s, m)
}

// InsertMarker: under XACT_ABORT a refused row would end the transaction, which is still to be asked.
func (s *mssqlSession) InsertMarker(ctx context.Context, m Marker) (bool, error) {
	if err := s.run(ctx, mssqlAbortOff); err != nil {
		return false, err
	}
	err := s.run(ctx, mssqlInsertMarker(m, Committed))
	inserted := err == nil
	if mssqlNumber(err) == mssqlDuplicateKey {
		err = nil
	}
	if err == nil && s.o.Role == Secondary {
		err = s.run(ctx, mssqlAbortOn)
	}
	return inserted, err
}

func (s *mssqlSession) MarkerState(ctx context.Context, txid uuid.UUID) (State, error) {
	var state string
	err := s.scan(ctx, mssqlMarkerState(txid), &state)
	if err == errNoRow {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return State(state[0]), nil
}

func (s *mssqlSession) DeleteMarkers(ctx context.Context, txids []uuid.UUID) error {
	return s.run(ctx, mssqlDeleteMarkers(txids))
}

func (s *mssqlSession) SweepMarkers(ctx context.Context, journal uuid.UUID, keep []uuid.UUID) error {
	return s.run(ctx, mssqlSweepMarkers(journal, keep))
}

func (s *mssqlSession) ForeignMarkers(ctx context.Context, own uuid.UUID) (map[uuid.UUID]bool, error) {
	rows, err := s.Query(ctx, mssqlForeignMarkers(own), nil)
	if err != nil {
		return nil, err
	}
	return readUUIDs(rows)
}

// readUUIDs reads rows of one column of text to their end.
func readUUIDs(rows driver.Rows) (found map[uuid.UUID]bool, err error) {
	found = map[uuid.UUID]bool{}
	err = eachRow(rows, func(values []driver.Value) error {
		txid, err := uuid.Parse(text(values[0]))
		if err == nil {
			found[txid] = true
		}
		return err
	})
	return found, err
}
