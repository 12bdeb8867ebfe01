package tds_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

func TestTransactions(t *testing.T) {
	b := &backend{}
	_, conn := connect(t, b)
	exec := func(text string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	exec("do 0")
	wantNotes(t, b, "reset false", "do 0")
	for level, want := range map[sql.IsolationLevel]tds.Isolation{
		sql.LevelDefault: 0, sql.LevelReadUncommitted: tds.ReadUncommitted, sql.LevelReadCommitted: tds.ReadCommitted,
		sql.LevelRepeatableRead: tds.RepeatableRead, sql.LevelSerializable: tds.Serializable, sql.LevelSnapshot: tds.Snapshot,
	} {
		for _, end := range []string{"commit", `rollback ""`} {
			tx, err := conn.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
			if err != nil {
				t.Fatal(err)
			}
			exec("do 1")
			finish := tx.Commit
			if end != "commit" {
				finish = tx.Rollback
			}
			if err := finish(); err != nil {
				t.Fatal(err)
			}
			exec("do 2")
			wantNotes(t, b, fmt.Sprintf(`begin %d ""`, want), "do 1", end, "do 2")
		}
	}
}

// A transaction that the session ends by itself is over for the client too.
func TestTransactionLost(t *testing.T) {
	b := &backend{}
	_, conn := connect(t, b)
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.batch = func(s *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		out.Message(tds.Message{Number: 1205, State: 1, Class: 13, Text: "deadlock victim"})
		out.Tran(tds.TranRolledBack, s.descriptor)
		out.Done(tds.Done{Failed: true})
		return nil, nil
	}
	var got mssql.Error
	if _, err := tx.ExecContext(t.Context(), "do it"); !errors.As(err, &got) || got.Number != 1205 {
		t.Errorf("the error is %v", err)
	}
	b.batch = nil
	if _, err := tx.ExecContext(t.Context(), "do more"); err == nil || !strings.Contains(err.Error(), "active transaction") {
		t.Errorf("after it the error is %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if _, err := conn.ExecContext(t.Context(), "do again"); err != nil {
		t.Error(err)
	}
}

func TestReset(t *testing.T) {
	b := &backend{}
	_, addr := serve(t, b)
	db := open(t, addr, "")
	db.SetMaxOpenConns(1)
	for range 2 {
		if _, err := db.ExecContext(t.Context(), "do it"); err != nil {
			t.Fatal(err)
		}
	}
	wantNotes(t, b, "reset false", "do it", "reset false", "do it")
}

func TestCancel(t *testing.T) {
	b := &backend{}
	_, conn := connect(t, b)
	started := make(chan struct{})
	b.batch = func(s *session, text string, _ []tds.Param, out tds.Sink) ([]any, error) {
		if text == "do more" {
			out.Done(tds.Done{Rows: 3, Counted: true})
			return nil, nil
		}
		out.Done(tds.Done{Rows: 1, Counted: true})
		started <- struct{}{}
		err := s.wait()
		out.Columns(number)
		out.Row([]any{int64(1)})
		out.Message(tds.Message{Number: 1, Class: 16, Text: "cancelled"})
		out.Done(tds.Done{Failed: true})
		return nil, err
	}
	for i := range 20 {
		var args []any
		if i%2 == 1 {
			args = []any{1}
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-started
			cancel()
		}()
		if _, err := conn.ExecContext(ctx, "do it", args...); !errors.Is(err, context.Canceled) {
			t.Fatalf("the error is %v", err)
		}
		result, err := conn.ExecContext(t.Context(), "do more")
		if err != nil {
			t.Fatalf("the connection is of no more use: %v", err)
		}
		if n, _ := result.RowsAffected(); n != 3 {
			t.Errorf("%d rows affected", n)
		}
	}
}

// An attention that comes as the reply goes out must be acknowledged once, whoever is first.
func TestCancelAtTheEnd(t *testing.T) {
	b := &backend{}
	_, conn := connect(t, b)
	for range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		b.batch = func(_ *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
			go cancel()
			out.Done(tds.Done{Rows: 1, Counted: true})
			return nil, nil
		}
		if _, err := conn.ExecContext(ctx, "do it"); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("the error is %v", err)
		}
		b.batch = nil
		if _, err := conn.ExecContext(t.Context(), "do more"); err != nil {
			t.Fatalf("the connection is of no more use: %v", err)
		}
	}
}

func TestCancelOfATransactionKeepsItsEvents(t *testing.T) {
	b := &backend{}
	_, conn := connect(t, b)
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.batch = func(s *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		cancel()
		err := s.wait()
		out.Tran(tds.TranRolledBack, s.descriptor)
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "do it"); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	b.notes()
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	wantNotes(t, b) // the driver knows that there is nothing to roll back
}
