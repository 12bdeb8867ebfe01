package netproxy_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb/localport"
	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// tdsBench is a server that only remembers what it was told to run, and a connection of go-mssqldb through a proxy.
type tdsBench struct {
	*testing.T
	proxy   *chaos.Proxy
	through *sql.Conn

	waits      chan struct{} // gets a value when a WAIT FOR IT has begun
	attentions chan struct{} // gets a value when the client has sent an attention

	mu  sync.Mutex
	ran []string
}

func newTDSBench(t *testing.T) *tdsBench {
	t.Helper()
	chaos.CheckGoroutines(t)
	listener, err := localport.Listen()
	if err != nil {
		t.Fatal(err)
	}
	b := &tdsBench{T: t, waits: make(chan struct{}, 1), attentions: make(chan struct{}, 1)}
	t.Cleanup(tds.Serve(listener, b).Close)
	b.proxy = chaos.NewProxy(t, listener.Addr().String())
	connector, err := mssql.NewConnector(chaos.Via("sqlserver://sa:secret@"+listener.Addr().String()+"?encrypt=disable", b.proxy))
	if err != nil {
		t.Fatal(err)
	}
	connector.Dialer = b
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	if b.through, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.through.Close() })
	return b
}

// run runs something on the other side of the proxy, in the background.
func (b *tdsBench) run(f func(context.Context, *sql.Conn) error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f(context.Background(), b.through) }()
	return done
}

func (b *tdsBench) exec(query string, args ...any) <-chan error {
	return b.run(execution(query, args...))
}

func execution(query string, args ...any) func(context.Context, *sql.Conn) error {
	return func(ctx context.Context, conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, query, args...)
		return err
	}
}

// times returns how often the server has run something.
func (b *tdsBench) times(text string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ran := range b.ran {
		if ran == text {
			n++
		}
	}
	return n
}

// waitRun waits until the server has run something once.
func (b *tdsBench) waitRun(text string) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); b.times(text) != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%s was run %d times", text, b.times(text))
		}
	}
}

// fires fails the test if what is run ends before the rule has fired.
func (b *tdsBench) fires(rule *chaos.Rule, done <-chan error) {
	b.Helper()
	select {
	case <-rule.Fired():
	case err := <-done:
		b.Fatalf("the rule has not fired: %v", err)
	}
}

// DialContext is the client's.
func (b *tdsBench) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	return &tdsClient{conn, b.attentions}, err
}

type tdsClient struct {
	net.Conn
	attentions chan struct{}
}

func (c *tdsClient) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if b[0] == 0x06 {
		c.attentions <- struct{}{}
	}
	return n, err
}

func (b *tdsBench) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ran = append(b.ran, text)
}

func (b *tdsBench) Login(user, password, database string) (tds.Session, error) {
	return &tdsSession{b, make(chan struct{}, 1)}, nil
}

type tdsSession struct {
	bench    *tdsBench
	canceled chan struct{}
}

// Batch runs WAIT FOR IT until it is cancelled. What has parameters has a row with the first, and a table a column for numbers.
func (s *tdsSession) Batch(text string, params []tds.Param, out tds.Sink) ([]any, error) {
	if text == "WAIT FOR IT" {
		s.bench.waits <- struct{}{}
		<-s.canceled
		return nil, nil
	}
	s.bench.note(text)
	if strings.HasPrefix(text, "select * from ") {
		out.Columns([]tds.Column{{Name: "n", Type: tds.Type{Kind: tds.Int}, Nullable: true}})
	}
	if len(params) > 0 {
		out.Columns([]tds.Column{{Name: "n", Type: params[0].Type, Nullable: true}})
		out.Row([]any{params[0].Value})
	}
	out.Done(tds.Done{Rows: 1, Counted: true, IsSelect: len(params) > 0})
	return nil, nil
}

func (s *tdsSession) Call(procedure string, params []tds.Param, out tds.Sink) (int32, []any, error) {
	s.bench.note(procedure)
	return 0, nil, nil
}

func (s *tdsSession) BulkLoad(table string, columns []tds.Column, rows [][]any, out tds.Sink) error {
	s.bench.note(fmt.Sprintf("%d rows", len(rows)))
	out.Done(tds.Done{Rows: int64(len(rows)), Counted: true})
	return nil
}

func (s *tdsSession) Begin(level tds.Isolation, name string, out tds.Sink) error {
	s.bench.note("BEGIN TRANSACTION")
	out.Tran(tds.TranBegun, 1)
	return nil
}

func (s *tdsSession) Commit(out tds.Sink) error {
	s.bench.note("COMMIT TRANSACTION")
	out.Tran(tds.TranCommitted, 1)
	return nil
}

func (s *tdsSession) Rollback(name string, out tds.Sink) error {
	s.bench.note("ROLLBACK TRANSACTION")
	out.Tran(tds.TranRolledBack, 1)
	return nil
}

func (s *tdsSession) Save(name string, out tds.Sink) error { return nil }

func (s *tdsSession) Cancel() {
	select {
	case s.canceled <- struct{}{}:
	default:
	}
}

func (s *tdsSession) Reset(keepTran bool, out tds.Sink) error { return nil }

func (s *tdsSession) Close() { s.Cancel() }
