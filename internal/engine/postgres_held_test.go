package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql/internal/testdb"
)

// A transaction without statements costs nothing; with a marker alone, one write.
func TestBeginHeld(t *testing.T) {
	ctx := context.Background()
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	p := newProbe(t, dsn, "cache_statement", true)
	if err := p.Init(ctx); err != nil {
		t.Fatal(err)
	}
	p.writes = nil
	for _, end := range []func() error{func() error { return p.Commit(ctx, nil) }, func() error { return p.Rollback(ctx) }} {
		p.begin(TxOptions{})
		if p.Status() != TxOpen || p.Valid() || p.Reset(ctx) != driver.ErrBadConn {
			t.Errorf("held: status %v, valid %v", p.Status(), p.Valid())
		}
		if wrote, err := p.Wrote(ctx); wrote || err != nil {
			t.Errorf("held: wrote %v, %v", wrote, err)
		}
		if err := p.Ping(ctx); err != nil || p.pg.PgConn().TxStatus() != 'I' || p.Status() != TxOpen {
			t.Errorf("Ping: %v, status %v", err, p.Status())
		}
		if err := end(); err != nil || p.Status() != TxIdle || !p.Valid() || p.Reset(ctx) != nil {
			t.Errorf("ended: %v, status %v, valid %v", err, p.Status(), p.Valid())
		}
	}
	p.writes = slices.DeleteFunc(p.writes, func(b []byte) bool { return string(b[5:len(b)-1]) == "-- ping" })
	if len(p.writes) > 0 {
		t.Errorf("%d writes, %q", len(p.writes), p.writes)
	}

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	p.writes = nil
	p.begin(TxOptions{})
	if _, err := p.Exec(cancelled, "create table never ()", nil); !errors.Is(err, context.Canceled) && err != driver.ErrBadConn {
		t.Errorf("a cancelled context: %v", err)
	}
	m := Marker{TxID: uuid.New(), Journal: uuid.New()}
	if err := p.Commit(cancelled, &m); err == nil || pgUnknown(err) {
		t.Errorf("COMMIT with a cancelled context: %v", err)
	}
	if p.Status() != TxOpen || len(p.writes) > 0 {
		t.Errorf("status %v after %q", p.Status(), p.writes)
	}
	if err := p.Commit(ctx, &m); err != nil || len(p.writes) != 1 {
		t.Errorf("COMMIT with a marker: %v in %d writes", err, len(p.writes))
	}
	if state, err := p.MarkerState(ctx, m.TxID); state != Committed || err != nil {
		t.Errorf("the marker says %v, %v", state, err)
	}
	p.begin(TxOptions{})
	if err := p.Commit(ctx, &m); !errors.Is(err, ErrFenced) {
		t.Errorf("COMMIT with the same marker: %v", err)
	}
	if err := p.Rollback(ctx); err != nil || !p.Valid() {
		t.Errorf("ROLLBACK: %v, valid %v", err, p.Valid())
	}
	if err := p.Begin(ctx, TxOptions{TxOptions: driver.TxOptions{Isolation: driver.IsolationLevel(sql.LevelLinearizable)}}); err == nil {
		t.Error("an isolation level that PostgreSQL does not have: no error")
	}
	if err := p.Begin(cancelled, TxOptions{}); err == nil || p.Status() != TxIdle {
		t.Errorf("BEGIN with a cancelled context: %v", err)
	}
}

// Who takes the connection finds the transaction open, also for what does not go through pgx's frontend.
func TestBeginBeforeRawUse(t *testing.T) {
	ctx := context.Background()
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	p := newProbe(t, dsn, "exec", true)
	p.must("create table t (id int)")
	p.begin(TxOptions{})
	pg := p.Conn().(*stdlib.Conn).Conn()
	if pg.PgConn().TxStatus() != 'T' || p.Status() != TxOpen {
		t.Errorf("status %c", pg.PgConn().TxStatus())
	}
	b := &pgx.Batch{}
	b.Queue("insert into t values ($1)", 1)
	if err := pg.SendBatch(ctx, b).Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if got := p.value("select count(*) from t"); got != "0" {
		t.Errorf("%s rows after ROLLBACK", got)
	}
	p.begin(TxOptions{})
	p.wire.hold("beginn")
	if p.Conn(); p.Status() != TxFailed || !p.pg.IsClosed() {
		t.Error("a connection whose BEGIN has failed was handed out")
	}
}

// ended waits until the server's end of the connection can be seen here.
func (p *probe) ended() {
	p.t.Helper()
	if err := p.wire.raw.Read(func(uintptr) bool { return !p.wire.quiet() }); err != nil {
		p.t.Fatal(err)
	}
}

// A connection that has ended is found at BEGIN, before anything depends on it.
func TestBeginOnDeadConnection(t *testing.T) {
	ctx := context.Background()
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	watch := newProbe(t, dsn, "exec", true)
	for _, idle := range []bool{true, false} {
		p := newProbe(t, dsn, "cache_statement", true)
		if !idle {
			p.begin(TxOptions{})
		}
		watch.must("select pg_terminate_backend($1)", int64(p.pg.PgConn().PID()))
		p.ended()
		if idle {
			err := p.Begin(ctx, TxOptions{})
			if err == nil || !Postgres.Transient(err) || p.Valid() || p.Status() != TxFailed {
				t.Errorf("BEGIN: %v, status %v", err, p.Status())
			}
			continue
		}
		if err := p.Ping(ctx); err != driver.ErrBadConn || p.Status() != TxFailed {
			t.Errorf("Ping: %v, status %v", err, p.Status())
		}
		if err := p.Commit(ctx, nil); err == nil {
			t.Error("COMMIT on a connection that is gone: no error")
		}
		if err := p.Rollback(ctx); err != nil {
			t.Errorf("ROLLBACK: %v", err)
		}
	}
	// Something to read is no end: BEGIN goes out at once, and meets it.
	p := newProbe(t, dsn, "cache_statement", true)
	p.must("listen news")
	watch.must("notify news")
	p.ended()
	if p.begin(TxOptions{}); p.wire.holds() || p.Status() != TxOpen {
		t.Errorf("holds %v, status %v", p.wire.holds(), p.Status())
	}
}

// A statement that is cancelled under way takes the transaction's BEGIN with it.
func TestBeginCancelled(t *testing.T) {
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	p := newProbe(t, dsn, "exec", true)
	p.begin(TxOptions{})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Exec(ctx, "select pg_sleep(60)", nil); err == nil {
		t.Error("no error")
	}
	if p.Status() != TxFailed || p.Valid() {
		t.Errorf("status %v, valid %v", p.Status(), p.Valid())
	}
	if err := p.Commit(context.Background(), nil); err == nil {
		t.Error("COMMIT: no error")
	}
	<-p.pg.PgConn().CleanupDone()
}

// The connector of a DSN gives its connections a wire; another's connector does not, and BEGIN goes out at once.
func TestConnectorsWire(t *testing.T) {
	ctx := context.Background()
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	ours, cfg, err := PostgresConnector(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if ours.Driver() != stdlib.GetDefaultDriver() {
		t.Errorf("the driver is a %T", ours.Driver())
	}
	for _, c := range []struct {
		connector driver.Connector
		wired     bool
	}{{ours, true}, {stdlib.GetConnector(*cfg), false}} {
		conn, err := c.connector.Connect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Postgres.Session(ctx, conn, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Begin(ctx, TxOptions{}); err != nil || s.Status() != TxOpen {
			t.Errorf("wired %v: %v, status %v", c.wired, err, s.Status())
		}
		if sent := s.(*pgSession).pg.PgConn().TxStatus() == 'T'; sent == c.wired {
			t.Errorf("wired %v: BEGIN was sent: %v", c.wired, sent)
		}
		if err := errors.Join(s.Commit(ctx, nil), s.Close()); err != nil {
			t.Error(err)
		}
	}
}
