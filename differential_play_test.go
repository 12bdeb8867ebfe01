package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// diffSubject is a database that scripts are played on.
type diffSubject struct {
	db    *sql.DB
	d     diffDialect
	plain bool // through the database's own driver: its own placeholders, and its own bugs to clean up after
	kept  map[string]*sql.Stmt
}

// newDiffSubject limits the pool to one connection, so that what is played has one order.
func newDiffSubject(db *sql.DB, d diffDialect, plain bool) *diffSubject {
	db.SetMaxOpenConns(1)
	return &diffSubject{db: db, d: d, plain: plain, kept: map[string]*sql.Stmt{}}
}

// diffResult is what one step has answered.
type diffResult struct {
	class    string // of the error; "" for none
	err      error
	affected int64
	columns  []string
	rows     []string
}

func (r diffResult) String() string {
	if r.err != nil {
		return fmt.Sprintf("error %s: %v", r.class, r.err)
	}
	return fmt.Sprintf("affected %d, columns %v, rows %v", r.affected, r.columns, r.rows)
}

func (r diffResult) equal(o diffResult) bool {
	// Whether wrong arguments are found before the server refuses all that comes is a matter of caches.
	const refused, found = "SQLSTATE 25P02", "other"
	sameClass := r.class == o.class || r.class == found && o.class == refused || r.class == refused && o.class == found
	return sameClass && r.affected == o.affected && slices.Equal(r.columns, o.columns) && slices.Equal(r.rows, o.rows)
}

// executor is what *sql.DB and *sql.Tx have in common.
type executor interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
}

// play runs a script and returns the result of each step.
func (s *diffSubject) play(t *testing.T, sc *diffScript) []diffResult {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if !sc.explicit {
		return []diffResult{s.step(ctx, s.db, &sc.steps[0])}
	}
	// Statements are prepared for the pool before the transaction takes its only connection.
	for i := range sc.steps {
		if st := &sc.steps[i]; st.prepare == prepareKept {
			_, _ = s.keep(st) // an error comes back when the step prepares within the transaction
		}
	}
	tx, err := s.db.BeginTx(ctx, &sc.options)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	var results []diffResult
	for i := range sc.steps {
		if i == sc.cancelAt {
			cancel()
		}
		results = append(results, s.step(ctx, tx, &sc.steps[i]))
	}
	if sc.commit {
		err = tx.Commit()
	} else {
		err = tx.Rollback()
	}
	if ctx.Err() != nil && (err != nil || !sc.commit) {
		err = context.Canceled // or nil or sql.ErrTxDone, as database/sql's own rollback was quicker or slower
	}
	if s.plain && s.d == sqliteDialect && sc.commit && err != nil {
		_, _ = s.db.Exec("rollback") // the driver gives the connection back with the transaction still open
	}
	return append(results, diffResult{err: err, class: diffClassify(err)})
}

func (s *diffSubject) keep(st *diffStep) (*sql.Stmt, error) {
	text := s.text(st)
	if kept := s.kept[text]; kept != nil {
		return kept, nil
	}
	kept, err := s.db.Prepare(text)
	if err == nil {
		s.kept[text] = kept
	}
	return kept, err
}

// text is what a step sends to this subject.
func (s *diffSubject) text(st *diffStep) string {
	style := st.style
	if s.plain {
		style = s.d.style()
	}
	return st.render(style)
}

// step runs one statement.
func (s *diffSubject) step(ctx context.Context, on executor, st *diffStep) diffResult {
	if st.cancelled {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		cancel()
	}
	args := st.values()
	passed := slices.Clone(args)
	if !s.plain && st.style == named {
		for i := range passed {
			passed[i] = sql.Named(fmt.Sprint("n", i+1), passed[i])
		}
	}
	r, err := s.run(ctx, on, st, passed)
	// The arguments are the caller's again.
	for _, a := range args {
		if b, ok := a.([]byte); ok {
			for i := range b {
				b[i] = 'X'
			}
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Canceled // or sql.ErrTxDone, as in play
		}
		return diffResult{err: err, class: diffClassify(err)}
	}
	return r
}

func (s *diffSubject) run(ctx context.Context, on executor, st *diffStep, args []any) (diffResult, error) {
	text := s.text(st)
	exec := func() (sql.Result, error) { return on.ExecContext(ctx, text, args...) }
	rows := func() (*sql.Rows, error) { return on.QueryContext(ctx, text, args...) }
	if st.prepare != prepareNot {
		prepared, done, err := s.prepared(ctx, on, st)
		if err != nil {
			return diffResult{}, err
		}
		defer done()
		exec = func() (sql.Result, error) { return prepared.ExecContext(ctx, args...) }
		rows = func() (*sql.Rows, error) { return prepared.QueryContext(ctx, args...) }
	}
	if st.query {
		got, err := diffCollect(rows())
		if err != nil {
			return diffResult{}, err
		}
		return diffResult{columns: got.columns, rows: got.sorted(diffExact)}, nil
	}
	res, err := exec()
	if err != nil || !st.counts {
		return diffResult{}, err
	}
	n, err := res.RowsAffected()
	return diffResult{affected: n}, err
}

// prepared returns a statement for on and what to do after its use.
func (s *diffSubject) prepared(ctx context.Context, on executor, st *diffStep) (*sql.Stmt, func(), error) {
	tx, inTx := on.(*sql.Tx)
	if kept := s.kept[s.text(st)]; inTx && st.prepare == prepareKept && kept != nil {
		prepared := tx.StmtContext(ctx, kept)
		return prepared, func() { _ = prepared.Close() }, nil
	}
	if !inTx && st.prepare == prepareKept {
		prepared, err := s.keep(st)
		return prepared, func() {}, err
	}
	prepared, err := on.PrepareContext(ctx, s.text(st))
	if err != nil {
		return nil, nil, err
	}
	return prepared, func() { _ = prepared.Close() }, nil
}

// diffTable is what a query has returned.
type diffTable struct {
	columns []string
	values  [][]any
}

func diffQuery(ctx context.Context, on executor, text string, args []any) (diffTable, error) {
	return diffCollect(on.QueryContext(ctx, text, args...))
}

func diffCollect(rows *sql.Rows, err error) (diffTable, error) {
	if err != nil {
		return diffTable{}, err
	}
	defer rows.Close()
	var t diffTable
	if t.columns, err = rows.Columns(); err != nil {
		return diffTable{}, err
	}
	for rows.Next() {
		values := make([]any, len(t.columns))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return diffTable{}, err
		}
		t.values = append(t.values, values)
	}
	return t, rows.Err()
}

// sorted writes each row down with show. The order of rows is not compared: without ORDER BY there is none.
func (t diffTable) sorted(show func(any) string) []string {
	var rows []string
	for _, values := range t.values {
		var b strings.Builder
		for _, v := range values {
			b.WriteString(show(v) + " ")
		}
		rows = append(rows, b.String())
	}
	slices.Sort(rows)
	return rows
}

// diffExact tells values of different types apart.
func diffExact(v any) string {
	if t, ok := v.(time.Time); ok {
		return "time:" + t.Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%T:%q", v, fmt.Sprint(v))
}

// diffPortable is equal for what two kinds of databases return for the same value.
func diffPortable(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case bool:
		if v {
			return "1"
		}
		return "0"
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case []byte:
		return fmt.Sprintf("%x", v)
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

// diffClassify is what two drivers' errors must have in common.
func diffClassify(err error) string {
	var state *pgconn.PgError
	var code interface{ Code() int }
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, sql.ErrTxDone):
		return "transaction done"
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return "commit rolled back"
	case errors.As(err, &state):
		return "SQLSTATE " + state.Code
	case errors.As(err, &code):
		return fmt.Sprint("SQLite ", code.Code())
	}
	return "other"
}
