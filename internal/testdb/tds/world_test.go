package tds_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	_ "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/localport"
	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// backend is a scripted backend: a test sets what its sessions do.
type backend struct {
	login func(user, password, database string) error
	batch func(s *session, text string, params []tds.Param, out tds.Sink) ([]any, error)
	call  func(s *session, procedure string, params []tds.Param, out tds.Sink) (int32, []any, error)

	mu     sync.Mutex
	log    []string // what sessions were asked for
	closed int
}

func (b *backend) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, fmt.Sprintf(format, args...))
}

// notes returns what was noted since the last time.
func (b *backend) notes() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := b.log
	b.log = nil
	return log
}

func (b *backend) sessionsClosed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func (b *backend) Login(user, password, database string) (tds.Session, error) {
	if b.login != nil {
		if err := b.login(user, password, database); err != nil {
			return nil, err
		}
	}
	return &session{b: b, cancelled: make(chan struct{}, 1), gone: make(chan struct{})}, nil
}

type session struct {
	b          *backend
	cancelled  chan struct{}
	gone       chan struct{}
	descriptor uint64
}

// wait is a request that blocks until it is cancelled or its client has gone.
func (s *session) wait() error {
	select {
	case <-s.cancelled:
		return nil
	case <-s.gone:
		return net.ErrClosed
	}
}

func (s *session) Batch(text string, params []tds.Param, out tds.Sink) ([]any, error) {
	if s.b.batch == nil {
		s.b.note("%s", text)
		out.Done(tds.Done{Rows: 1, Counted: true})
		return nil, nil
	}
	return s.b.batch(s, text, params, out)
}

func (s *session) Call(procedure string, params []tds.Param, out tds.Sink) (int32, []any, error) {
	return s.b.call(s, procedure, params, out)
}

func (s *session) Begin(level tds.Isolation, name string, out tds.Sink) error {
	s.b.note("begin %d %q", level, name)
	s.descriptor += 1 << 33
	out.Tran(tds.TranBegun, s.descriptor)
	return nil
}

func (s *session) Commit(out tds.Sink) error {
	s.b.note("commit")
	out.Tran(tds.TranCommitted, s.descriptor)
	return nil
}

func (s *session) Rollback(name string, out tds.Sink) error {
	s.b.note("rollback %q", name)
	if name == "" {
		out.Tran(tds.TranRolledBack, s.descriptor)
	}
	return nil
}

func (s *session) Save(name string, out tds.Sink) error {
	s.b.note("save %q", name)
	return nil
}

func (s *session) Cancel() {
	select {
	case s.cancelled <- struct{}{}:
	default:
	}
}

func (s *session) Reset(keepTran bool, out tds.Sink) error {
	s.b.note("reset %v", keepTran)
	return nil
}

func (s *session) Close() {
	close(s.gone)
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.closed++
}

// serve starts a server that is closed with the test.
func serve(t testing.TB, b tds.Backend) (server *tds.Server, addr string) {
	t.Helper()
	listener, err := localport.Listen()
	if err != nil {
		t.Fatal(err)
	}
	server = tds.Serve(listener, b)
	t.Cleanup(server.Close)
	return server, listener.Addr().String()
}

// open connects go-mssqldb to a server.
func open(t testing.TB, addr, options string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlserver", fmt.Sprintf("sqlserver://sa:x@%s?database=d&encrypt=disable%s", addr, options))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// connect returns a single connection of a new server's.
func connect(t testing.TB, b *backend) (*tds.Server, *sql.Conn) {
	t.Helper()
	server, addr := serve(t, b)
	conn, err := open(t, addr, "").Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return server, conn
}

// selects makes batches of one result set.
func selects(columns []tds.Column, rows ...[]any) func(*session, string, []tds.Param, tds.Sink) ([]any, error) {
	return func(_ *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		out.Columns(columns)
		for _, row := range rows {
			out.Row(row)
		}
		out.Done(tds.Done{Rows: int64(len(rows)), Counted: true, IsSelect: true})
		return nil, nil
	}
}

func wantNotes(t *testing.T, b *backend, want ...string) {
	t.Helper()
	if got := b.notes(); !slices.Equal(got, want) {
		t.Errorf("the session was asked for %q, want %q", got, want)
	}
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		case <-time.After(time.Millisecond):
		}
	}
}
