package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb"
)

func newEarlyDatabase(t testing.TB) (dsn string, watch *probe) {
	dsn = testdb.Clusters(t, 1)[0].CreateDatabase(t)
	watch = newProbe(t, dsn, "exec", true)
	watch.must("create table t (id int primary key check (id > 0)); create table mark (id int)")
	return dsn, watch
}

func codeOf(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

// BEGIN, a statement and the PREPARE behind it are one write, once pgx knows the statement.
func TestEarly(t *testing.T) {
	ctx := context.Background()
	dsn, watch := newEarlyDatabase(t)
	const text = "insert into mark values (1); prepare transaction 'early'"
	for _, mode := range execModes {
		for _, f := range []first{
			execs("insert into t values ($1)", 1), execs("insert into t values (1)"), queries("insert into t values ($1) returning id", 1),
			{"prepared", func(p *probe) (any, error) { // it must not be closed before the replies have been read
				st, err := p.Prepare(ctx, "insert into t values ($1)")
				if err != nil {
					return nil, err
				}
				return execStmt(ctx, st, values([]any{1}))
			}},
		} {
			for _, wired := range []bool{true, false} {
				for _, open := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s/%s/wired %v/open %v", mode, f.name, wired, open), func(t *testing.T) {
						p := newProbe(t, dsn, mode, wired)
						for _, known := range []bool{false, true} {
							p.begin(TxOptions{})
							if open {
								p.must("select 1")
							}
							p.writes = nil
							p.early(text)
							if _, err := f.run(p); err != nil {
								t.Fatal(err)
							}
							if sent := p.earlySent(); sent != wired {
								t.Errorf("sent: %v", sent)
							}
							tag, err := p.simple(ctx, text)
							if err != nil || tag.String() != "PREPARE TRANSACTION" || !p.Valid() {
								t.Fatalf("%v, %v, valid %v", tag, err, p.Valid())
							}
							if wired && known && len(p.writes) != 1 && mode != "describe_exec" {
								t.Errorf("%d writes: %q", len(p.writes), p.writes)
							}
							p.must("commit prepared 'early'")
							if got := watch.value("select count(*), (select count(*) from mark) from t"); got != "1 1" {
								t.Errorf("rows and marks: %s", got)
							}
							watch.must("truncate t, mark")
						}
					})
				}
			}
		}
	}
}

// Behind a statement that has failed an early text does nothing, and one that never went out does not go out later.
func TestEarlyBehindFailure(t *testing.T) {
	ctx := context.Background()
	dsn, watch := newEarlyDatabase(t)
	const text = "insert into mark values (1); prepare transaction 'early'"
	for _, test := range []struct {
		first
		begin bool
		code  string // what the text says; "": it may not have been sent
	}{
		{execs("insert into t values ($1)", 0), true, "25P02"},
		{execs("insert into t values (0)"), true, "25P02"},
		{queries("select 1/(n - 500) from generate_series(1, 20000) n where $1::int > 0", 1), true, "25P02"},
		{execs("oops"), true, "25P02"},
		{execs("rollback"), true, "25P01"},
		{execs("insert into t values (7)"), false, "25P01"}, // a transaction of its own
		{execs("oops $1", 1), true, ""},
		{execs("insert into t values ($1)", "not a number"), true, ""},
		{execs("insert into t values ($1)", 1, 2), true, ""},
	} {
		for _, mode := range execModes {
			t.Run(mode+"/"+test.name, func(t *testing.T) {
				p := newProbe(t, dsn, mode, true)
				if test.begin {
					p.begin(TxOptions{})
				}
				p.early(text)
				_, err := test.run(p)
				if (err == nil) != (test.code == "25P01") {
					t.Errorf("the statement says %v", err)
				}
				sent := p.earlySent()
				if sent {
					if _, err := p.simple(ctx, text); codeOf(err) != test.code && test.code != "" || err == nil {
						t.Errorf("the text says %v, want %s", err, test.code)
					}
				} else if test.code != "" {
					t.Error("the text was not sent")
				}
				if err := p.Rollback(ctx); err != nil || !p.Valid() {
					t.Errorf("ROLLBACK: %v, valid %v", err, p.Valid())
				}
				p.must("select 1") // takes nothing along
				if got := watch.value("select (select count(*) from mark), (select count(*) from pg_prepared_xacts)"); got != "0 0" {
					t.Errorf("marks and prepared transactions: %s", got)
				}
				watch.must("truncate t")
			})
		}
	}
}

// What several executions are for takes no early text along; simple sends it.
func TestEarlyBehindBatch(t *testing.T) {
	ctx := context.Background()
	dsn, watch := newEarlyDatabase(t)
	for _, mode := range execModes {
		p := newProbe(t, dsn, mode, true)
		p.begin(TxOptions{})
		pg := p.pg
		if mode == "exec" {
			p.Conn() // its batches do not go through the frontend
		}
		p.early("insert into mark values (1); commit")
		b := &pgx.Batch{}
		b.Queue("insert into t values ($1)", 1)
		b.Queue("insert into t values ($1)", 2)
		if err := pg.SendBatch(ctx, b).Close(); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if p.earlySent() && mode != "simple_protocol" { // where it is one Query
			t.Errorf("%s: the text was sent", mode)
		}
		if tag, err := p.simple(ctx, "insert into mark values (1); commit"); err != nil || tag.String() != "COMMIT" || !p.Valid() {
			t.Errorf("%s: %v, %v, valid %v", mode, tag, err, p.Valid())
		}
		if got := watch.value("select count(*), (select count(*) from mark) from t"); got != "2 1" {
			t.Errorf("%s: rows and marks: %s", mode, got)
		}
		watch.must("truncate t, mark")
	}
}

// Once the text may have run, nothing says that it has not.
func TestEarlyReplyLost(t *testing.T) {
	ctx := context.Background()
	dsn, _ := newEarlyDatabase(t)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, lose := range map[string]func(p *probe) context.Context{
		"another request": func(p *probe) context.Context {
			if err := p.exec("insert into t values (1)"); err == nil || !p.pg.IsClosed() {
				p.t.Errorf("a request out of turn: %v", err)
			}
			return ctx
		},
		"a rollback": func(p *probe) context.Context {
			if err := p.Rollback(ctx); err == nil || !p.pg.IsClosed() {
				p.t.Errorf("ROLLBACK out of turn: %v", err)
			}
			return ctx
		},
		"a cancelled context": func(*probe) context.Context { return cancelled },
		"a closed connection": func(p *probe) context.Context { p.pg.Close(ctx); return ctx },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProbe(t, dsn, "exec", true)
			if err := p.Init(ctx); err != nil {
				t.Fatal(err)
			}
			m := Marker{TxID: uuid.New(), Journal: uuid.New()}
			p.begin(TxOptions{})
			p.early(p.insertMarker(m) + "; commit")
			p.must("select $1::int", 1)
			err := p.Commit(lose(p), &m)
			if !pgUnknown(err) || errors.Is(err, driver.ErrBadConn) || !p.pg.IsClosed() || p.Valid() {
				t.Errorf("COMMIT says %v; closed %v", err, p.pg.IsClosed())
			}
		})
	}
	t.Run("the statement", func(t *testing.T) {
		p := newProbe(t, dsn, "exec", true)
		m := Marker{TxID: uuid.New(), Journal: uuid.New()}
		p.begin(TxOptions{})
		p.early(p.insertMarker(m) + "; commit")
		if err := p.exec("select pg_terminate_backend(pg_backend_pid()), $1::int", 1); err == nil {
			t.Error("no error")
		}
		if err := p.Commit(ctx, &m); !pgUnknown(err) {
			t.Errorf("COMMIT says %v", err)
		}
	})
	t.Run("kept", func(t *testing.T) {
		p := newProbe(t, dsn, "exec", true)
		m := Marker{TxID: uuid.New(), Journal: uuid.New()}
		p.begin(TxOptions{})
		p.early(p.insertMarker(m) + "; commit")
		p.must("select $1::int", 1)
		if err := p.Commit(ctx, &m); err != nil || len(p.writes) != 1 {
			t.Errorf("COMMIT says %v, in %d writes", err, len(p.writes))
		}
		if state, err := p.MarkerState(ctx, m.TxID); state != Committed || err != nil {
			t.Errorf("the marker says %v, %v", state, err)
		}
	})
}
