package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/filelock"
)

// SQLiteInitSQL is what [Marking.Init] runs on SQLite.
const SQLiteInitSQL = sqliteSchema

// SQLite has no schemas: the markers' tables bear the prefix in their names.
const sqliteSchema = `
create table if not exists dualsql_commit (
	txid text primary key, state text not null check (state in ('C', 'A')),
	journal text not null, at text not null default current_timestamp) without rowid;
create table if not exists dualsql_pair (
	one integer primary key check (one = 1), pair text not null,
	side text not null check (side in ('primary', 'secondary')), at text not null default current_timestamp)`

// write runs f in a transaction of its own that holds the write lock.
func (s *sqliteSession) write(ctx context.Context, f func() error) error {
	if err := s.Begin(ctx, TxOptions{Write: true}); err != nil {
		return err
	}
	if err := f(); err != nil {
		return errors.Join(err, s.Rollback(ctx))
	}
	return s.Commit(ctx, nil)
}

func (s *sqliteSession) file(ctx context.Context) (string, error) {
	file, err := s.mainFile(ctx)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(file)
}

func (s *sqliteSession) Identity(ctx context.Context) (string, error) {
	file, err := s.file(ctx)
	return "sqlite/" + file, err
}

func (s *sqliteSession) Init(ctx context.Context) error {
	var n int64
	if err := s.scan(ctx, "select count(*) from sqlite_schema where name in ('dualsql_commit', 'dualsql_pair')", &n); err != nil || n == 2 {
		return err
	}
	err := s.write(ctx, func() error { return s.run(ctx, sqliteSchema) })
	if sqliteCode(err) == sqliteReadonly {
		return fmt.Errorf("%w: %w", ErrNoSchema, err)
	}
	return err
}

func (s *sqliteSession) ClaimPair(ctx context.Context, row PairRow) (PairRow, error) {
	err := s.write(ctx, func() error {
		return s.run(ctx, fmt.Sprintf("insert or ignore into dualsql_pair (one, pair, side) values (1, '%s', '%s')", row.Pair, row.Side))
	})
	if err != nil {
		return PairRow{}, err
	}
	return s.Pair(ctx)
}

func (s *sqliteSession) Pair(ctx context.Context) (PairRow, error) {
	var n int64
	if err := s.scan(ctx, "select count(*) from sqlite_schema where name = 'dualsql_pair'", &n); err != nil || n == 0 {
		return PairRow{}, err
	}
	var pair, side string
	err := s.scan(ctx, "select pair, side from dualsql_pair", &pair, &side)
	if err == errNoRow {
		return PairRow{}, nil
	}
	if err != nil {
		return PairRow{}, err
	}
	var row PairRow
	if side == Secondary.String() {
		row.Side = Secondary
	}
	row.Pair, err = uuid.Parse(pair)
	return row, err
}

// Fence waits by the write lock: while it is held here, no owner can be between its marker and its COMMIT.
func (s *sqliteSession) Fence(ctx context.Context, m Marker) (State, error) {
	var state State
	err := s.write(ctx, func() error {
		err := s.run(ctx, fmt.Sprintf("insert or ignore into dualsql_commit (txid, state, journal) values ('%s', 'A', '%s')", m.TxID, m.Journal))
		if err == nil {
			state, err = fenced(ctx, s, m)
		}
		return err
	})
	return state, err
}

func (s *sqliteSession) InsertMarker(ctx context.Context, m Marker) (bool, error) {
	res, err := s.Exec(ctx, fmt.Sprintf("insert or ignore into dualsql_commit (txid, state, journal) values ('%s', 'C', '%s')", m.TxID, m.Journal), nil)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func (s *sqliteSession) MarkerState(ctx context.Context, txid uuid.UUID) (State, error) {
	var state string
	err := s.scan(ctx, "select state from dualsql_commit where txid = '"+txid.String()+"'", &state)
	if err == errNoRow {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return State(state[0]), nil
}

func (s *sqliteSession) DeleteMarkers(ctx context.Context, txids []uuid.UUID) error {
	return s.write(ctx, func() error {
		return s.run(ctx, "delete from dualsql_commit where state = 'C' and txid in ("+quoteIDs(txids)+")")
	})
}

func (s *sqliteSession) SweepMarkers(ctx context.Context, journal uuid.UUID, keep []uuid.UUID) error {
	return s.write(ctx, func() error {
		return s.run(ctx, fmt.Sprintf("delete from dualsql_commit where journal = '%s' and txid not in (%s) "+
			"and at < datetime('now', '-1 day')", journal, quoteIDs(append(keep, uuid.Nil))))
	})
}

func (s *sqliteSession) ForeignMarkers(ctx context.Context, own uuid.UUID) (map[uuid.UUID]bool, error) {
	rows, err := s.Query(ctx, "select txid from dualsql_commit where state = 'C' and journal <> '"+own.String()+"'", nil)
	if err != nil {
		return nil, err
	}
	return readUUIDs(rows)
}

// LockWriter locks a file beside the database: SQLite has no locks by name, and two journals may name one pair.
func (s *sqliteSession) LockWriter(ctx context.Context, _ Writer) error {
	return s.lockFile(ctx, filelock.Acquire)
}

// JoinWriter has nothing to do: a file lock lives as long as its process.
func (s *sqliteSession) JoinWriter(context.Context, Writer, Marking) error { return nil }

func (s *sqliteSession) JoinWriters(ctx context.Context, _ Writer) error {
	return s.lockFile(ctx, filelock.Share)
}

func (s *sqliteSession) lockFile(ctx context.Context, lock func(path string) (*filelock.Lock, error)) error {
	if s.writer != nil {
		return nil
	}
	file, err := s.file(ctx)
	if err != nil {
		return err
	}
	s.writer, err = lock(file + "-dualsql")
	var held *filelock.HeldError
	if errors.As(err, &held) {
		return fmt.Errorf("%w: %w", ErrWriterLocked, err)
	}
	return err
}
