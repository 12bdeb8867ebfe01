package dualsql_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/dualsql/dualsql"
)

const (
	insertOne = "insert into t (v) values (1)"
	insertTwo = "insert into t (v) values (2)"
)

// TestSent says what each side gets for what the caller does, when all goes well.
func TestSent(t *testing.T) {
	ctx := context.Background()
	oneWrite := script{begins, execs(insertOne), commits}
	for _, c := range []struct {
		rule               string
		primary, secondary script
		run                func(db *sql.DB) error
	}{
		{"a write outside of a transaction is a transaction of one statement on both",
			oneWrite, oneWrite, callExec(ctx, insertOne)},
		{"a read goes to the primary alone, outside of a transaction",
			script{queries("select v from t", "x")}, nil, callQuery(ctx, "select v from t", "x")},
		{"a query that writes goes to both, and the primary's rows to the caller",
			script{begins, queries("insert into t default values returning v", "p"), commits},
			script{begins, queries("insert into t default values returning v", "s"), commits},
			callQuery(ctx, "insert into t default values returning v", "p")},
		{"arguments pass untouched",
			script{begins, execs("update t set v = ? where id = ?", "x", int64(7)), commits},
			script{begins, execs("update t set v = ? where id = ?", "x", int64(7)), commits},
			callExec(ctx, "update t set v = ? where id = ?", "x", 7)},
		{"a prepared write is prepared on the secondary when it is first run",
			script{prepares(insertOne), begins, execs(insertOne), commits, begins, execs(insertOne), commits},
			script{prepares(insertOne), begins, execs(insertOne), commits, begins, execs(insertOne), commits},
			callPrepared(func(st *sql.Stmt) error {
				for range 2 {
					if _, err := st.Exec(); err != nil {
						return err
					}
				}
				return nil
			}, insertOne)},
		{"a prepared write that is never run is never prepared on the secondary",
			script{prepares(insertOne)}, nil, callPrepared(func(*sql.Stmt) error { return nil }, insertOne)},
		{"a prepared read stays on the primary",
			script{prepares("select v from t"), queries("select v from t", "x")}, nil,
			callPrepared(func(st *sql.Stmt) error { return wantOne(st.QueryRow(), "x") }, "select v from t")},
		{"a transaction's reads go to the primary, its writes to both",
			script{begins, execs(insertOne), queries("select v from t", "x"), execs(insertTwo), commits},
			script{begins, execs(insertOne), execs(insertTwo), commits},
			callTx(nil, func(tx *sql.Tx) error {
				if _, err := tx.Exec(insertOne); err != nil {
					return err
				}
				if err := wantOne(tx.QueryRow("select v from t"), "x"); err != nil {
					return err
				}
				_, err := tx.Exec(insertTwo)
				return err
			})},
		{"a transaction that only reads never touches the secondary",
			script{begins, queries("select v from t", "x"), commits}, nil,
			callTx(nil, func(tx *sql.Tx) error { return wantOne(tx.QueryRow("select v from t"), "x") })},
		{"a read-only transaction never touches the secondary",
			script{begins, queries("select audit() from t", "x"), commits}, nil,
			callTx(&sql.TxOptions{ReadOnly: true}, func(tx *sql.Tx) error { return wantOne(tx.QueryRow("select audit() from t"), "x") })},
		{"savepoints are mirrored",
			script{begins, execs("savepoint a"), execs(insertOne), execs("rollback to savepoint a"), commits},
			script{begins, execs("savepoint a"), execs(insertOne), execs("rollback to savepoint a"), commits},
			callTx(nil, callAll("savepoint a", insertOne, "rollback to savepoint a"))},
		{"a session statement reaches the secondary when it is next used",
			script{execs("set search_path = app"), begins, execs(insertOne), commits},
			script{execs("set search_path = app"), begins, execs(insertOne), commits},
			callConn(func(c *sql.Conn) error {
				if _, err := c.ExecContext(ctx, "set search_path = app"); err != nil {
					return err
				}
				_, err := c.ExecContext(ctx, insertOne)
				return err
			})},
		{"a session statement alone does not touch the secondary",
			script{execs("set search_path = app")}, nil, callExec(ctx, "set search_path = app")},
		{"a session statement in a transaction is mirrored within it",
			script{begins, execs("set search_path = app"), commits},
			script{begins, execs("set search_path = app"), commits},
			callTx(nil, callAll("set search_path = app"))},
		{"DDL is mirrored in a transaction",
			script{begins, execs("create table t (v int)"), commits},
			script{begins, execs("create table t (v int)"), commits},
			callExec(ctx, "create table t (v int)")},
		{"what cannot run in a transaction runs bare, one side after the other",
			script{execs("vacuum")}, script{execs("vacuum")}, callExec(ctx, "vacuum")},
		{"a locking read stays on the primary",
			script{begins, queries("select v from t for update", "x"), commits}, nil,
			callTx(nil, func(tx *sql.Tx) error { return wantOne(tx.QueryRow("select v from t for update"), "x") })},
		{"a read that calls only functions known to change nothing stays on the primary",
			script{queries("select lower(max(v)) from t", "x")}, nil, callQuery(ctx, "select lower(max(v)) from t", "x")},
		{"a read that calls any other function is mirrored",
			script{begins, queries("select audit(v) from t", "x"), commits},
			script{begins, queries("select audit(v) from t", "x"), commits}, callQuery(ctx, "select audit(v) from t", "x")},
		{"a schema makes any function unknown",
			script{begins, queries("select app.lower(v) from t", "x"), commits},
			script{begins, queries("select app.lower(v) from t", "x"), commits}, callQuery(ctx, "select app.lower(v) from t", "x")},
		{"the hint dualsql:mirror mirrors a read",
			script{begins, queries("/* dualsql:mirror */ select v from t", "x"), commits},
			script{begins, queries("/* dualsql:mirror */ select v from t", "x"), commits},
			callQuery(ctx, "/* dualsql:mirror */ select v from t", "x")},
		{"the hint dualsql:primary keeps a write on the primary",
			script{begins, execs("/* dualsql:primary */ " + insertOne), commits}, nil, callExec(ctx, "/* dualsql:primary */ "+insertOne)},
		{"the hint dualsql:primary keeps an unknown function on the primary",
			script{queries("/* dualsql:primary */ select audit(v) from t", "x")}, nil,
			callQuery(ctx, "/* dualsql:primary */ select audit(v) from t", "x")},
		{"WithMirror mirrors a read",
			script{begins, queries("select v from t", "x"), commits}, script{begins, queries("select v from t", "x"), commits},
			callQuery(dualsql.WithMirror(ctx), "select v from t", "x")},
		{"WithPrimaryOnly keeps a write on the primary",
			oneWrite, nil, callExec(dualsql.WithPrimaryOnly(ctx), insertOne)},
		{"WithPrimaryOnly prevails over the hint",
			script{begins, execs("/* dualsql:mirror */ " + insertOne), commits}, nil,
			callExec(dualsql.WithPrimaryOnly(ctx), "/* dualsql:mirror */ "+insertOne)},
		{"WithPrimaryOnly in a transaction keeps one statement of it on the primary",
			script{begins, execs(insertOne), execs(insertTwo), commits}, script{begins, execs(insertTwo), commits},
			callTx(nil, func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(dualsql.WithPrimaryOnly(ctx), insertOne); err != nil {
					return err
				}
				_, err := tx.Exec(insertTwo)
				return err
			})},
	} {
		t.Run(c.rule, func(t *testing.T) {
			m := newMocks(t)
			m.expect(c.primary, c.secondary)
			if err := c.run(m.db); err != nil {
				t.Error(err)
			}
			m.met(t)
			if c.secondary == nil && m.secondary.connects.Load() > 0 {
				t.Error("the secondary was connected to")
			}
			if p := m.pending(t); len(p) > 0 {
				t.Errorf("pending: %+v", p)
			}
		})
	}
}

// TestRollback: what the secondary has run is rolled back on both; what it has not run yet never gets there.
func TestRollback(t *testing.T) {
	m := newMocks(t)
	m.expect(script{begins, execs(insertOne), rollsBack}, script{begins, execs(insertOne), rollsBack})
	c, tx := m.begun(t, context.Background())
	if _, err := tx.Exec(insertOne); err != nil {
		t.Fatal(err)
	}
	if err := settle(t, c); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	m.met(t)
	if s := m.stats(t); s.Committed != 0 || s.Journal.Appends != 0 {
		t.Errorf("a rollback left a trace in the journal: %+v", s)
	}
}

// TestCommitStats: a commit is counted, and its intent is synced before the primary commits.
func TestCommitStats(t *testing.T) {
	m := newMocks(t)
	m.expect(script{begins, execs(insertOne), commits}, script{begins, execs(insertOne), commits})
	var syncs uint64
	m.primary.onCommit = func() { syncs = m.stats(t).Journal.Syncs }
	before := m.stats(t).Journal.Syncs
	if _, err := m.db.Exec(insertOne); err != nil {
		t.Fatal(err)
	}
	if syncs <= before {
		t.Error("the primary got its COMMIT before the intent was synced")
	}
	if s := m.stats(t); s.Committed != 1 || s.RolledBack != 0 || s.Pending != 0 || s.Protocol != dualsql.BestEffort {
		t.Errorf("stats: %+v", s)
	}
}

func callExec(ctx context.Context, text string, args ...any) func(*sql.DB) error {
	return func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, text, args...)
		return err
	}
}

func callQuery(ctx context.Context, text, want string) func(*sql.DB) error {
	return func(db *sql.DB) error { return wantOne(db.QueryRowContext(ctx, text), want) }
}

func callPrepared(f func(*sql.Stmt) error, text string) func(*sql.DB) error {
	return func(db *sql.DB) error {
		db.SetMaxOpenConns(1) // database/sql prepares anew on each connection
		st, err := db.Prepare(text)
		if err != nil {
			return err
		}
		if err := f(st); err != nil {
			return err
		}
		return st.Close()
	}
}

func callTx(o *sql.TxOptions, f func(*sql.Tx) error) func(*sql.DB) error {
	return func(db *sql.DB) error {
		tx, err := db.BeginTx(context.Background(), o)
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			_ = tx.Rollback() // f's error is the one to see
			return err
		}
		return tx.Commit()
	}
}

func callConn(f func(*sql.Conn) error) func(*sql.DB) error {
	return func(db *sql.DB) error {
		c, err := db.Conn(context.Background())
		if err != nil {
			return err
		}
		defer c.Close()
		return f(c)
	}
}

func callAll(texts ...string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		for _, text := range texts {
			if _, err := tx.Exec(text); err != nil {
				return err
			}
		}
		return nil
	}
}
