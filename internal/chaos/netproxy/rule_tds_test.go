package netproxy_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/chaos/netproxy"
)

// tdsRequests are the ways in which go-mssqldb has something run. Each is the first that has the fragment in its text.
var tdsRequests = []struct {
	name     string
	fragment string
	text     string // as the server is told
	run      func(context.Context, *sql.Conn) error
}{
	{"batch", "insert", "INSERT a", execution("INSERT a")},
	{"batch of many packets", "insert", longInsert, execution(longInsert)},
	{"sp_executesql", "insert", "INSERT @p1", execution("INSERT @p1", 1)},
	{"sp_executesql of a long text", "insert", longInsert, execution(longInsert, 1)},
	{"prepared", "insert", "INSERT @p1", func(ctx context.Context, conn *sql.Conn) error {
		stmt, err := conn.PrepareContext(ctx, "INSERT @p1")
		if err != nil {
			return err
		}
		defer stmt.Close()
		_, err = stmt.ExecContext(ctx, 1)
		return err
	}},
	{"procedure", "insert", "insert_row", execution("insert_row", sql.Named("n", 1))},
	{"begin", "begin tran", "BEGIN TRANSACTION", transaction((*sql.Tx).Rollback)},
	{"commit", "commit", "COMMIT TRANSACTION", transaction((*sql.Tx).Commit)},
	{"rollback", "rollback", "ROLLBACK TRANSACTION", transaction((*sql.Tx).Rollback)},
}

func transaction(end func(*sql.Tx) error) func(context.Context, *sql.Conn) error {
	return func(ctx context.Context, conn *sql.Conn) error {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		return end(tx)
	}
}

var longInsert = strings.Repeat(" ", 20_000) + "INSERT a"

func TestTDSCutBefore(t *testing.T) {
	for _, r := range tdsRequests {
		t.Run(r.name, func(t *testing.T) {
			b := newTDSBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains(r.fragment), netproxy.CutBefore)
			if err := <-b.run(r.run); err == nil {
				t.Error("it succeeded")
			}
			<-rule.Fired()
			if n := b.times(r.text); n != 0 {
				t.Errorf("run %d times", n)
			}
		})
	}
}

func TestTDSDropReply(t *testing.T) {
	for _, r := range tdsRequests {
		t.Run(r.name, func(t *testing.T) {
			b := newTDSBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains(r.fragment), netproxy.DropReply)
			done := b.run(r.run)
			<-rule.Fired()
			if n := b.times(r.text); n != 1 {
				t.Errorf("run %d times when the rule has fired, want once", n)
			}
			if err := <-done; err == nil {
				t.Error("the client got the reply")
			}
		})
	}
}

func TestTDSHoldReply(t *testing.T) {
	for _, r := range tdsRequests {
		t.Run(r.name, func(t *testing.T) {
			b := newTDSBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains(r.fragment), netproxy.HoldReply)
			done := b.run(r.run)
			b.fires(rule, done)
			if n := b.times(r.text); n != 1 {
				t.Errorf("run %d times when the rule has fired, want once", n)
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
			if err := <-b.exec("SELECT 1"); err != nil { // the connection is still good
				t.Error(err)
			}
		})
	}
}

func TestTDSHoldRequest(t *testing.T) {
	for _, r := range tdsRequests {
		t.Run(r.name, func(t *testing.T) {
			b := newTDSBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains(r.fragment), netproxy.HoldRequest)
			done := b.run(r.run)
			b.fires(rule, done)
			if n := b.times(r.text); n != 0 {
				t.Errorf("run %d times while the request is held", n)
			}
			rule.Release()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if n := b.times(r.text); n != 1 {
				t.Errorf("run %d times after the release, want once", n)
			}
		})
	}
}

// The client has lost its connection and knows nothing; the server gets the request later, and runs it.
func TestTDSLateRequest(t *testing.T) {
	for _, r := range tdsRequests {
		t.Run(r.name, func(t *testing.T) {
			b := newTDSBench(t)
			rule := b.proxy.OnRequest(netproxy.SQLContains(r.fragment), netproxy.LateRequest)
			done := b.run(r.run)
			<-rule.Fired()
			if err := <-done; err == nil {
				t.Error("the client got a reply")
			}
			if n := b.times(r.text); n != 0 {
				t.Errorf("run %d times while the request is on its way", n)
			}
			rule.Release()
			b.waitRun(r.text)
		})
	}
}

func TestTDSRuleFindsItsMessage(t *testing.T) {
	b := newTDSBench(t)
	rule := b.proxy.OnRequest(netproxy.Nth(2, netproxy.SQLContains("commit")), netproxy.DropReply)
	for i := range 2 {
		tx, err := b.through.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("INSERT @p1", 1); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); (err == nil) != (i == 0) {
			t.Errorf("commit %d: %v", i, err)
		}
	}
	<-rule.Fired()
	if n := b.times("COMMIT TRANSACTION"); n != 2 {
		t.Errorf("%d commits, want 2", n)
	}
}

// cancel runs the query, and cancels it when begun has a value. It has to end with that, after what is done when the client
// has sent its attention.
func (b *tdsBench) cancel(query string, begun <-chan struct{}, then func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	done := b.run(func(_ context.Context, conn *sql.Conn) error { return execution(query)(ctx, conn) })
	<-begun
	cancel()
	<-b.attentions
	then()
	if err := <-done; !errors.Is(err, context.Canceled) {
		b.Fatalf("%s: %v", query, err)
	}
}

// After a request that was cancelled, rules have the answers of their own requests, and not those before or after.
func TestTDSAttention(t *testing.T) {
	for _, test := range []struct {
		name   string
		cancel func(*tdsBench)
	}{
		{"while the server runs", func(b *tdsBench) { b.cancel("WAIT FOR IT", b.waits, func() {}) }},
		{"after it has answered", func(b *tdsBench) {
			rule := b.proxy.OnRequest(netproxy.SQLContains("held"), netproxy.HoldReply)
			b.cancel("INSERT held", rule.Fired(), rule.Release)
		}},
		{"before the server has the request", func(b *tdsBench) {
			rule := b.proxy.OnRequest(netproxy.SQLContains("held"), netproxy.HoldRequest)
			b.cancel("INSERT held", rule.Fired(), rule.Release)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newTDSBench(t)
			for range 2 {
				test.cancel(b)
				rule := b.proxy.OnRequest(netproxy.SQLContains("INSERT"), netproxy.HoldReply)
				done := b.exec("INSERT a")
				b.fires(rule, done)
				rule.Release()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			if n := b.times("INSERT a"); n != 2 {
				t.Errorf("run %d times, want twice", n)
			}
		})
	}
}

// The answer to a request that is cancelled ends with the attention's.
func TestTDSHoldReplyOfACancelledRequest(t *testing.T) {
	b := newTDSBench(t)
	rule := b.proxy.OnRequest(netproxy.SQLContains("WAIT FOR IT"), netproxy.HoldReply)
	b.cancel("WAIT FOR IT", b.waits, func() {
		<-rule.Fired()
		rule.Release()
	})
	if err := <-b.exec("INSERT a"); err != nil {
		t.Error(err)
	}
}

// The rows of a bulk load are one message, however many packets they have.
func TestTDSBulkLoad(t *testing.T) {
	b := newTDSBench(t)
	rule := b.proxy.OnRequest(func(m netproxy.Message) bool { return m.Type == 0x07 }, netproxy.HoldReply)
	done := b.run(func(ctx context.Context, conn *sql.Conn) error {
		stmt, err := conn.PrepareContext(ctx, mssql.CopyIn("t", mssql.BulkOptions{}, "n"))
		if err != nil {
			return err
		}
		defer stmt.Close()
		for n := range 10_000 {
			if _, err := stmt.ExecContext(ctx, n); err != nil {
				return err
			}
		}
		_, err = stmt.ExecContext(ctx)
		return err
	})
	b.fires(rule, done)
	if n := b.times("10000 rows"); n != 1 {
		t.Errorf("run %d times when the rule has fired, want once", n)
	}
	rule.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTDSLargeMessages(t *testing.T) {
	b := newTDSBench(t)
	sent := strings.Repeat("ü", 1<<20)
	var got string
	if err := b.through.QueryRowContext(t.Context(), "SELECT @p1", sent).Scan(&got); err != nil || got != sent {
		t.Errorf("%d bytes of %d came back, %v", len(got), len(sent), err)
	}
}
