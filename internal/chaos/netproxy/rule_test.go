package netproxy_test

import (
	"context"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/chaos/netproxy"
	"github.com/dualsql/dualsql/internal/testdb"
)

// bench is a server with a table t(n), a connection through a proxy and one beside it.
type bench struct {
	*testing.T
	proxy   *chaos.Proxy
	through *pgx.Conn
	beside  *pgx.Conn
}

func newBench(t *testing.T) *bench {
	t.Helper()
	cluster := testdb.Clusters(t, 1)[0]
	chaos.CheckGoroutines(t)
	dsn := cluster.CreateDatabase(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, proxy: chaos.NewProxy(t, u.Host)}
	b.beside = b.connect(dsn)
	b.through = b.connect(chaos.Via(dsn, b.proxy))
	b.must(b.beside, "CREATE TABLE t (n int)")
	return b
}

func (b *bench) connect(dsn string) *pgx.Conn {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (b *bench) must(conn *pgx.Conn, sql string, args ...any) {
	b.Helper()
	if _, err := conn.Exec(b.Context(), sql, args...); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

// run runs the statement on the other side of the proxy, in the background.
func (b *bench) run(sql string, args ...any) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := b.through.Exec(context.Background(), sql, args...)
		done <- err
	}()
	return done
}

// rows counts what is committed.
func (b *bench) rows() (n int) {
	b.Helper()
	if err := b.beside.QueryRow(b.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// waitRows waits until n rows are committed.
func (b *bench) waitRows(n int) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); b.rows() != n; {
		if time.Now().After(deadline) {
			b.Fatalf("%d rows, want %d", b.rows(), n)
		}
	}
}

// waitSessionEnd waits until the server has ended a session, after it has read all that came: then nothing more can
// become visible.
func (b *bench) waitSessionEnd(pid uint32) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); b.alive(pid); {
		if time.Now().After(deadline) {
			b.Fatalf("session %d goes on", pid)
		}
	}
}

func (b *bench) alive(pid uint32) (alive bool) {
	b.Helper()
	const sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
	if err := b.beside.QueryRow(b.Context(), sql, pid).Scan(&alive); err != nil {
		b.Fatal(err)
	}
	return alive
}

// statements are the ways in which a client may send an INSERT.
var statements = []struct {
	name string
	sql  string
	args []any
}{
	{"simple query", "INSERT INTO t VALUES (1)", nil},
	{"prepared", "INSERT INTO t VALUES ($1)", []any{1}},
	{"pipelined", "INSERT INTO t VALUES ($1)", []any{pgx.QueryExecModeExec, 1}},
}

func TestCutBefore(t *testing.T) {
	for _, s := range statements {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.CutBefore)
			if err := <-b.run(s.sql, s.args...); err == nil {
				t.Error("the statement succeeded")
			}
			<-rule.Fired()
			b.waitSessionEnd(b.through.PgConn().PID())
			if n := b.rows(); n != 0 {
				t.Errorf("%d rows: the server got the statement", n)
			}
		})
	}
}

func TestDropReply(t *testing.T) {
	for _, s := range statements {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.DropReply)
			done := b.run(s.sql, s.args...)
			<-rule.Fired()
			if n := b.rows(); n != 1 {
				t.Errorf("%d rows when the rule has fired, want 1", n)
			}
			if err := <-done; err == nil {
				t.Error("the client got the reply")
			}
		})
	}
}

// The server sends the beginning of its answer (more than it buffers) long before the end: the cut must wait for the end.
func TestDropReplyWaitsForTheEndOfTheReply(t *testing.T) {
	b := newBench(t)
	b.must(b.beside, "BEGIN")
	b.must(b.beside, "LOCK TABLE t")
	rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.DropReply)
	done := b.run("SELECT repeat('x', 100000); INSERT INTO t VALUES (1)")
	select {
	case <-rule.Fired():
		t.Error("fired while the server waits for the lock")
	case err := <-done:
		t.Errorf("the statement ended while the server waits for the lock: %v", err)
	case <-time.After(100 * time.Millisecond): // nothing may happen: a slow machine only makes this see less
	}
	b.must(b.beside, "COMMIT")
	<-rule.Fired()
	if n := b.rows(); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	<-done
}

func TestHoldReply(t *testing.T) {
	for _, s := range statements {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.HoldReply)
			done := b.run(s.sql, s.args...)
			<-rule.Fired()
			if n := b.rows(); n != 1 {
				t.Errorf("%d rows when the rule has fired, want 1", n)
			}
			select {
			case err := <-done:
				t.Errorf("the client got the reply while it was held: %v", err)
			default:
			}
			rule.Release()
			if err := <-done; err != nil {
				t.Error(err)
			}
			b.must(b.through, s.sql, s.args...) // the connection is still good, the rule used up
		})
	}
}

func TestHoldRequest(t *testing.T) {
	for _, s := range statements {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.HoldRequest)
			done := b.run(s.sql, s.args...)
			<-rule.Fired()
			if n := b.rows(); n != 0 {
				t.Errorf("%d rows while the request is held", n)
			}
			rule.Release()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if n := b.rows(); n != 1 {
				t.Errorf("%d rows after the release, want 1", n)
			}
		})
	}
}

// A request that is on its way arrives, though its sender has gone.
func TestHeldRequestOutlivesItsClient(t *testing.T) {
	b := newBench(t)
	rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.HoldRequest)
	done := b.run("INSERT INTO t VALUES (1)")
	<-rule.Fired()
	if err := b.through.PgConn().Conn().Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("the client got a reply")
	}
	rule.Release()
	b.waitRows(1)
}

// The client has lost its connection and knows nothing; the server gets the request later, and runs it.
func TestLateRequest(t *testing.T) {
	for _, s := range statements {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t)
			b.must(b.through, "BEGIN")
			rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.LateRequest)
			done := b.run(s.sql, s.args...)
			<-rule.Fired()
			if err := <-done; err == nil {
				t.Error("the client got a reply")
			}
			if !b.alive(b.through.PgConn().PID()) {
				t.Error("the server has seen that the client is gone")
			}
			rule.Release()
			b.waitSessionEnd(b.through.PgConn().PID())
			if n := b.rows(); n != 0 {
				t.Errorf("%d rows without a COMMIT", n)
			}
		})
	}
}

// A COMMIT that arrives after the client has given it up commits.
func TestLateCommit(t *testing.T) {
	b := newBench(t)
	b.must(b.through, "BEGIN")
	b.must(b.through, "INSERT INTO t VALUES (1)")
	rule := b.proxy.OnRequest(netproxy.SQLContains("COMMIT"), netproxy.LateRequest)
	if err := <-b.run("COMMIT"); err == nil {
		t.Error("the client got a reply")
	}
	<-rule.Fired()
	if n := b.rows(); n != 0 {
		t.Errorf("%d rows before the COMMIT has arrived", n)
	}
	rule.Release()
	b.waitRows(1)
}

func TestProxyClosesWhatItHolds(t *testing.T) {
	for name, action := range map[string]netproxy.Action{"request": netproxy.HoldRequest, "late request": netproxy.LateRequest, "reply": netproxy.HoldReply} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), action)
			done := b.run("INSERT INTO t VALUES (1)")
			<-rule.Fired()
			b.proxy.Close()
			if err := <-done; err == nil {
				t.Error("the statement succeeded")
			}
		})
	}
}

// In one transaction the rule picks its message, and leaves those before it alone.
func TestRuleFindsItsMessage(t *testing.T) {
	b := newBench(t)
	rule := b.proxy.OnRequest(netproxy.Nth(2, netproxy.SQLContains("commit")), netproxy.DropReply)
	for range 2 {
		b.must(b.through, "BEGIN")
		b.must(b.through, "INSERT INTO t VALUES ($1)", 1)
		if _, err := b.through.Exec(t.Context(), "COMMIT"); err != nil {
			break
		}
	}
	<-rule.Fired()
	if n := b.rows(); n != 2 {
		t.Errorf("%d rows, want both", n)
	}
}

func TestRuleFiresNTimes(t *testing.T) {
	b := newBench(t)
	rule := b.proxy.OnRequests(2, netproxy.SQLContains("INSERT"), netproxy.HoldReply)
	rule.Release()
	for range 3 {
		b.must(b.through, "INSERT INTO t VALUES (1)")
	}
	fired := 0
	for range rule.Fired() {
		fired++
	}
	if fired != 2 {
		t.Errorf("fired %d times, want 2", fired)
	}
}

func TestRemovedRule(t *testing.T) {
	b := newBench(t)
	rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.CutBefore)
	other := b.proxy.OnRequest(netproxy.SQLContains("DELETE"), netproxy.DropReply)
	b.proxy.Remove(rule)
	b.must(b.through, "INSERT INTO t VALUES (1)")
	if err := <-b.run("DELETE FROM t"); err == nil {
		t.Error("the other rule was removed too")
	}
	<-other.Fired()
}

// A client that asks for encryption, and does without when the server has none, is understood all the same.
func TestRuleAfterRefusedEncryption(t *testing.T) {
	b := newBench(t)
	config := b.beside.Config().ConnString()
	u, err := url.Parse(chaos.Via(config, b.proxy))
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = "sslmode=prefer"
	b.through = b.connect(u.String())
	rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.DropReply)
	done := b.run("INSERT INTO t VALUES (1)")
	<-rule.Fired()
	<-done
}

func TestLargeMessages(t *testing.T) {
	b := newBench(t)
	const size = 4 << 20
	var got int
	big := make([]byte, size)
	if err := b.through.QueryRow(t.Context(), "SELECT length($1::bytea)", big).Scan(&got); err != nil || got != size {
		t.Errorf("sent %d bytes, %d arrived, %v", size, got, err)
	}
	var text string
	if err := b.through.QueryRow(t.Context(), "SELECT repeat('x', 4194304)").Scan(&text); err != nil || len(text) != size {
		t.Errorf("%d bytes came back, %v", len(text), err)
	}
}

func TestServerStopsBehindTheProxy(t *testing.T) {
	chaos.CheckGoroutines(t)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := chaos.NewProxy(t, listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.Connect(t.Context(), "postgres://postgres@"+p.Addr()+"/postgres?sslmode=disable"); err == nil {
		t.Error("connected to a server that is not there")
	}
}
