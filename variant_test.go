package dualsql_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// Each side gets its own text, with the same arguments, in and outside of transactions, by name and by number.
func TestSecondarySQL(t *testing.T) {
	ctx := context.Background()
	on{}.each(t, func(t *testing.T, w *world) {
		n := w.open()
		exec := func(ctx context.Context, text string, args ...any) {
			t.Helper()
			if _, err := n.ExecContext(ctx, text, args...); err != nil {
				t.Fatal(err)
			}
		}
		exec(ctx, "create table here (v int) /* dualsql:secondary\n\tcreate table there (w int); -- another name\n\tinsert into there values (0)\n*/")
		exec(dualsql.WithSecondarySQL(ctx, "insert into there values (? + 10)"), "insert into here values (?)", 1)
		st, err := n.Prepare("insert into here values (?) /* dualsql:secondary insert into there values (? + 20) */")
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if _, err := st.Exec(2); err != nil {
			t.Fatal(err)
		}
		tx, err := n.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = tx.ExecContext(dualsql.WithSecondarySQL(ctx, "update there set w = w + 100"), "update here set v = v + 100 where v > 0"); err == nil {
			err = tx.Commit()
		}
		if diff := (*dualsql.DivergenceError)(nil); !errors.As(err, &diff) || diff.Primary != 2 || diff.Secondary != 3 || !strings.Contains(diff.Statement, "there") {
			t.Errorf("with other numbers of rows: %v", err)
		}
		_ = tx.Rollback()
		if got := w.count(primary, "select sum(v) from here"); got != 3 {
			t.Errorf("the primary has %d", got)
		}
		if got := w.count(secondary, "select sum(w) from there"); got != 33 {
			t.Errorf("the secondary has %d", got)
		}
		if len(w.pending(n)) > 0 {
			t.Error("something is open")
		}
	})
}

// What is redone is the secondary's own text.
func TestSecondarySQLRedone(t *testing.T) {
	on{protocols: underMarker, secondary: server}.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(secondary)
		n := w.openWarm()
		proxy.OnRequest(w.isSecond(), chaos.CutBefore)
		_, err := n.ExecContext(dualsql.WithSecondarySQL(context.Background(), "insert into log values ('theirs')"), "insert into log values ('ours')")
		w.told(err, dualsql.Committed)
		if p, s := w.rows(primary, "log"), w.rows(secondary, "log"); !strings.Contains(strings.Join(p, " "), "ours") || !strings.Contains(strings.Join(s, " "), "theirs") {
			t.Errorf("log has %q on the primary, %q on the secondary", p, s)
		}
	})
}

func TestSecondarySQLRefused(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, [2]string{"postgres", "sqlite"}, dualsql.TwoPhase, "")
	n := w.openWarm()
	for _, c := range []struct {
		ctx       context.Context
		text, why string
	}{
		{dualsql.WithSecondarySQL(ctx, " -- nothing"), "insert into log values ('x')", "empty text"},
		{dualsql.WithSecondarySQL(ctx, "commit"), "insert into log values ('x')", "belongs to the driver"},
		{dualsql.WithSecondarySQL(ctx, "savepoint a"), "insert into log values ('x')", "belongs to the driver"},
		{dualsql.WithSecondarySQL(ctx, "vacuum"), "insert into log values ('x')", "cannot run in a transaction"},
		{dualsql.WithSecondarySQL(ctx, "select 1"), "set search_path = public", "no text of its own"},
		{dualsql.WithPrimaryOnly(dualsql.WithSecondarySQL(ctx, "select 1")), "insert into log values ('x')", "on the primary alone"},
		{ctx, "insert into log values ('x') /* dualsql:secondary */", "unknown hint"},
		{ctx, "insert into log values ('x') /* dualsql:primary */ /* dualsql:secondary select 1 */", "contradict"},
		{ctx, "insert into log values ('x') -- dualsql:secondary select 1\n-- dualsql:secondary select 2", "two comments"},
	} {
		if _, err := n.ExecContext(c.ctx, c.text); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", c.text, err, c.why)
		}
	}
	if p, s := w.rows(primary, "log"), w.rows(secondary, "log"); len(p) != 1 || len(s) != 1 {
		t.Errorf("log has %q on the primary, %q on the secondary: something has run", p, s)
	}
}
