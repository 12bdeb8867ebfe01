package dualsql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
)

var errMock = errors.New("the mock fails")

// told is what a caller can tell from an error.
type told string

const (
	toldCause      told = "rolled back on both, the cause"
	toldSideError  told = "rolled back on both, *SideError"
	toldDivergence told = "rolled back on both, *DivergenceError"
	toldInDoubt    told = "in doubt, *InDoubtError"
	toldHalfDone   told = "half done, *HalfDoneError"
	toldCommitted  told = "committed"
)

func toldBy(err error) told {
	var side *dualsql.SideError
	var divergence *dualsql.DivergenceError
	var doubt *dualsql.InDoubtError
	var half *dualsql.HalfDoneError
	switch {
	case err == nil:
		return toldCommitted
	case errors.As(err, &doubt):
		return toldInDoubt
	case errors.As(err, &half):
		return toldHalfDone
	case errors.As(err, &divergence):
		return toldDivergence
	case errors.As(err, &side):
		return toldSideError
	}
	return toldCause
}

// TestFailure breaks each place of a write on generic drivers once: what each side gets, what the caller gets, and what is
// open afterwards.
func TestFailure(t *testing.T) {
	ctx := context.Background()
	returning := "insert into t default values returning v"
	for _, c := range []struct {
		place              string
		primary, secondary script
		configure          func(*mocks, *dualsql.Config)
		run                func(*sql.DB) error
		want               told
		says               string // part of the error
	}{
		{place: "the secondary cannot be reached",
			primary:   script{begins, rollsBack},
			configure: func(m *mocks, _ *dualsql.Config) { m.secondary.refuse = errMock },
			run:       callExec(ctx, insertOne), want: toldSideError, says: "secondary: connect"},
		{place: "the secondary cannot be reached for a statement that runs bare",
			configure: func(m *mocks, _ *dualsql.Config) { m.secondary.refuse = errMock },
			run:       callExec(ctx, "vacuum"), want: toldSideError, says: "secondary: connect"},
		{place: "the primary's BEGIN",
			primary: script{beginFails(errMock)},
			run:     callExec(ctx, insertOne), want: toldCause},
		{place: "the primary's statement",
			primary: script{begins, execFails(errMock, insertOne), rollsBack},
			run:     callExec(ctx, insertOne), want: toldCause},
		{place: "the primary's statement, and then its ROLLBACK",
			primary: script{begins, execFails(errMock, insertOne), rollbackFails(errors.New("gone"))},
			run:     callExec(ctx, insertOne), want: toldCause, says: errMock.Error()},
		{place: "the primary's query",
			primary: script{begins, queryFails(errMock, returning), rollsBack},
			run:     callQuery(ctx, returning, ""), want: toldCause},
		{place: "the primary's PREPARE",
			primary: script{prepareFails(errMock, insertOne)},
			run:     callPrepared(nil, insertOne), want: toldCause},
		{place: "the secondary's PREPARE",
			primary:   script{prepares(insertOne), begins, rollsBack},
			secondary: script{prepareFails(errMock, insertOne)},
			run:       callPrepared(func(st *sql.Stmt) error { _, err := st.Exec(); return err }, insertOne),
			want:      toldSideError, says: "secondary: prepare"},
		{place: "the primary's COMMIT",
			primary:   script{begins, execs(insertOne), commitFails(errMock)},
			secondary: script{begins, execs(insertOne), rollsBack},
			run:       callExec(ctx, insertOne), want: toldInDoubt, says: "do not run it again"},
		{place: "the secondary's BEGIN",
			primary:   script{begins, execs(insertOne), rollsBack},
			secondary: script{beginFails(errMock)},
			run:       callExec(ctx, insertOne), want: toldSideError, says: "secondary: begin"},
		{place: "the secondary's statement",
			primary:   script{begins, execs(insertOne), rollsBack},
			secondary: script{begins, execFails(errMock, insertOne), rollsBack},
			run:       callExec(ctx, insertOne), want: toldSideError, says: "secondary: statement " + insertOne},
		{place: "the secondary's query",
			primary:   script{begins, queries(returning, "x"), rollsBack},
			secondary: script{begins, queryFails(errMock, returning), rollsBack},
			run:       callQuery(ctx, returning, ""), want: toldSideError, says: "secondary: statement " + returning},
		{place: "the secondary's session statement",
			primary:   script{execs("set a = 1"), begins, rollsBack},
			secondary: script{execFails(errMock, "set a = 1")},
			run: callConn(func(c *sql.Conn) error {
				if _, err := c.ExecContext(ctx, "set a = 1"); err != nil {
					return err
				}
				_, err := c.ExecContext(ctx, insertOne)
				return err
			}), want: toldSideError, says: "secondary: session statement set a = 1"},
		{place: "the secondary's COMMIT",
			primary:   script{begins, execs(insertOne), commits},
			secondary: script{begins, execs(insertOne), commitFails(errMock)},
			run:       callExec(ctx, insertOne), want: toldHalfDone, says: "committed on the primary, not yet on the secondary"},
		{place: "both COMMITs of a transaction that wrote nothing: only the primary's counts",
			primary: script{begins, queries("select v from t", "x"), commitFails(errMock)},
			run:     callTx(nil, func(tx *sql.Tx) error { return wantOne(tx.QueryRow("select v from t"), "x") }),
			want:    toldCause},
		{place: "rows affected",
			primary:   script{begins, execsRows(1, insertOne), rollsBack},
			secondary: script{begins, execsRows(2, insertOne), rollsBack},
			run:       callExec(ctx, insertOne), want: toldDivergence, says: "1 rows on the primary, 2 on the secondary, by \"" + insertOne},
		{place: "rows returned",
			primary:   script{begins, queries(returning, "x", "y"), rollsBack},
			secondary: script{begins, queries(returning, "x"), rollsBack},
			run:       callQuery(ctx, returning, ""), want: toldDivergence, says: "2 rows on the primary, 1 on the secondary"},
		{place: "rows affected, under divergence=warn",
			primary:   script{begins, execsRows(1, insertOne), commits},
			secondary: script{begins, execsRows(2, insertOne), commits},
			configure: func(_ *mocks, c *dualsql.Config) { c.Divergence = dualsql.DivergenceWarn },
			run:       callExec(ctx, insertOne), want: toldCommitted},
		{place: "an argument that a side cannot bind",
			primary: script{begins, rollsBack},
			run:     callExec(ctx, "insert into t values (?)", unbindable("x")), want: toldCause, says: "nothing has run"},
		{place: "an argument that the primary cannot bind, of a read",
			run: func(db *sql.DB) error {
				return db.QueryRow("select v from t where v = ?", unbindable("x")).Scan(new(string))
			}, want: toldCause, says: "nothing has run"},
		{place: "a Valuer that fails",
			primary: script{begins, rollsBack},
			run:     callExec(ctx, "insert into t values (?)", failingValuer{}), want: toldCause, says: "argument 1"},
		{place: "BEGIN as a text", run: callExec(ctx, "begin"), want: toldCause, says: "use BeginTx"},
		{place: "COMMIT as a text", run: callQuery(ctx, "COMMIT", ""), want: toldCause, says: "use BeginTx"},
		{place: "ROLLBACK prepared", run: callPrepared(nil, "rollback"), want: toldCause, says: "use BeginTx"},
		{place: "COMMIT behind a statement", run: callExec(ctx, insertOne+"; commit"), want: toldCause, says: "use BeginTx"},
		{place: "SAVEPOINT outside of a transaction", run: callExec(ctx, "savepoint a"), want: toldCause, says: "begin one with BeginTx"},
		{place: "an unknown hint", run: callExec(ctx, "/* dualsql:both */ "+insertOne), want: toldCause, says: "dualsql:mirror, dualsql:primary, or dualsql:secondary"},
		{place: "redo beyond the limit",
			primary: script{begins, execs(insertOne), rollsBack}, secondary: script{begins, execs(insertOne), rollsBack},
			configure: func(_ *mocks, c *dualsql.Config) { c.RedoLimit = 10 },
			run:       callExec(ctx, insertOne), want: toldCause, says: "journal.redo_limit"},
		{place: "a bare statement on the primary",
			primary: script{execFails(errMock, "vacuum")},
			run:     callExec(ctx, "vacuum"), want: toldInDoubt, says: "VACUUM on the primary: the mock fails"},
		{place: "a bare statement on the secondary",
			primary: script{execs("vacuum")}, secondary: script{execFails(errMock, "vacuum")},
			run: callExec(ctx, "vacuum"), want: toldHalfDone},
	} {
		t.Run(c.place, func(t *testing.T) {
			m := &mocks{primary: newMockSide(t, "primary"), secondary: newMockSide(t, "secondary")}
			m.open(t, t.TempDir(), func(cfg *dualsql.Config) {
				if c.configure != nil {
					c.configure(m, cfg)
				}
			})
			m.expect(c.primary, c.secondary)
			err := c.run(m.db)
			if got := toldBy(err); got != c.want {
				t.Errorf("the caller got: %s: %v; want: %s", got, err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error does not say %q: %v", c.says, err)
			}
			if errors.Is(err, driver.ErrBadConn) {
				t.Error("database/sql would run it again")
			}
			m.met(t)
			wantOpen(t, m, err)
		})
	}
}

// wantOpen checks that exactly what the caller was told to be open is listed, and counted.
func wantOpen(t *testing.T, m *mocks, err error) {
	t.Helper()
	pending, stats := m.pending(t), m.stats(t)
	var doubt *dualsql.InDoubtError
	var half *dualsql.HalfDoneError
	want := dualsql.PendingTx{}
	switch {
	case errors.As(err, &doubt):
		want.TxID, want.State = doubt.TxID, dualsql.InDoubt
	case errors.As(err, &half):
		want.TxID, want.State = half.TxID, dualsql.HalfDone
	default:
		if len(pending) != 0 || stats.InDoubt != 0 || stats.HalfDone != 0 {
			t.Errorf("the caller got %v, and this is open: %+v", err, pending)
		}
		return
	}
	if len(pending) != 1 || pending[0].TxID != want.TxID || pending[0].State != want.State || pending[0].Problem == "" || len(pending[0].Statements) != 1 {
		t.Errorf("pending: %+v, want %s %s with its problem and its statement", pending, want.TxID, want.State)
	}
	if stats.InDoubt+stats.HalfDone != 1 || stats.Pending != 1 || stats.Committed != 0 {
		t.Errorf("stats: %+v", stats)
	}
	o, oerr := m.connector.Outcome(context.Background(), want.TxID)
	if oerr != nil || o != want.State {
		t.Errorf("Outcome: %s, %v; want %s", o, oerr, want.State)
	}
}

type failingValuer struct{}

func (failingValuer) Value() (driver.Value, error) { return nil, errMock }

// TestCause: what rolls both sides back comes to the caller as it is, so that an ORM can read the primary's own error type.
func TestCause(t *testing.T) {
	m := newMocks(t)
	m.expect(script{begins, execFails(errMock, insertOne), rollsBack}, nil)
	if _, err := m.db.Exec(insertOne); err != errMock {
		t.Errorf("the caller got %v", err)
	}
	m.expect(script{begins, execs(insertTwo), rollsBack}, script{begins, execFails(errMock, insertTwo), rollsBack})
	if _, err := m.db.Exec(insertTwo); !errors.Is(err, errMock) {
		t.Errorf("the caller got %v", err)
	}
	if _, err := m.db.Exec("begin"); !errors.Is(err, dualsql.ErrTxControl) {
		t.Errorf("the caller got %v", err)
	}
	m.met(t)
}

// TestDoomed: after a failure on the secondary the transaction does nothing more, reads included, and commits nothing.
func TestDoomed(t *testing.T) {
	m := newMocks(t)
	m.expect(script{begins, execs(insertOne), rollsBack}, script{begins, execFails(errMock, insertOne), rollsBack})
	c, tx := m.begun(t, context.Background())
	if _, err := tx.Exec(insertOne); err != nil {
		t.Fatal(err)
	}
	if err := settle(t, c); !errors.Is(err, errMock) {
		t.Errorf("Secondary: %v", err)
	}
	if _, err := tx.Exec(insertTwo); !errors.Is(err, errMock) {
		t.Errorf("the next write: %v", err)
	}
	if err := tx.QueryRow("select v from t").Scan(new(string)); !errors.Is(err, errMock) {
		t.Errorf("the next read: %v", err)
	}
	if _, err := tx.Prepare("select v from t"); !errors.Is(err, errMock) {
		t.Errorf("the next PREPARE: %v", err)
	}
	if err := tx.Commit(); !errors.Is(err, errMock) {
		t.Errorf("Commit: %v", err)
	}
	m.met(t)
	if s := m.stats(t); s.RolledBack != 1 || s.Committed != 0 {
		t.Errorf("stats: %+v", s)
	}
}

// TestBadConn: database/sql runs a call again when it gets driver.ErrBadConn. It must get it only while nothing has run.
func TestBadConn(t *testing.T) {
	bad := driver.ErrBadConn
	t.Run("BEGIN has run nothing", func(t *testing.T) {
		m := newMocks(t)
		m.expect(script{beginFails(bad), begins, execs(insertOne), commits}, script{begins, execs(insertOne), commits})
		if _, err := m.db.Exec(insertOne); err != nil {
			t.Error(err)
		}
		m.met(t)
	})
	for place, sides := range map[string][2]script{
		"a later statement on the primary": {{begins, execs(insertOne), execFails(bad, insertTwo), rollsBack}, {begins, execs(insertOne), rollsBack}},
		"the secondary's BEGIN":            {{begins, execs(insertOne), rollsBack}, {beginFails(bad)}},
		"the secondary's statement":        {{begins, execs(insertOne), rollsBack}, {begins, execFails(bad, insertOne), rollsBack}},
		"the primary's COMMIT":             {{begins, execs(insertOne), commitFails(bad)}, {begins, execs(insertOne), rollsBack}},
		"the secondary's COMMIT":           {{begins, execs(insertOne), commits}, {begins, execs(insertOne), commitFails(bad)}},
	} {
		t.Run(place, func(t *testing.T) {
			m := newMocks(t)
			m.expect(sides[0], sides[1])
			c, tx := m.begun(t, context.Background())
			_, err := tx.Exec(insertOne)
			if err == nil {
				_ = settle(t, c) // its failure is what the next call gets
				if len(sides[0]) == 4 {
					_, err = tx.Exec(insertTwo)
				}
			}
			if cerr := tx.Commit(); err == nil {
				err = cerr
			}
			if err == nil || errors.Is(err, driver.ErrBadConn) {
				t.Errorf("the caller got %v", err)
			}
			m.met(t)
		})
	}
}

// TestSecondaryReplaced: after a COMMIT that failed the secondary's connection is not used again.
func TestSecondaryReplaced(t *testing.T) {
	m := newMocks(t)
	m.expect(script{begins, execs(insertOne), commits, begins, execs(insertTwo), commits},
		script{begins, execs(insertOne), commitFails(errMock), begins, execs(insertTwo), commits})
	m.db.SetMaxOpenConns(1)
	if _, err := m.db.Exec(insertOne); toldBy(err) != toldHalfDone {
		t.Fatal(err)
	}
	if _, err := m.db.Exec(insertTwo); err != nil {
		t.Error(err)
	}
	m.met(t)
	if n := m.secondary.connects.Load(); n != 2 {
		t.Errorf("%d connections were made to the secondary, want 2", n)
	}
}

// TestRedoLimitEarly: a transaction beyond journal.redo_limit is stopped while it runs, before its redo fills the memory.
func TestRedoLimitEarly(t *testing.T) {
	m := newMocks(t, func(c *dualsql.Config) { c.RedoLimit = 10 })
	m.expect(script{begins, execs(insertOne), rollsBack}, script{begins, execs(insertOne), rollsBack})
	c, tx := m.begun(t, context.Background())
	if _, err := tx.Exec(insertOne); err != nil {
		t.Fatal(err)
	}
	if err := settle(t, c); !errors.Is(err, dualsql.ErrRedoTooLarge) {
		t.Errorf("before Commit: %v", err)
	}
	if err := tx.Commit(); !errors.Is(err, dualsql.ErrRedoTooLarge) {
		t.Errorf("Commit: %v", err)
	}
	m.met(t)
}
