package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql/internal/testdb"
)

var execModes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

// probe is a session with its wire's other end in the test's hands.
type probe struct {
	*pgSession
	t       testing.TB
	notices []string
	mu      sync.Mutex // pgx writes from two goroutines while it copies in
	writes  [][]byte
	rnd     *rand.Rand // reads come in pieces of random size; nil: as they are
	r       io.Reader
	w       io.Writer
}

// newProbe connects. Without a wire the session sends every BEGIN by itself; what it writes is counted all the same.
func newProbe(t testing.TB, dsn, mode string, wired bool) *probe {
	t.Helper()
	ctx := context.Background()
	cfg, err := pgx.ParseConfig(dsn + "&default_query_exec_mode=" + mode)
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{t: t}
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { p.notices = append(p.notices, n.Severity+": "+n.Message) }
	c, err := stdlib.GetConnector(*cfg, stdlib.OptionBeforeConnect(withWire)).Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Postgres.Session(ctx, c, Options{Role: Secondary})
	if err != nil {
		t.Fatal(err)
	}
	p.pgSession = s.(*pgSession)
	p.r, p.w = p.wire.r, p.wire.w
	p.wire.r, p.wire.w = p, writer{p}
	if !wired {
		p.wire = nil
	}
	t.Cleanup(func() { _ = s.Close() })
	return p
}

func (p *probe) Read(b []byte) (int, error) {
	if p.rnd != nil {
		b = b[:1+p.rnd.IntN(min(len(b), 40))]
	}
	return p.r.Read(b)
}

type writer struct{ *probe }

func (w writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.writes = append(w.writes, slices.Clone(b))
	w.mu.Unlock()
	return w.w.Write(b)
}

func (p *probe) begin(o TxOptions) {
	p.t.Helper()
	if err := p.Begin(context.Background(), o); err != nil {
		p.t.Fatalf("BEGIN: %v", err)
	}
}

func (p *probe) exec(text string, args ...any) error {
	_, err := p.Exec(context.Background(), text, values(args))
	return err
}

func (p *probe) must(text string, args ...any) {
	p.t.Helper()
	if err := p.exec(text, args...); err != nil {
		p.t.Fatalf("%s: %v", text, err)
	}
}

// value returns the query's first row.
func (p *probe) value(text string, args ...any) string {
	p.t.Helper()
	rows, err := p.query(text, args...)
	if err != nil || len(rows) == 0 {
		p.t.Fatalf("%s: %d rows, %v", text, len(rows), err)
	}
	return rows[0]
}

func (p *probe) query(text string, args ...any) ([]string, error) {
	rows, err := p.Query(context.Background(), text, values(args))
	if err != nil {
		return nil, err
	}
	return drain(rows)
}

func drain(rows driver.Rows) (all []string, err error) {
	row := make([]driver.Value, len(rows.Columns()))
	for err == nil {
		if err = rows.Next(row); err == nil {
			line := make([]string, len(row))
			for i, v := range row {
				line[i] = fmt.Sprint(v)
			}
			all = append(all, strings.Join(line, " "))
		}
	}
	if err == io.EOF {
		err = nil
	}
	return all, errors.Join(err, rows.Close())
}

func values(args []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, a := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return out
}

// first is a transaction's first statement, by every way there is through pgx.
type first struct {
	name string
	run  func(p *probe) (any, error)
}

func execs(text string, args ...any) first {
	return first{"exec " + text, func(p *probe) (any, error) {
		res, err := p.Exec(context.Background(), text, values(args))
		if err != nil {
			return nil, err
		}
		n, err := res.RowsAffected()
		return n, err
	}}
}

func queries(text string, args ...any) first {
	return first{"query " + text, func(p *probe) (any, error) { return p.query(text, args...) }}
}

func prepared(text string, args ...any) first {
	return first{"prepared " + text, func(p *probe) (any, error) {
		st, err := p.Prepare(context.Background(), text)
		if err != nil {
			return nil, err
		}
		rows, err := queryStmt(context.Background(), st, values(args))
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		all, err := drain(rows)
		return all, errors.Join(err, st.Close())
	}}
}

// raw uses pgx's own connection.
func raw(name string, run func(ctx context.Context, c *pgx.Conn) (any, error)) first {
	return first{"raw " + name, func(p *probe) (any, error) { return run(context.Background(), p.pg) }}
}

var firsts = []first{
	execs("insert into t values (1)"),
	execs("insert into t values ($1)", 1),
	execs("insert into t values (1), (2); insert into t values (3)"),
	execs("insert into t values (1); insert into t values (1)"),
	execs("insert into t select n from generate_series(1, $1::int) n", 1000),
	queries("insert into t values ($1) returning id", 1),
	queries("select n, repeat('x', 5000) from generate_series(1, $1::int) n", 200),
	queries("select n from generate_series(1, 20000) n"),
	queries("select 1/(n - 500) from generate_series(1, $1::int) n", 20000),
	prepared("select $1::int", 1),
	prepared("insert into t values ($1) returning id", 1),
	prepared("select nope"),
	execs(""), execs("-- nothing"), queries(""),
	execs("insert into t valuess (1)"), execs("insert into t valuess ($1)", 1), queries("select 'é', nope from t where id = $1", 1),
	execs("select 1; select nope"), execs("insert into t values (1); oops"),
	execs("insert into t values (0)"), execs("insert into t values ($1)", 0),
	execs("insert into t values ($1)", "not a number"), execs("insert into t values ($1)"), execs("insert into t values ($1)", 1, 2),
	execs("do $$ begin raise notice 'heard'; end $$"),
	queries("select set_config('application_name', $1, false)", "changed"),
	execs("vacuum t"), execs("savepoint a"), execs("begin"), execs("set transaction isolation level serializable"), execs("rollback"),
	{"ping", func(p *probe) (any, error) { return nil, p.Ping(context.Background()) }},
	{"forget", func(p *probe) (any, error) { return nil, p.Forget(context.Background()) }},
	raw("CopyFrom", func(ctx context.Context, c *pgx.Conn) (any, error) {
		return c.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id"}, pgx.CopyFromSlice(5000, func(i int) ([]any, error) { return []any{i + 1}, nil }))
	}),
	raw("CopyFrom that fails", func(ctx context.Context, c *pgx.Conn) (any, error) {
		return c.PgConn().CopyFrom(ctx, strings.NewReader("1\n2\n0\n"), "copy t from stdin")
	}),
	raw("CopyFrom into a view", func(ctx context.Context, c *pgx.Conn) (any, error) {
		return c.PgConn().CopyFrom(ctx, strings.NewReader("1\n"), "copy v from stdin")
	}),
	raw("CopyTo", func(ctx context.Context, c *pgx.Conn) (any, error) {
		var b strings.Builder
		tag, err := c.PgConn().CopyTo(ctx, &b, "copy (select n from generate_series(1, 5000) n) to stdout")
		return fmt.Sprint(tag, b.Len()), err
	}),
	raw("ExecParams", func(ctx context.Context, c *pgx.Conn) (any, error) {
		r := c.PgConn().ExecParams(ctx, "insert into t values ($1)", [][]byte{[]byte("1")}, nil, nil, nil).Read()
		return r.CommandTag, r.Err
	}),
	raw("an unnamed statement from before", func(ctx context.Context, c *pgx.Conn) (any, error) {
		r := c.PgConn().ExecPrepared(ctx, "", nil, nil, nil).Read()
		return r.CommandTag, r.Err
	}),
	raw("a pipeline", func(ctx context.Context, c *pgx.Conn) (any, error) {
		p := c.PgConn().StartPipeline(ctx)
		p.SendDeallocate("none")
		p.SendQueryParams("insert into t values (1)", nil, nil, nil, nil)
		p.SendQueryParams("insert into t values (2)", nil, nil, nil, nil)
		err := p.Sync()
		return nil, errors.Join(err, p.Close())
	}),
}

// outcome is all that there is to see of a first statement and of what comes after it.
type outcome struct {
	result  any
	err     string
	code    string
	at      int32
	status  TxStatus
	next    any
	nextErr string
	end     string
	left    []string // what is in the table in the end
	notices []string
}

func outcomeOf(p *probe, f first, o TxOptions) (out outcome) {
	ctx := context.Background()
	p.begin(o)
	var err error
	out.result, err = f.run(p)
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		out.code, out.at = pe.Code, pe.Position
	}
	out.err, out.status = fmt.Sprint(err), p.Status()
	out.next, err = p.query("select count(*), current_setting('transaction_isolation'), current_setting('transaction_read_only') from t")
	out.nextErr = fmt.Sprint(err)
	if pe = nil; errors.As(err, &pe) {
		out.code += pe.Code
	}
	out.end = fmt.Sprint(p.Commit(ctx, nil), p.Rollback(ctx), p.Status(), p.Valid())
	if out.left, err = p.query("select id from t order by id"); err != nil {
		p.t.Fatal(err)
	}
	p.must("truncate t")
	out.notices = p.notices
	return out
}

// A transaction whose BEGIN travels with its first statement is in every way as one whose BEGIN went before; and it takes one
// write less, unless the first statement sends nothing.
func TestBeginTravels(t *testing.T) {
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	setup := newProbe(t, dsn, "exec", true)
	setup.must("create table t (id int primary key check (id > 0)); create view v as select id from t limit 1")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, mode := range execModes {
		for _, o := range []TxOptions{{}, {TxOptions: driver.TxOptions{Isolation: driver.IsolationLevel(sql.LevelSerializable), ReadOnly: true}}} {
			for _, f := range firsts {
				t.Run(fmt.Sprintf("%s/%v/%s", mode, o.ReadOnly, f.name), func(t *testing.T) {
					var outcomes [2]outcome
					var writes [2]int
					for i, wired := range []bool{false, true} {
						p := newProbe(t, dsn, mode, wired)
						p.rnd = rand.New(rand.NewPCG(seed, 0))
						if _, err := p.pg.PgConn().Prepare(context.Background(), "", "select 1", nil); err != nil {
							t.Fatal(err)
						}
						p.writes = nil
						outcomes[i] = outcomeOf(p, f, o)
						writes[i] = len(p.writes)
					}
					if !reflect.DeepEqual(outcomes[0], outcomes[1]) {
						t.Errorf("with BEGIN before:\n%+v\ntravelling:\n%+v", outcomes[0], outcomes[1])
					}
					if writes[1] != writes[0]-1 {
						t.Errorf("%d writes, and %d with BEGIN before", writes[1], writes[0])
					}
				})
			}
		}
	}
}

// What BEGIN could not begin does not run, and nothing behind it, until the session has rolled back; then it is as before.
func TestBeginRefused(t *testing.T) {
	ctx := context.Background()
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	watch := newProbe(t, dsn, "exec", true)
	watch.must("create table t (id int primary key check (id > 0)); create view v as select id from t limit 1")
	for at, refused := range map[string]string{
		"Parse": "beginn", "Bind": "select 1/0", "Execute": "do $$ begin raise notice 'heard'; raise exception 'no' using errcode = 'XX099'; end $$"} {
		for _, mode := range execModes {
			for _, f := range firsts {
				t.Run(at+"/"+mode+"/"+f.name, func(t *testing.T) {
					p := newProbe(t, dsn, mode, true)
					p.begin(TxOptions{})
					p.wire.hold(refused)
					if !strings.Contains(f.name, "Copy") && f.name != "ping" {
						p.early("insert into t values (77)")
					}
					_, err := f.run(p)
					if p.wire.holds() { // the statement was never sent
						if err == nil && f.name != "ping" {
							t.Error("nothing was sent, without an error")
						}
					} else {
						var pe *pgconn.PgError
						if code := map[string]string{"Parse": "42601", "Bind": "22012", "Execute": "XX099"}[at]; !errors.As(err, &pe) || pe.Code != code {
							t.Errorf("the statement says %v, want %s", err, code)
						}
						if p.Status() != TxFailed || p.Valid() || p.Reset(ctx) != driver.ErrBadConn {
							t.Errorf("status %v, valid %v", p.Status(), p.Valid())
						}
						if p.earlySent() {
							if _, err := p.simple(ctx, "insert into t values (77)"); !errors.As(err, &pe) || pe.Code != "25P01" {
								t.Errorf("the early text says %v", err)
							}
						}
						if err := p.Commit(ctx, nil); err == nil || pgUnknown(err) {
							t.Errorf("COMMIT says %v", err)
						}
					}
					if err := p.Rollback(ctx); err != nil || !p.Valid() {
						t.Errorf("ROLLBACK says %v; valid %v", err, p.Valid())
					}
					p.begin(TxOptions{})
					p.must("insert into t values (1)")
					if err := errors.Join(p.Commit(ctx, nil), watch.exec("delete from t where id = 1")); err != nil {
						t.Error(err)
					}
					if rows, err := watch.query("select id from t"); err != nil || len(rows) > 0 {
						t.Fatalf("rows %v, %v, want none", rows, err)
					}
				})
			}
		}
	}
	t.Run("another statement", func(t *testing.T) {
		for _, f := range []first{firsts[0], firsts[1], firsts[10]} {
			p := newProbe(t, dsn, "cache_statement", true)
			p.begin(TxOptions{})
			p.wire.hold("beginn")
			if err := p.exec("select 1"); err == nil {
				t.Error("no error")
			}
			if _, err := f.run(p); err == nil {
				t.Errorf("%s: no error", f.name)
			}
			if rows, err := watch.query("select id from t"); err != nil || len(rows) > 0 {
				t.Fatalf("rows %v, %v, want none", rows, err)
			}
		}
	})
}

func pgUnknown(err error) bool {
	var u *UnknownError
	return errors.As(err, &u)
}

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
		if err := end(); err != nil || p.Status() != TxIdle || !p.Valid() || p.Reset(ctx) != nil {
			t.Errorf("ended: %v, status %v, valid %v", err, p.Status(), p.Valid())
		}
	}
	p.writes = slices.DeleteFunc(p.writes, func(b []byte) bool { return string(b[5:len(b)-1]) == "-- ping" }) // Reset's
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
