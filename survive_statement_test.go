package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestSurvive01StatementFails(t *testing.T) {
	t.Parallel()
	on{}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		for side, id := range []int{primary: 1, secondary: 2} {
			w.exec(side, "insert into log values ('in the way')")
			w.exec(side, "create unique index u on log (v)")
			_, single := n.Exec("insert into log values ('in the way')")
			for what, err := range map[string]error{
				"transaction": write(n.DB, id, "insert into log values ('in the way')"),
				"statement":   single,
			} {
				var sideErr *dualsql.SideError
				named := errors.As(err, &sideErr)
				switch {
				case err == nil || outcomeOf(err) != dualsql.RolledBack:
					t.Errorf("%s: the caller was told %v", what, err)
				case side == primary && named:
					t.Errorf("%s: %v is not the primary's own error", what, err)
				case side == secondary && (!named || sideErr.Side != "secondary"):
					t.Errorf("%s: %v does not name the secondary", what, err)
				}
			}
			w.exec(side, "delete from log where v = 'in the way'")
			drop := "drop index u"
			if w.engines[side] == "sqlserver" {
				drop += " on log"
			}
			w.exec(side, drop)
			w.is(id, neither)
		}
		w.pending(n)
		w.is(w.writes(n, 3)-1, both)
	})
}

func TestSurvive02RowsAffectedDiffer(t *testing.T) {
	t.Parallel()
	on{}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		differs := func(text string, on [2]int64) {
			_, single := n.Exec(text)
			for what, err := range map[string]error{"transaction": write(n.DB, 1, text), "statement": single} {
				var d *dualsql.DivergenceError
				if !errors.As(err, &d) || d.Primary != on[primary] || d.Secondary != on[secondary] || d.Statement != text {
					t.Errorf("%s: the caller was told %v, want a *DivergenceError of %d and %d", what, err, on[primary], on[secondary])
				}
			}
		}
		w.exec(primary, "insert into account values (2, 0)")
		differs("update account set n = n + 1 where id = 2", [2]int64{1, 0})
		w.exec(primary, "delete from account where id = 2")
		w.exec(secondary, "insert into account values (2, 0)")
		if !w.carriesRows() { // which are found by their keys: none but the primary's
			differs("update account set n = n + 1", [2]int64{1, 2})
		}
		w.exec(secondary, "delete from account where id = 2")
		w.is(1, neither)
		w.pending(n)
		w.is(w.writes(n, 2)-1, both)
	})
}

func TestSurvive09DecisionRefusedByConstraint(t *testing.T) {
	t.Parallel()
	on{}.each(t, func(t *testing.T, w *world) {
		w.constrain(w.decides)
		n := w.openWarm()
		_, err := n.Exec("insert into child values (99)")
		w.refusal(err, w.decides)
		w.refused(n, write(n.DB, 1, "insert into child values (99)"), w.decides)
	})
}

// refused is the end of transaction 1, which the constraint on one side has refused: it is on neither.
func (w *world) refused(n *node, err error, side int) {
	w.Helper()
	w.refusal(err, side)
	w.is(1, neither)
	w.pending(n)
	w.is(w.writes(n, 2)-1, both)
}

// refusal: the primary's is its own error.
func (w *world) refusal(err error, side int) {
	w.Helper()
	w.told(err, dualsql.RolledBack)
	var named *dualsql.SideError
	if errors.As(err, &named) != (side == secondary) || named != nil && named.Side != "secondary" {
		w.Errorf("%v does not name the side, or is not the primary's own error", err)
	}
	if pe := (*pgconn.PgError)(nil); w.engines[side] == "postgres" && (!errors.As(err, &pe) || pe.Code != "23503") {
		w.Errorf("%v is not the database's own error", err)
	}
}

func TestSurvive09DecisionRefusedBySerialization(t *testing.T) {
	t.Parallel()
	on{primary: "postgres"}.each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		n := w.openWarm()
		serializable := &sql.TxOptions{Isolation: sql.LevelSerializable}
		ours, err := n.BeginTx(ctx, serializable)
		if err != nil {
			t.Fatal(err)
		}
		defer ours.Rollback()
		theirs, err := w.raw[primary].BeginTx(ctx, serializable)
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Rollback()
		// Each reads what the other writes; theirs commits first.
		var count int
		for _, err := range []error{
			ours.QueryRow("select count(*) from parent").Scan(&count),
			theirs.QueryRow("select count(*) from entry").Scan(&count),
			only(ours.Exec("insert into entry values (1, 'x')")),
			only(theirs.Exec("insert into parent values (1)")),
			theirs.Commit(),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		err = ours.Commit()
		w.exec(secondary, "insert into parent values (1)")
		w.told(err, dualsql.RolledBack)
		if pe := (*pgconn.PgError)(nil); !errors.As(err, &pe) || pe.Code != "40001" {
			t.Errorf("%v is not the primary's own error", err)
		}
		w.is(1, neither)
		w.pending(n)
		w.is(w.writes(n, 2)-1, both)
	})
}

func only(_ any, err error) error { return err }

// down is one moment at which the secondary goes away; up brings it back.
type down struct {
	name      string
	secondary string // engine
	first     bool   // before the pair's first use
	silent    bool   // nothing answers, not even with a refusal
	take      func(w *world, p *chaos.Proxy) (up func())
}

func (d down) within() time.Duration {
	if d.silent {
		return time.Second
	}
	return patience
}

var downs = []down{
	{"before the first connection", server, true, false, refusing},
	{"before the first connection, silently", server, true, true, freezing},
	{"at BEGIN", server, false, false, refusing},
	{"at BEGIN, silently", server, false, true, freezing},
	{"at BEGIN, by a lock", "sqlite", false, false, func(w *world, _ *chaos.Proxy) func() {
		c, err := w.raw[secondary].Conn(context.Background())
		if err == nil {
			_, err = c.ExecContext(context.Background(), "begin immediate")
		}
		if err != nil {
			w.Fatal(err)
		}
		return func() {
			if _, err := c.ExecContext(context.Background(), "rollback"); err != nil {
				w.Error(err)
			}
			c.Close()
		}
	}},
	{"at the first statement", server, false, false, cuttingAt("entry")},
	{"at the last statement", server, false, false, cuttingAt("log")},
}

func refusing(_ *world, p *chaos.Proxy) func() {
	p.Down()
	return p.Up
}

func freezing(_ *world, p *chaos.Proxy) func() {
	p.Freeze()
	return p.Thaw
}

// cuttingAt cuts the connection at an INSERT into a table, of a text's form or of rows', and refuses new ones.
func cuttingAt(table string) func(*world, *chaos.Proxy) func() {
	text, rows := chaos.SQLContains("insert into "+table), chaos.SQLContains(`insert into "`+table+`"`)
	return func(_ *world, p *chaos.Proxy) func() {
		rule := p.OnRequest(func(m chaos.Message) bool { return text(m) || rows(m) }, chaos.HoldRequest)
		go func() {
			<-rule.Fired()
			p.Down()
		}()
		return p.Up
	}
}

func TestSurvive26SecondaryDown(t *testing.T) {
	t.Parallel()
	for _, d := range downs {
		t.Run(d.name, func(t *testing.T) {
			on{secondary: d.secondary, options: "lock_timeout=100ms commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
				var proxy *chaos.Proxy
				if d.secondary == server {
					proxy = w.behind(secondary)
				}
				n := w.open()
				if !d.first {
					n = w.openWarm()
				}
				up := d.take(w, proxy)
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				reads := func(when string) {
					var got int
					if err := n.QueryRowContext(ctx, "select count(*) from entry where id = 1").Scan(&got); err != nil || got != 0 {
						t.Errorf("a read %s finds %d, %v", when, got, err)
					}
				}
				reads("before the write")
				// A server that does not answer at all is waited for as long as the caller says.
				short, stop := context.WithTimeout(ctx, d.within())
				defer stop()
				err := writeCtx(short, n.DB, 1)
				w.told(err, dualsql.RolledBack)
				if !strings.Contains(err.Error(), "secondary") {
					t.Errorf("%v does not name the secondary", err)
				}
				reads("after the write")
				up()
				last := w.writes(n, 2) - 1
				w.is(1, neither)
				w.is(last, both)
			})
		})
	}
}
