package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"
)

// session is what all engines' sessions share: the forms of Exec, Query and Prepare that a driver.Conn may or may not
// have, and the checking of arguments.
type session struct {
	c       driver.Conn
	nulls   bool // a nil []byte is a NULL that is not any other
	exec    driver.ExecerContext
	query   driver.QueryerContext
	checker driver.NamedValueChecker
}

func newSession(c driver.Conn) session {
	s := session{c: c}
	s.exec, _ = c.(driver.ExecerContext)
	s.query, _ = c.(driver.QueryerContext)
	s.checker, _ = c.(driver.NamedValueChecker)
	return s
}

func (s *session) Conn() driver.Conn { return s.c }

// Exec falls back to a prepared statement before anything has run, never after: ErrSkip means that nothing has.
func (s *session) Exec(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if s.exec != nil {
		res, err := s.exec.ExecContext(ctx, text, args)
		if err != driver.ErrSkip {
			return res, err
		}
	}
	st, err := s.Prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	res, err := execStmt(ctx, st, args)
	if cerr := st.Close(); err == nil { // the driver's own error stays as it is
		err = cerr
	}
	return res, err
}

func (s *session) Query(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if s.query != nil {
		rows, err := s.query.QueryContext(ctx, text, args)
		if err != driver.ErrSkip {
			return rows, err
		}
	}
	st, err := s.Prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := queryStmt(ctx, st, args)
	if err != nil {
		_ = st.Close()
		return nil, err // the driver's own
	}
	return closingRows{rows, st}, nil
}

// errNoRow says that a query has been answered, with no row. A wrapped io.EOF does not say so: it may be that of a connection
// which was cut.
var errNoRow = errors.New("no row")

// scan reads the first row of a query of dualsql's own; errNoRow when there is none.
func (s *session) scan(ctx context.Context, query string, dest ...any) error {
	rows, err := s.Query(ctx, query, nil)
	if err != nil {
		return err
	}
	return scanRow(rows, dest...)
}

// scanRow reads the first row of rows into dest, and closes them.
func scanRow(rows driver.Rows, dest ...any) (err error) {
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	values := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(values); err == io.EOF {
		return errNoRow
	} else if err != nil {
		return err
	}
	for i, d := range dest {
		ok := true
		switch d := d.(type) {
		case *string:
			*d = text(values[i])
		case *int64:
			*d, ok = values[i].(int64)
		case *time.Time:
			*d, ok = values[i].(time.Time)
		}
		if !ok {
			return fmt.Errorf("column %d of a query of dualsql's own is %v, a %T", i+1, values[i], values[i])
		}
	}
	return nil
}

// eachRow calls f with the values of each row, which f must not keep, and closes rows.
func eachRow(rows driver.Rows, f func(values []driver.Value) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(values); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := f(values); err != nil {
			return err
		}
	}
}

func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

func (s *session) Prepare(ctx context.Context, text string) (driver.Stmt, error) {
	if p, ok := s.c.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, text)
	}
	return s.c.Prepare(text)
}

// Run executes st, or text where st is nil, on s: as a query, or for its result alone.
func Run(ctx context.Context, s Session, st driver.Stmt, text string, args []driver.NamedValue, query bool) (res driver.Result, rows driver.Rows, err error) {
	switch {
	case query && st != nil:
		rows, err = queryStmt(ctx, st, args)
	case query:
		rows, err = s.Query(ctx, text, args)
	case st != nil:
		res, err = execStmt(ctx, st, args)
	default:
		res, err = s.Exec(ctx, text, args)
	}
	return res, rows, err
}

// execStmt runs a prepared statement, whichever form of Exec it has.
func execStmt(ctx context.Context, st driver.Stmt, args []driver.NamedValue) (driver.Result, error) {
	if e, ok := st.(driver.StmtExecContext); ok {
		return e.ExecContext(ctx, args)
	}
	values, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 drivers without StmtExecContext have only this form
	return st.Exec(values)
}

// queryStmt runs a prepared statement, whichever form of Query it has.
func queryStmt(ctx context.Context, st driver.Stmt, args []driver.NamedValue) (driver.Rows, error) {
	if q, ok := st.(driver.StmtQueryContext); ok {
		return q.QueryContext(ctx, args)
	}
	values, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 drivers without StmtQueryContext have only this form
	return st.Query(values)
}

func unnamed(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	values := make([]driver.Value, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, errors.New("the driver does not support named arguments")
		}
		values[i] = a.Value
	}
	return values, nil
}

// Bind asks in the order of database/sql: the statement, the connection, the statement's column converter, the default.
func (s *session) Bind(st driver.Stmt, args []driver.NamedValue) ([]driver.NamedValue, error) {
	checker := s.checker
	if c, ok := st.(driver.NamedValueChecker); ok {
		checker = c
	}
	//lint:ignore SA1019 drivers without NamedValueChecker have only this form
	converter, _ := st.(driver.ColumnConverter)
	kept := args[:0]
	for i := range args {
		nv := args[i]
		err := error(driver.ErrSkip)
		if checker != nil {
			err = checker.CheckNamedValue(&nv)
		}
		if err == driver.ErrSkip {
			conv := driver.ValueConverter(driver.DefaultParameterConverter)
			if converter != nil {
				conv = converter.ColumnConverter(i)
			}
			nv.Value, err = conv.ConvertValue(nv.Value)
		}
		if err == driver.ErrRemoveArgument {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("argument %s: %w", argName(nv), err)
		}
		if b, ok := nv.Value.([]byte); ok && b == nil && !s.nulls {
			nv.Value = nil
		}
		nv.Ordinal = len(kept) + 1
		kept = append(kept, nv)
	}
	return kept, nil
}

func argName(nv driver.NamedValue) string {
	if nv.Name != "" {
		return "@" + nv.Name
	}
	return fmt.Sprintf("$%d", nv.Ordinal)
}

// Portable takes the values that database/sql itself knows, and nothing else.
func (s *session) Portable(_ context.Context, _ string, args []driver.NamedValue) ([]driver.NamedValue, error) {
	for i := range args {
		if !isPortable(args[i].Value) {
			return nil, fmt.Errorf("argument %s of type %T cannot be written to the journal: pass a plain value", argName(args[i]), args[i].Value)
		}
	}
	return args, nil
}

func isPortable(v any) bool {
	switch v.(type) {
	case nil, bool, int64, float64, string, []byte, time.Time:
		return true
	}
	return false
}

func (s *session) Atomic(_ context.Context, _ bool, f func() error) error { return f() }

func (s *session) Setup(context.Context) error { return nil }

func (s *session) Forget(context.Context) error { return nil }

func (s *session) Ping(ctx context.Context) error {
	if p, ok := s.c.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (s *session) Reset(ctx context.Context) error {
	if r, ok := s.c.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (s *session) Valid() bool {
	if v, ok := s.c.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

func (s *session) Close() error { return s.c.Close() }
