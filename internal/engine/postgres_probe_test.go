package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
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
		b = b[:1+p.rnd.IntN(min(len(b), 1<<(1+p.rnd.IntN(13))))] // mostly a few bytes, now and then many
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
