package dualsql_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// TestJournalRefuses: without a durable intent nothing commits. Both sides are rolled back, reads go on, and no later write
// gets through either.
func TestJournalRefuses(t *testing.T) {
	m := newMocks(t)
	half := script{begins, execs(insertOne), rollsBack}
	m.expect(append(append(script{}, half...), append(script{queries("select v from t", "x")}, half...)...), append(append(script{}, half...), half...))
	if err := m.db.Ping(); err != nil {
		t.Fatal(err)
	}
	if err := dualsql.CloseJournal(m.connector); err != nil {
		t.Fatal(err)
	}
	refused := func() {
		t.Helper()
		_, err := m.db.Exec(insertOne)
		if got := toldBy(err); got != toldCause || !strings.Contains(err.Error(), "the journal refused the intent") {
			t.Errorf("the caller got: %s: %v", got, err)
		}
	}
	refused()
	if err := callQuery(context.Background(), "select v from t", "x")(m.db); err != nil {
		t.Error(err)
	}
	refused()
	// A statement that nothing can take back is not sent at all.
	if _, err := m.db.Exec("vacuum"); err == nil || !strings.Contains(err.Error(), "the journal refused the intent") {
		t.Errorf("a bare statement: %v", err)
	}
	m.met(t)
	if s := m.stats(t); s.RolledBack != 2 || s.Committed != 0 || s.Pending != 0 {
		t.Errorf("stats: %+v", s)
	}
}

// TestReportedAgain: what is open stays listed over a restart, until it is forgotten; a transaction that only the journal
// can tell of is not tried again.
func TestReportedAgain(t *testing.T) {
	for name, sides := range map[string][2]script{
		"half done": {{begins, execs(insertOne), commits}, {begins, execs(insertOne), commitFails(errMock)}},
		"in doubt":  {{begins, execs(insertOne), commitFails(errMock)}, {begins, execs(insertOne), rollsBack}},
	} {
		t.Run(name, func(t *testing.T) {
			chaos.CheckGoroutines(t)
			dir := filepath.Join(t.TempDir(), "journal")
			m := &mocks{primary: newMockSide(t, "primary"), secondary: newMockSide(t, "secondary")}
			m.open(t, dir)
			m.expect(sides[0], sides[1])
			if _, err := m.db.Exec(insertOne); err == nil {
				t.Fatal("no error")
			}
			before := m.pending(t)
			if err := closeMocks(m.db); err != nil {
				t.Fatal(err)
			}

			m.open(t, dir)
			after := m.pending(t)
			if len(before) != 1 || len(after) != 1 || before[0].TxID != after[0].TxID || before[0].State != after[0].State ||
				after[0].State.String() != name || after[0].Problem == "" || after[0].Statements[0] != insertOne {
				t.Fatalf("open before the restart: %+v\nafter: %+v", before, after)
			}
			r, err := m.connector.Recover(context.Background())
			if err != nil || len(r.Pending) != 1 || len(r.Committed)+len(r.RolledBack) != 0 {
				t.Errorf("Recover: %+v, %v", r, err)
			}
			txid := after[0].TxID
			if err := m.connector.Forget(context.Background(), txid); err != nil {
				t.Fatal(err)
			}
			if p := m.pending(t); len(p) != 0 {
				t.Errorf("after Forget: %+v", p)
			}
			if o, err := m.connector.Outcome(context.Background(), txid); err != nil || o != dualsql.Forgotten {
				t.Errorf("Outcome: %s, %v", o, err)
			}
			m.met(t)
		})
	}
}

// closeMocks closes the pool. sqlmock answers Close with an error unless it was told of each.
func closeMocks(db *sql.DB) error {
	if err := db.Close(); err != nil && !strings.Contains(err.Error(), "Close was not expected") {
		return err
	}
	return nil
}
