package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb"
)

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
			sessions := [2]*probe{newProbe(t, dsn, mode, false), newProbe(t, dsn, mode, true)}
			for _, f := range firsts {
				t.Run(fmt.Sprintf("%s/%v/%s", mode, o.ReadOnly, f.name), func(t *testing.T) {
					for _, known := range []bool{false, true} {
						var outcomes [2]outcome
						var writes [2]int
						for i, p := range sessions {
							p.rnd = rand.New(rand.NewPCG(seed, 0))
							if _, err := p.pg.PgConn().Prepare(context.Background(), "", "select 1", nil); err != nil {
								t.Fatal(err)
							}
							p.writes, p.notices = nil, nil
							outcomes[i] = outcomeOf(p, f, o)
							writes[i] = len(p.writes)
						}
						if !reflect.DeepEqual(outcomes[0], outcomes[1]) {
							t.Errorf("known %v: with BEGIN before:\n%+v\ntravelling:\n%+v", known, outcomes[0], outcomes[1])
						}
						if writes[1] != writes[0]-1 {
							t.Errorf("known %v: %d writes, and %d with BEGIN before", known, writes[1], writes[0])
						}
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
			p := newProbe(t, dsn, mode, true)
			for _, f := range firsts {
				t.Run(at+"/"+mode+"/"+f.name, func(t *testing.T) {
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
