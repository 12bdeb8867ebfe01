package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/dualsql/dualsql/internal/filelock"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// SQLite is SQLite through modernc.org/sqlite, which the program imports; this package does not, to stay light.
var SQLite Engine = sqlite{}

type sqlite struct{}

func (sqlite) Name() string             { return "sqlite" }
func (sqlite) Dialect() sqltext.Dialect { return sqltext.SQLite }
func (sqlite) Style() sqltext.Style     { return sqltext.Numbered }
func (sqlite) OneWriter() bool          { return true }
func (sqlite) Revives() bool            { return false }
func (sqlite) Forgets() bool            { return false }

// Result codes (sqlite.org/rescode.html); an extended code carries the primary one in its low byte.
const (
	sqliteBusy     = 5
	sqliteLocked   = 6
	sqliteReadonly = 8
	sqliteIOErr    = 10
	sqliteFull     = 13
)

func sqliteCode(err error) int {
	var e interface{ Code() int }
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func (sqlite) Transient(err error) bool {
	switch sqliteCode(err) {
	case sqliteBusy, sqliteLocked, sqliteIOErr, sqliteFull:
		return true
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn)
}

func (sqlite) Session(ctx context.Context, c driver.Conn, o Options) (Session, error) {
	s := &sqliteSession{session: newSession(c), o: o}
	if err := s.Setup(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

type sqliteSession struct {
	session
	o        Options
	open     bool // a transaction is open as far as this session knows
	broken   bool // the database ended the transaction by itself
	readOnly bool
	writer   *filelock.Lock
}

// Setup raises PRAGMA synchronous: below FULL a power failure can take back a commit; with a rollback journal it still can
// under FULL, as the deletion of the journal is not synced, and EXTRA is needed (sqlite.org/pragma.html#pragma_synchronous).
func (s *sqliteSession) Setup(ctx context.Context) error {
	file, err := s.mainFile(ctx)
	if err != nil {
		return err
	}
	if file == "" {
		return errors.New("an in-memory database cannot be a side: it ends with its connection; name a file")
	}
	var mode string
	if err := s.scan(ctx, "pragma journal_mode", &mode); err != nil {
		return err
	}
	want := int64(3)
	if mode == "wal" {
		want = 2
	}
	var sync int64
	if err := s.scan(ctx, "pragma synchronous", &sync); err != nil {
		return err
	}
	if sync < want {
		if err := s.run(ctx, fmt.Sprintf("pragma synchronous = %d", want)); err != nil {
			return err
		}
	}
	var busy int64
	if err := s.scan(ctx, "pragma busy_timeout", &busy); err != nil {
		return err
	}
	if s.o.LockTimeout > 0 && (s.o.Role == Secondary || busy == 0) { // recovery's own connections take the lock, too
		return s.run(ctx, fmt.Sprintf("pragma busy_timeout = %d", max(1, s.o.LockTimeout.Milliseconds())))
	}
	return nil
}

// mainFile is the database's file; "" for one in memory.
func (s *sqliteSession) mainFile(ctx context.Context) (file string, err error) {
	err = s.scan(ctx, "select file from pragma_database_list where name = 'main'", &file)
	return file, err
}

func (s *sqliteSession) run(ctx context.Context, text string) error {
	_, err := s.Exec(ctx, text, nil)
	return err
}

// Begin takes the write lock at once when the transaction is known to write: a transaction that upgrades later may find
// SQLITE_BUSY although nothing is held against it (sqlite.org/isolation.html). Otherwise the driver's _txlock decides.
func (s *sqliteSession) Begin(ctx context.Context, o TxOptions) error {
	switch sql.IsolationLevel(o.Isolation) {
	case sql.LevelDefault, sql.LevelReadUncommitted, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSnapshot, sql.LevelSerializable:
		// SQLite's transactions are serializable, which is what each of these asks for, or more.
	default:
		return fmt.Errorf("SQLite has no isolation level %q", sql.IsolationLevel(o.Isolation))
	}
	var err error
	if o.Write {
		err = s.run(ctx, "begin immediate")
	} else if b, ok := s.c.(driver.ConnBeginTx); ok {
		_, err = b.BeginTx(ctx, driver.TxOptions{ReadOnly: o.ReadOnly})
	} else {
		err = s.run(ctx, "begin")
	}
	if err != nil {
		// A BEGIN that was cancelled may have taken effect all the same.
		if ctx.Err() != nil {
			_ = s.run(context.WithoutCancel(ctx), "rollback")
		}
		return err
	}
	s.open, s.broken = true, false
	if o.ReadOnly {
		s.readOnly = true
		if err := s.run(ctx, "pragma query_only = on"); err != nil {
			return errors.Join(err, s.Rollback(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

// Commit runs COMMIT under no deadline but busy_timeout: a cancelled COMMIT would not say whether it took effect.
func (s *sqliteSession) Commit(ctx context.Context, m *Marker) error {
	if s.broken {
		return errors.New("SQLite has rolled the transaction back already")
	}
	ctx = context.WithoutCancel(ctx)
	if m != nil {
		if inserted, err := s.InsertMarker(ctx, *m); err != nil {
			return err
		} else if !inserted {
			return ErrFenced
		}
	}
	err := s.run(ctx, "commit")
	if err == nil {
		s.open = false
		return s.leaveReadOnly(ctx)
	}
	// If the transaction is still there to be rolled back, it has not committed.
	if rerr := s.Rollback(ctx); rerr != nil {
		return &UnknownError{errors.Join(err, rerr)}
	}
	return err
}

func (s *sqliteSession) leaveReadOnly(ctx context.Context) error {
	if !s.readOnly {
		return nil
	}
	s.readOnly = false
	return s.run(ctx, "pragma query_only = off")
}

func (s *sqliteSession) Rollback(ctx context.Context) error {
	if !s.open {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	s.open = false
	if s.broken {
		s.broken = false
		// The database may or may not have rolled back by itself; after this it has.
		_ = s.run(ctx, "rollback")
		return s.leaveReadOnly(ctx)
	}
	if err := s.run(ctx, "rollback"); err != nil {
		s.broken = true
		return err
	}
	return s.leaveReadOnly(ctx)
}

func (s *sqliteSession) Status() TxStatus {
	switch {
	case s.broken:
		return TxFailed
	case s.open:
		return TxOpen
	}
	return TxIdle
}

// Atomic runs f inside a savepoint: a statement that fails under OR FAIL, or the second of two in one text, would else leave
// what it did so far; OR ROLLBACK ends the whole transaction, and the savepoint with it (sqlite.org/lang_conflict.html).
func (s *sqliteSession) Atomic(ctx context.Context, _ bool, f func() error) error {
	own := context.WithoutCancel(ctx)
	if err := s.run(own, "savepoint dualsql_statement"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		return s.run(own, "release dualsql_statement")
	}
	if rerr := s.run(own, "rollback to dualsql_statement; release dualsql_statement"); rerr != nil {
		s.broken = true
	}
	return err
}

func (s *sqliteSession) Valid() bool { return !s.open && !s.broken && s.session.Valid() }

func (s *sqliteSession) Close() error {
	err := s.session.Close()
	if s.writer != nil {
		err = errors.Join(err, s.writer.Release())
	}
	return err
}
