package dualsql_test

import (
	"flag"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dualsql/dualsql"
)

var markerTransactions = flag.Int("dualsql.transactions", 2000, "how many transactions TestMarkerTableStaysSmall makes")

// TestMarkerTableStaysSmall makes many transactions, prints how large the markers' tables have grown, and looks at how many
// markers are left: what is not collected yet, whatever came before.
func TestMarkerTableStaysSmall(t *testing.T) {
	w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "")
	n := w.openWarm()
	var made atomic.Int64
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for i := made.Add(1); i <= int64(*markerTransactions); i = made.Add(1) {
				if _, err := n.Exec("insert into parent values ($1)", i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	w.collected()
	for side, name := range [2]string{"primary", "secondary"} {
		t.Logf("%s after %d transactions: %d markers, %d kB", name, *markerTransactions,
			w.count(side, "select count(*) from dualsql.commit"), w.count(side, "select pg_total_relation_size('dualsql.commit') / 1024"))
	}
}
