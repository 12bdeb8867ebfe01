package dualsql_test

import (
	"testing"

	"github.com/dualsql/dualsql"
)

// TestResetIsLast: the last statement of a transaction undoes what dualsql has set for the session.
func TestResetIsLast(t *testing.T) {
	for _, protocol := range everyProtocol {
		t.Run(string(protocol), func(t *testing.T) {
			w := newWorld(t, [2]string{"postgres", "postgres"}, protocol, "")
			n := w.openWarm()
			w.told(write(n.DB, 1, "reset all"), dualsql.Committed)
			w.is(1, both)
			w.is(w.writes(n, 2)-1, both)
		})
	}
}
