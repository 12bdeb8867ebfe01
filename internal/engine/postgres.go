package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// Postgres is PostgreSQL through pgx's database/sql driver.
var Postgres Engine = postgres{}

type postgres struct{}

func (postgres) Name() string             { return "postgres" }
func (postgres) Dialect() sqltext.Dialect { return sqltext.Postgres }
func (postgres) Style() sqltext.Style     { return sqltext.Dollar }
func (postgres) OneWriter() bool          { return false }
func (postgres) Revives() bool            { return true }
func (postgres) Forgets() bool            { return false }

// PostgresConnector makes connections from a URL or a keyword=value string. On these BEGIN costs no round trip of its own.
func PostgresConnector(dsn string) (driver.Connector, *pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		// pgx redacts a URL's password in this error, but not everything it may be mistaken for.
		var pe *pgconn.ParseConfigError
		if errors.As(err, &pe) && pe.Unwrap() != nil {
			err = pe.Unwrap()
		}
		return nil, nil, fmt.Errorf("not a PostgreSQL connection string: %w", err)
	}
	return stdlib.GetConnector(*cfg, stdlib.OptionBeforeConnect(withWire)), cfg, nil
}

func (postgres) Session(ctx context.Context, c driver.Conn, o Options) (Session, error) {
	pc, ok := c.(*stdlib.Conn)
	if !ok {
		err := fmt.Errorf("the postgres engine needs pgx's own connections, not a %T", c)
		return nil, errors.Join(err, c.Close())
	}
	s := &pgSession{session: newSession(c), pg: pc.Conn(), o: o, marker: keptStatement{what: "marker"}, check: keptStatement{what: "seen"}}
	s.keeps = s.pg.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement
	s.wire, _ = s.pg.PgConn().CustomData()[wireKey].(*wire)
	if err := s.Setup(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

type pgSession struct {
	session
	pg    *pgx.Conn
	keeps bool // the session may keep prepared statements: behind a pooler it is told not to

	marker, check keptStatement // what insertMarker and checkSeen send
	seen          []Seen        // what the open transaction relies on; see Expect
	live          bool

	enums map[uint32]bool // types that are known to be enums
	wire  *wire           // nil on a connection from a connector that is not ours
	o     Options

	ambient, adopted map[string]string // see Ambient
}

// Setup turns the read guard on (PostgreSQL manual, 20.11.1: default_transaction_read_only), bounds lock waits, and raises
// synchronous_commit=off, under which a server crash loses transactions that were reported as committed (30.4).
func (s *pgSession) Setup(ctx context.Context) error {
	s.forgetKept() // it is called after DISCARD ALL
	var b strings.Builder
	b.WriteString("select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'")
	last := ""
	if s.o.Role == Primary {
		b.WriteString("; set default_transaction_read_only = on")
		last = pgAmbientQuery
	} else {
		if s.o.LockTimeout > 0 {
			fmt.Fprintf(&b, "; set lock_timeout = %d", max(1, s.o.LockTimeout.Milliseconds()))
		}
		last = s.adoptText()
	}
	if last != "" {
		b.WriteString("; " + last)
	}
	results, err := s.results(ctx, b.String())
	if err != nil || last == "" {
		return err
	}
	found := map[string]string{}
	for _, row := range results[len(results)-1].Rows {
		found[string(row[0])] = string(row[1])
	}
	if s.o.Role == Secondary {
		s.adopted = found
	} else if s.ambient == nil {
		s.ambient = found
	}
	return nil
}

// simple sends text in one simple-protocol round trip and returns the tag of its last statement; see results.
func (s *pgSession) simple(ctx context.Context, text string) (pgconn.CommandTag, error) {
	results, err := s.results(ctx, text)
	if err != nil || len(results) == 0 {
		return pgconn.CommandTag{}, err
	}
	return results[len(results)-1].CommandTag, nil
}

// results sends text in one simple-protocol round trip. The error is a bare driver.ErrBadConn when nothing was sent. If text has
// gone out early, only its replies are read.
func (s *pgSession) results(ctx context.Context, text string) ([]*pgconn.Result, error) {
	early := s.earlySent()
	// Not pgconn.SafeToRetry afterwards: a connection that is lost while pgx (5.12) reads the answer gives the same error
	// as one that was closed before.
	if s.pg.IsClosed() || ctx.Err() != nil || !early && s.wire.failed() {
		if early {
			_ = s.pg.Close(ctx) // its replies would be in the way of all others
			return nil, errors.Join(errReplyLost, ctx.Err())
		}
		return nil, driver.ErrBadConn
	}
	return s.pg.PgConn().Exec(ctx, text).ReadAll()
}

var pgLevels = map[sql.IsolationLevel]string{
	sql.LevelDefault:         "",
	sql.LevelReadUncommitted: " isolation level read uncommitted",
	sql.LevelReadCommitted:   " isolation level read committed",
	sql.LevelRepeatableRead:  " isolation level repeatable read",
	sql.LevelSnapshot:        " isolation level repeatable read",
	sql.LevelSerializable:    " isolation level serializable",
}

// Begin sends nothing where the connection has a wire and looks alive: BEGIN travels with the transaction's first statement,
// and if the server refuses it, that statement fails with its error.
func (s *pgSession) Begin(ctx context.Context, o TxOptions) error {
	level, ok := pgLevels[sql.IsolationLevel(o.Isolation)]
	if !ok {
		return fmt.Errorf("PostgreSQL has no isolation level %q", sql.IsolationLevel(o.Isolation))
	}
	mode := " read write"
	if o.ReadOnly {
		mode = " read only"
	}
	text := "begin" + level + mode
	if s.wire != nil && s.Valid() && ctx.Err() == nil && s.wire.quiet() {
		s.wire.hold(text)
		return nil
	}
	_, err := s.simple(ctx, text)
	return err
}

// Commit sends marker and COMMIT in one round trip. A simple query of several statements stops at the first that fails
// (manual, 55.2.2.1), so no COMMIT follows a marker that was refused.
func (s *pgSession) Commit(ctx context.Context, m *Marker) error {
	if m == nil && s.unbegun() {
		s.wire.forget() // the server knows nothing of this transaction
		return nil
	}
	seen := s.takeSeen()
	text := s.checkSeen(seen, s.live)
	if m != nil {
		text += s.insertMarker(*m) + "; "
	}
	tag, err := s.simple(ctx, text+"commit")
	err = s.answeredSeen(seen, err)
	if m != nil {
		s.marker.answered(err)
	}
	if err == nil {
		if got := tag.String(); got != "COMMIT" {
			// An aborted transaction answers COMMIT with ROLLBACK, without an error (manual, COMMIT).
			return fmt.Errorf("the server answered COMMIT with %s: %w", got, pgx.ErrTxCommitRollback)
		}
		return nil
	}
	if errors.Is(err, driver.ErrBadConn) {
		return errNothingSent
	}
	if pgOutcomeUnknown(err) {
		return &UnknownError{err}
	}
	var pe *pgconn.PgError
	if m != nil && errors.As(err, &pe) && pe.Code == "23505" && pe.SchemaName == "dualsql" {
		return fmt.Errorf("%w: %w", ErrFenced, err)
	}
	return err
}

// errNothingSent stands for a connection found dead before COMMIT was sent: the transaction died with it.
var errNothingSent = errors.New("the connection was lost before COMMIT was sent")

// pgOutcomeUnknown: only an answer of severity ERROR tells that the COMMIT failed. A connection that ends, with or without a
// FATAL message (57P01 and its kin), class 08 and 40003 (statement_completion_unknown) do not tell.
func pgOutcomeUnknown(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return true
	}
	return pe.SeverityUnlocalized != "ERROR" || strings.HasPrefix(pe.Code, "08") || pe.Code == "40003" ||
		strings.HasPrefix(pe.Code, "57P")
}

func (s *pgSession) Rollback(ctx context.Context) error {
	if s.pg.IsClosed() {
		return nil
	}
	s.wire.forget()
	s.seen = nil
	if s.Valid() {
		return nil
	}
	_, err := s.simple(ctx, "rollback")
	if err != nil {
		// Whatever state the server is in, closing the connection rolls back.
		_ = s.pg.Close(ctx)
	}
	return err
}

func (s *pgSession) Status() TxStatus {
	switch {
	case s.pg.IsClosed() || s.wire.failed():
		return TxFailed
	case s.wire.holds():
		return TxOpen
	}
	switch s.pg.PgConn().TxStatus() {
	case 'I':
		return TxIdle
	case 'T':
		return TxOpen
	}
	return TxFailed
}

// Forget: a cached plan whose result type has changed would fail with 0A000, here where it did not on the primary.
func (s *pgSession) Forget(ctx context.Context) error {
	s.forgetKept()
	return s.pg.DeallocateAll(ctx)
}

func (s *pgSession) forgetKept() {
	s.marker.forget()
	s.check.forget()
}

func (s *pgSession) Valid() bool {
	return !s.pg.IsClosed() && s.pg.PgConn().TxStatus() == 'I' && !s.wire.holds() && !s.wire.failed() && !s.wire.owes()
}

func (postgres) Transient(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "55P03", "57014", "55006": // lock_not_available, query_canceled, object_in_use
			return true
		case "55000": // somebody else is just ending the prepared transaction
			return true
		}
		for _, class := range []string{"08", "40", "53", "57", "58"} { // connection, rollback, resources, operator intervention, system error
			if strings.HasPrefix(pe.Code, class) {
				return true
			}
		}
		return false
	}
	var ne net.Error
	return errors.As(err, &ne) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) ||
		errors.Is(err, net.ErrClosed) || isConnectError(err)
}

func isConnectError(err error) bool {
	var ce *pgconn.ConnectError
	return errors.As(err, &ce)
}

// LeadingOptions returns how many of args are pgx's own options, which it takes in front of a statement's arguments.
func LeadingOptions(args []driver.NamedValue) int {
	for i := range args {
		switch args[i].Value.(type) {
		case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
		default:
			return i
		}
	}
	return len(args)
}

// Rewrite lets an argument that is a [pgx.QueryRewriter], such as [pgx.NamedArgs], put its own text and arguments in place
// of the caller's, as pgx itself would do.
func Rewrite(ctx context.Context, s Session, text string, args []driver.NamedValue) (string, []driver.NamedValue, error) {
	n := LeadingOptions(args)
	if n == len(args) {
		return text, args, nil
	}
	rw, ok := args[n].Value.(pgx.QueryRewriter)
	if !ok {
		return text, args, nil
	}
	var conn *pgx.Conn
	if p, ok := s.(*pgSession); ok {
		conn = p.pg
	}
	rest := make([]any, 0, len(args)-n-1)
	for _, a := range args[n+1:] {
		rest = append(rest, a.Value)
	}
	text, values, err := rw.RewriteQuery(ctx, conn, text, rest)
	if err != nil {
		return "", nil, err
	}
	out := append(make([]driver.NamedValue, 0, n+len(values)), args[:n]...)
	for _, v := range values {
		out = append(out, driver.NamedValue{Ordinal: len(out) + 1, Value: v})
	}
	return text, out, nil
}

// Portable writes what only pgx understands as the text that pgx would send. The type is known from the value itself or,
// where several fit, from the statement's parameters as the server describes them.
func (s *pgSession) Portable(ctx context.Context, text string, args []driver.NamedValue) ([]driver.NamedValue, error) {
	out := args
	var described []uint32
	for i := range args {
		v := args[i].Value
		if _, ok := v.(pgx.QueryExecMode); ok || isPortable(v) {
			continue
		}
		if described == nil {
			sd, err := s.pg.Prepare(ctx, "", text)
			if err != nil {
				return nil, err
			}
			described = sd.ParamOIDs
			out = append([]driver.NamedValue(nil), args...)
		}
		n := i - LeadingOptions(args)
		if n < 0 || n >= len(described) {
			return nil, fmt.Errorf("argument %s of type %T cannot be written to the journal", argName(args[i]), v)
		}
		if id, err := uuid.FromBytes(underlyingBytes(v)); err == nil && described[n] == pgtype.UUIDOID {
			out[i].Value = id.String() // as text, pgx would send the bytes as they are
			continue
		}
		buf, err := s.pg.TypeMap().Encode(described[n], pgtype.TextFormatCode, v, []byte{}) // not nil: empty is not NULL
		if err != nil {
			return nil, fmt.Errorf("argument %s cannot be written to the journal: %w", argName(args[i]), err)
		}
		out[i].Value = nil
		if buf != nil {
			out[i].Value = string(buf)
		}
	}
	return out, nil
}

// underlyingBytes returns the bytes of a named byte slice, or nil.
func underlyingBytes(v any) []byte {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8 {
		return rv.Bytes()
	}
	return nil
}
