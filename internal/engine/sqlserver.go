package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// SQLServer is SQL Server and Azure SQL through go-mssqldb.
var SQLServer Engine = sqlServer{}

type sqlServer struct{}

func (sqlServer) Name() string             { return "sqlserver" }
func (sqlServer) Dialect() sqltext.Dialect { return sqltext.SQLServer }
func (sqlServer) Style() sqltext.Style     { return sqltext.AtP }
func (sqlServer) OneWriter() bool          { return false }
func (sqlServer) Revives() bool            { return false }
func (sqlServer) Forgets() bool            { return true }

// SQLServerConnector makes connections from a URL. place is equal for two DSNs that plainly name the same database.
func SQLServerConnector(dsn string) (c driver.Connector, place string, err error) {
	cfg, err := msdsn.Parse(dsn)
	if err != nil {
		return nil, "", errors.New("is no SQL Server URL such as sqlserver://user:password@host:1433?database=name; percent-encode what is " +
			"neither a letter nor a digit in the user name and the password") // the parser's error may show a part of the password
	}
	if cfg.Port == 0 && cfg.Instance == "" {
		cfg.Port = 1433
	}
	place = fmt.Sprintf("sqlserver/%s/%s/%d/%s", strings.ToLower(cfg.Host), strings.ToLower(cfg.Instance), cfg.Port, strings.ToLower(cfg.Database))
	return &mssqlConnector{cfg, mssql.NewConnectorConfig(cfg).Driver()}, place, nil
}

func (sqlServer) Session(ctx context.Context, c driver.Conn, o Options) (Session, error) {
	own := c
	if dialed, ok := c.(*mssqlConn); ok {
		own = dialed.Conn
	}
	if _, ok := own.(*mssql.Conn); !ok {
		err := fmt.Errorf("the sqlserver engine needs go-mssqldb's own connections, not a %T", c)
		return nil, errors.Join(err, c.Close())
	}
	s := &mssqlSession{genericSession: genericSession{session: newSession(own)}, closer: c, o: o}
	s.nulls = true
	if err := s.Setup(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// mssqlSession begins and rolls back by the driver's own Tx: then the driver refuses what is sent after the server has ended
// the transaction by itself, in place of running it outside of any.
type mssqlSession struct {
	genericSession
	closer   io.Closer // of the connection
	o        Options
	failed   bool    // the transaction may hold a part of a statement's effects
	levelled bool    // the last transaction had an isolation level of its own
	stale    bool    // the pool has handed it out anew: settings and locks are gone
	joins    []mjoin // the locks by which it counts as one of a writer's sessions
}

func (s *mssqlSession) Refuses(set sqltext.Setting) string {
	on := strings.EqualFold(set.Value, "on")
	switch {
	case set.Name == "implicit_transactions" && on:
		return "dualsql begins each transaction itself; use BeginTx"
	case set.Name == "nocount" && on:
		return "dualsql compares the rows affected of both sides"
	case set.Name == "xact_abort" && !on:
		return "dualsql relies on it on the secondary"
	case on && (set.Name == "fmtonly" || set.Name == "noexec" || set.Name == "parseonly" || strings.HasPrefix(set.Name, "showplan_")):
		return "nothing would be executed"
	case set.Name == "ansi_defaults" && on:
		return "it sets IMPLICIT_TRANSACTIONS, and dualsql begins each transaction itself"
	case set.Name == "use":
		return "the commit markers are in the database that the DSN names"
	}
	return ""
}

func (s *mssqlSession) Close() error { return s.closer.Close() }

func (s *mssqlSession) run(ctx context.Context, text string) error {
	_, err := s.Exec(ctx, text, nil)
	return err
}

func (s *mssqlSession) Setup(ctx context.Context) error { return s.run(ctx, mssqlSetup(s.o)) }

// Reset has the server reset the session together with the next request (sp_reset_connection): settings, temporary tables and
// session locks are gone then. What dualsql needs of them comes back with the next transaction; on a secondary, which is reset
// when a transaction needs it, at once: a connection that the server has lost meanwhile is found out before anything has run.
func (s *mssqlSession) Reset(ctx context.Context) error {
	s.stale = true
	if err := s.session.Reset(ctx); err != nil || s.o.Role == Primary {
		return err
	}
	return s.refresh(ctx)
}

func (s *mssqlSession) refresh(ctx context.Context) error {
	if !s.stale {
		return nil
	}
	err := s.Setup(ctx)
	for i := 0; err == nil && i < len(s.joins); i++ {
		err = s.takeAgain(ctx, s.joins[i])
	}
	if err != nil {
		s.broken = true // a new session joins anew, or is told why it cannot
		return err
	}
	s.stale = false
	return nil
}

func (s *mssqlSession) Begin(ctx context.Context, o TxOptions) error {
	if o.ReadOnly {
		return errors.New("SQL Server has no read-only transactions")
	}
	if s.broken {
		return driver.ErrBadConn
	}
	if err := s.refresh(ctx); err != nil {
		return err
	}
	// The level of a transaction stays with its session, also over a reset ("SET TRANSACTION ISOLATION LEVEL").
	levelled := o.Isolation != driver.IsolationLevel(sql.LevelDefault)
	if !levelled && s.levelled {
		o.Isolation = driver.IsolationLevel(sql.LevelReadCommitted)
	}
	s.failed, s.levelled = false, levelled
	err := s.genericSession.Begin(ctx, o)
	s.broken = s.broken || err != nil // it may have begun on the server, and the driver does not know
	return err
}

// Commit sends marker and COMMIT in one batch. Whether a statement that fails ends its batch depends on the session's
// settings; so the COMMIT asks itself whether the marker is in.
func (s *mssqlSession) Commit(ctx context.Context, m *Marker) error {
	if s.failed || s.broken {
		return errors.Join(errMSSQLFailed, s.Rollback(ctx))
	}
	tx := s.end()
	if tx == nil {
		return errors.New("no transaction is open")
	}
	defer s.cancel()
	defer context.AfterFunc(ctx, s.cancel)()
	err := s.run(ctx, mssqlCommit(m))
	rerr := tx.Rollback() // nothing is sent for it where the server has told the driver that the transaction has ended
	switch {
	case err == nil && rerr == nil:
		return nil
	case err == nil:
		s.broken = true
		return &UnknownError{rerr}
	case err == driver.ErrBadConn:
		return errNothingSent
	case mssqlOutcomeUnknown(err):
		s.broken = true
		return &UnknownError{err}
	}
	s.broken = rerr != nil
	if m != nil && mssqlNumber(err) == mssqlDuplicateKey && strings.Contains(err.Error(), "dualsql.") {
		return fmt.Errorf("%w: %w", ErrFenced, err)
	}
	return err
}

var errMSSQLFailed = errors.New("a statement of the transaction has failed in a way that may have left a part of its effects; it is rolled back")

func (s *mssqlSession) Rollback(ctx context.Context) error {
	s.failed = false
	if s.tx != nil {
		defer context.AfterFunc(ctx, s.cancel)()
	}
	return s.genericSession.Rollback(ctx)
}

func (s *mssqlSession) Status() TxStatus {
	if s.failed {
		return TxFailed
	}
	return s.genericSession.Status()
}

// Atomic relies on SQL Server where it undoes a statement that fails: one statement, stopped by an error of the engine's own.
// After any other error (of a procedure, of a trigger's RAISERROR, in a batch of several statements, or none at all because the
// caller has gone) something may be left, and the transaction is given up.
func (s *mssqlSession) Atomic(ctx context.Context, single bool, f func() error) error {
	if single {
		err := f()
		s.failed = s.failed || err != nil && s.tx != nil && !mssqlUndone(err)
		return err
	}
	return s.SameTransaction(ctx, f)
}

// SameTransaction gives the session up when f fails: the driver leaves unread what a batch still has to say after an error, and
// would wait for it for ever.
func (s *mssqlSession) SameTransaction(ctx context.Context, f func() error) error {
	if s.tx == nil {
		return f()
	}
	var before, after int64
	if err := s.scan(ctx, mssqlTransaction, &before); err != nil {
		return err
	}
	err := f()
	if err != nil {
		s.giveUp()
		if mssqlNumber(err) == 0 && !mssqlOutcomeUnknown(err) {
			err = fmt.Errorf("%w (%w)", ErrEnded, err) // the driver has found it ended
		}
		return err
	}
	err = s.scan(ctx, mssqlTransaction, &after)
	if err == nil && before == after {
		return nil
	}
	s.giveUp()
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrEnded, err)
	}
	return ErrEnded
}

// giveUp leaves the connection to be closed by the session's owner, and the server to roll back what is open: the driver shares its
// buffers between connections, and must not be told twice to close one.
func (s *mssqlSession) giveUp() {
	s.broken = true
	if s.end() != nil {
		s.cancel()
	}
}

func (sqlServer) Transient(err error) bool {
	var e mssql.Error
	if errors.As(err, &e) {
		return mssqlLost(e) || mssqlPasses[e.Number]
	}
	var ne net.Error
	var stream mssql.StreamError
	return errors.As(err, &ne) || errors.As(err, &stream) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}
