package dualsql_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql"
)

// A transaction that somebody ends on the primary's raw connection is not taken for one that Commit has committed: the
// secondary's part is rolled back, and the caller is told.
func TestTransactionEndedBehind(t *testing.T) {
	ctx := context.Background()
	for _, end := range []string{"rollback", "commit"} {
		t.Run(end, func(t *testing.T) {
			w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.Marker, "")
			for side := range w.raw {
				w.exec(side, "create table behind (id int)")
			}
			c, err := w.openWarm().Conn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			tx, err := c.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(ctx, "insert into behind values (1)"); err != nil {
				t.Fatal(err)
			}
			err = c.Raw(func(dc any) error {
				_, err := dc.(*dualsql.Conn).Primary().(*stdlib.Conn).Conn().Exec(ctx, end)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(); err == nil {
				t.Error("Commit of a transaction that was ended by other means: no error")
			}
			var n int
			if err := w.raw[secondary].QueryRow("select count(*) from behind").Scan(&n); err != nil || n != 0 {
				t.Errorf("the secondary has %d rows (%v), want 0", n, err)
			}
		})
	}
}
