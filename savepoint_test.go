package dualsql_test

import (
	"context"
	"testing"

	"github.com/dualsql/dualsql"
)

// A name may be given to several savepoints at once; ROLLBACK TO means the youngest that is still there. Every pair of
// engines rolls back the same statements on both sides, whether the lane runs ahead or keeps them back.
func TestSavepointsOfOneName(t *testing.T) {
	ctx := context.Background()
	for _, pair := range [][2]string{{"postgres", "postgres"}, {"postgres", "sqlite"}, {"sqlite", "sqlite"}} {
		for name, texts := range map[string][]string{
			"the inner one": {"savepoint a", "insert into s values (1)", "savepoint a", "insert into s values (2)", "rollback to a"},
			"the outer one, the inner one released": {"savepoint a", "insert into s values (1)", "savepoint a",
				"insert into s values (2)", "release a", "insert into s values (3)", "rollback to a"},
			"the outer one, the inner one released with another": {"savepoint a", "insert into s values (1)", "savepoint b",
				"savepoint a", "insert into s values (2)", "release b", "rollback to a", "insert into s values (4)"},
			"twice": {"savepoint a", "insert into s values (1)", "rollback to a", "insert into s values (2)", "rollback to a"},
		} {
			t.Run(pair[0]+"+"+pair[1]+"/"+name, func(t *testing.T) {
				w := newWorld(t, pair, dualsql.Marker, "")
				for side := range w.raw {
					w.exec(side, "create table s (id int)")
				}
				tx, err := w.openWarm().BeginTx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer tx.Rollback()
				for _, text := range append([]string{"insert into s values (100)"}, texts...) {
					if _, err := tx.ExecContext(ctx, text); err != nil {
						t.Fatalf("%s: %v", text, err)
					}
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(err)
				}
				var sums [2]int
				for side := range w.raw {
					if err := w.raw[side].QueryRow("select sum(id) from s").Scan(&sums[side]); err != nil {
						t.Fatal(err)
					}
				}
				if sums[0] != sums[1] {
					t.Errorf("the rows' ids add up to %d on the primary and %d on the secondary", sums[0], sums[1])
				}
			})
		}
	}
}

// TestSavepointFirst: a transaction that has only set a savepoint stands in nobody's way.
func TestSavepointFirst(t *testing.T) {
	for _, pair := range [][2]string{{"sqlite", "sqlite"}, {"postgres", "sqlite"}, {"sqlite", "postgres"}} {
		t.Run(pair[0]+"+"+pair[1], func(t *testing.T) {
			w := newWorld(t, pair, dualsql.Marker, "lock_timeout=500ms")
			n := w.openWarm()
			tx, err := n.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("savepoint a"); err != nil {
				t.Fatal(err)
			}
			w.told(write(n.DB, 1), dualsql.Committed)
			if _, err := tx.Exec("insert into parent values (1)"); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			w.is(1, both)
		})
	}
}
