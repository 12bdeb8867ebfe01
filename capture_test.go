package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
)

// forRowCases runs each case under a mirror mode and one of the protocols that mend, or both.
func forRowCases(t *testing.T, mode dualsql.Mirror, check func(w *world, c rowCase, n *node)) {
	t.Parallel()
	on{protocols: mending, primary: "postgres", secondary: "postgres", options: "mirror=" + string(mode)}.each(t, func(t *testing.T, w *world) {
		for i, c := range rowCases {
			if !*everything && mending[i%len(mending)] != w.protocol {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				w := *w
				w.T = t
				for side := range w.raw {
					w.exec(side, emptied)
					for _, text := range c.schema {
						w.exec(side, text)
					}
					if c.on[side] != "" {
						w.exec(side, c.on[side])
					}
				}
				check(&w, c, w.open())
			})
		}
	})
}

// emptied drops all but what belongs to dualsql.
const emptied = `do $$ declare s name; begin
	for s in select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'dualsql') loop
		execute format('drop schema %I cascade', s);
	end loop;
	create schema public;
end $$`

// TestRowMode: whatever a statement means, both sides have the same rows afterwards, or it was refused.
func TestRowMode(t *testing.T) { forRowCases(t, dualsql.MirrorRow, (*world).checkRows) }

// TestMixedMode is the same for mirror=mixed.
func TestMixedMode(t *testing.T) { forRowCases(t, dualsql.MirrorMixed, (*world).checkRows) }

func (w *world) checkRows(c rowCase, n *node) {
	refused := c.refused
	if strings.Contains(w.options, "mixed") {
		refused = c.mixed
	}
	if refused == "-" {
		refused = ""
	}
	err := c.play(w, n.DB)
	var divergence *dualsql.DivergenceError
	switch {
	case c.rejected:
		if !errors.As(err, &divergence) {
			w.Errorf("got %v, want a *DivergenceError", err)
		}
	case refused == "" && err != nil:
		w.Error(err)
	case refused != "" && (!errors.Is(err, dualsql.ErrNotMirrored) || !strings.Contains(err.Error(), refused)):
		w.Errorf("got %v, want ErrNotMirrored that says %q", err, refused)
	}
	w.close(n)
	w.sameEverywhere()
}

// TestStatementModeDrifts shows that the cases have teeth: under mirror=statement they leave the sides different.
func TestStatementModeDrifts(t *testing.T) {
	forRowCases(t, dualsql.MirrorStatement, func(w *world, c rowCase, n *node) {
		err := c.play(w, n.DB)
		w.close(n)
		same := reflect.DeepEqual(w.everything(primary), w.everything(secondary))
		if drifted := !same || err != nil; drifted != c.drifts {
			w.Errorf("the sides drift: %v (%v), want %v", drifted, err, c.drifts)
		}
	})
}

// play runs the steps; only the last may fail.
func (c rowCase) play(w *world, db *sql.DB) (err error) {
	w.Helper()
	ctx := context.Background()
	var on executor = db
	if c.tx {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		on = tx
		defer tx.Rollback()
	}
	for _, s := range c.run {
		if err = s.play(w, ctx, on); err != nil {
			return fmt.Errorf("%s: %w", s.text, err)
		}
	}
	if c.tx {
		return on.(*sql.Tx).Commit()
	}
	return nil
}

func (s rowStep) play(w *world, ctx context.Context, on executor) error {
	w.Helper()
	if !s.query {
		res, err := on.ExecContext(ctx, s.text, s.args...)
		if err != nil || s.affected < 0 {
			return err
		}
		if got, err := res.RowsAffected(); got != s.affected || err != nil {
			w.Errorf("%s: %d rows affected, %v, want %d", s.text, got, err, s.affected)
		}
		return nil
	}
	rows, err := on.QueryContext(ctx, s.text, s.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var got []string
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		var b strings.Builder
		for i, v := range values {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%T:%v", v, v)
		}
		got = append(got, b.String())
	}
	if !slices.Equal(got, s.rows) {
		w.Errorf("%s: got %q, want %q", s.text, got, s.rows)
	}
	return rows.Err()
}

// everything returns each table's rows, as text, sorted.
func (w *world) everything(side int) map[string][]string {
	w.Helper()
	all := map[string][]string{}
	rows, err := w.raw[side].Query(`select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'dualsql')`)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			w.Fatal(err)
		}
		all[name] = nil
	}
	if err := rows.Err(); err != nil {
		w.Fatal(err)
	}
	for name := range all {
		all[name] = w.rows(side, `(select "the row"::text from `+name+` "the row") x`)
	}
	return all
}

func (w *world) sameEverywhere() {
	w.Helper()
	p, s := w.everything(primary), w.everything(secondary)
	if !reflect.DeepEqual(p, s) {
		for name := range p {
			if !slices.Equal(p[name], s[name]) {
				w.Errorf("%s differs:\n  primary   %.2000q\n  secondary %.2000q", name, p[name], s[name])
			}
		}
		if len(p) != len(s) {
			w.Errorf("the primary has %d tables, the secondary %d", len(p), len(s))
		}
	}
}
