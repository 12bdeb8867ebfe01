package tds_test

import (
	"runtime"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

func text(fragment string) func(tds.Request) bool {
	return func(r tds.Request) bool { return strings.Contains(r.Text, fragment) }
}

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		fragment string
		kind     tds.RequestKind
		args     []any
	}{
		"batch": {"do it", tds.Batch, nil},
		"call":  {"do it", tds.RPC, []any{1}},
	} {
		for action, want := range map[tds.Action]string{tds.CutBefore: "", tds.CutAfter: "do it"} {
			t.Run(name, func(t *testing.T) {
				b := &backend{}
				server, conn := connect(t, b)
				rule := server.OnRequest(func(r tds.Request) bool { return r.Kind == c.kind && text(c.fragment)(r) }, action)
				if _, err := conn.ExecContext(t.Context(), "do 0"); err != nil {
					t.Fatal(err)
				}
				select {
				case <-rule.Fired():
					t.Error("the rule has fired already")
				default:
				}
				b.notes()
				if _, err := conn.ExecContext(t.Context(), "do it", c.args...); err == nil {
					t.Error("the request was answered")
				}
				<-rule.Fired()
				if got := strings.Join(b.notes(), ""); got != want {
					t.Errorf("the session was asked for %q, want %q", got, want)
				}
				if b.sessionsClosed() != 1 {
					t.Error("the session is not closed")
				}
			})
		}
	}
}

func TestRulesOfTransactions(t *testing.T) {
	for action, want := range map[tds.Action][]string{tds.CutBefore: nil, tds.CutAfter: {"commit"}} {
		b := &backend{}
		server, conn := connect(t, b)
		tx, err := conn.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.notes()
		rule := server.OnRequest(func(r tds.Request) bool { return r == tds.Request{Kind: tds.Transaction, Text: "COMMIT"} }, action)
		if err := tx.Commit(); err == nil {
			t.Error("the commit was answered")
		}
		<-rule.Fired()
		wantNotes(t, b, want...)
	}
}

// A rule that cuts after a request sends nothing of the answer, however long it is.
func TestCutAfterALongAnswer(t *testing.T) {
	var rows [][]any
	for range 50_000 {
		rows = append(rows, []any{int64(1)})
	}
	b := &backend{batch: selects(number, rows...)}
	server, conn := connect(t, b)
	rule := server.OnRequest(text("SELECT"), tds.CutAfter)
	got, err := conn.QueryContext(t.Context(), "SELECT 1")
	if err == nil {
		t.Error("the request was answered")
		_ = got.Close()
	}
	<-rule.Fired()
}

func TestCutAndClose(t *testing.T) {
	before := runtime.NumGoroutine()
	b := &backend{}
	server, addr := serve(t, b)
	db := open(t, addr, "")
	started := make(chan struct{})
	b.batch = func(s *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		started <- struct{}{}
		return nil, s.wait()
	}
	for _, end := range []func(){server.Cut, server.Cut, server.Close} {
		failed := make(chan error)
		go func() {
			_, err := db.ExecContext(t.Context(), "do it")
			failed <- err
		}()
		<-started
		end()
		if err := <-failed; err == nil {
			t.Error("the request was answered")
		}
	}
	if b.sessionsClosed() != 3 {
		t.Errorf("%d sessions are closed", b.sessionsClosed())
	}
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("a closed server takes connections")
	}
	_ = db.Close()
	server.Close()
	eventually(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before })
}

// A client that goes while its request is running ends its session.
func TestClientGoes(t *testing.T) {
	b := &backend{}
	_, addr := serve(t, b)
	started := make(chan struct{})
	b.batch = func(s *session, _ string, _ []tds.Param, _ tds.Sink) ([]any, error) {
		close(started)
		return nil, s.wait()
	}
	c := dialRaw(t, addr)
	c.logIn()
	c.batch("do it")
	<-started
	_ = c.Close()
	eventually(t, "the end of the session", func() bool { return b.sessionsClosed() == 1 })
}

func TestLostSession(t *testing.T) {
	b := &backend{batch: func(*session, string, []tds.Param, tds.Sink) ([]any, error) { return nil, mssql.StreamError{} }}
	_, conn := connect(t, b)
	if _, err := conn.ExecContext(t.Context(), "do it"); err == nil {
		t.Error("the request was answered")
	}
	eventually(t, "the end of the session", func() bool { return b.sessionsClosed() == 1 })
}
