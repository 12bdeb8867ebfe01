package dualsql_test

import (
	"errors"
	"testing"

	"github.com/dualsql/dualsql"
)

// TestHalfAText: a text of several statements of which a later one is refused is not committed in part.
func TestHalfAText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "mirror=mixed")
	n := w.open()
	tx, err := n.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	_, err = tx.Exec("insert into entry values (1, random()); update log set v = random()") // log has no key
	if !errors.Is(err, dualsql.ErrNotMirrored) {
		t.Errorf("%v, want ErrNotMirrored", err)
	}
	if err := tx.Commit(); !errors.Is(err, dualsql.ErrNotMirrored) {
		t.Errorf("%v at COMMIT, want ErrNotMirrored", err)
	}
	w.close(n)
	if got := w.count(primary, "select count(*) from entry"); got != 0 {
		t.Errorf("the primary has %d rows", got)
	}
	w.sameEverywhere()
}
