package engine

import (
	"context"
	"database/sql/driver"
	"io"
	"reflect"
	"testing"
)

// prepareOnly is a connection that has neither Exec nor Query, as go-mssqldb's.
type prepareOnly struct{ driver.Conn }

func (prepareOnly) Prepare(string) (driver.Stmt, error) { return &onlyStmt{}, nil }

type onlyStmt struct {
	driver.Stmt
	closed int
}

func (s *onlyStmt) Close() error { s.closed++; return nil }

func (s *onlyStmt) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	return &typedRows{}, nil
}

func (s *onlyStmt) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(7), nil
}

type typedRows struct{ sets int }

func (*typedRows) Columns() []string                     { return []string{"a"} }
func (*typedRows) Close() error                          { return nil }
func (*typedRows) Next([]driver.Value) error             { return io.EOF }
func (r *typedRows) HasNextResultSet() bool              { return r.sets == 0 }
func (r *typedRows) NextResultSet() error                { r.sets++; return nil }
func (*typedRows) ColumnTypeDatabaseTypeName(int) string { return "MONEY" }
func (*typedRows) ColumnTypeScanType(int) reflect.Type   { return reflect.TypeFor[int32]() }
func (*typedRows) ColumnTypeNullable(int) (bool, bool)   { return true, true }
func (*typedRows) ColumnTypeLength(int) (int64, bool)    { return 12, true }

// A driver that can only prepare is used through a statement, whose rows lose nothing of what they offer, and which is
// closed with them.
func TestPrepareOnlyDriver(t *testing.T) {
	ctx := context.Background()
	s, err := Generic.Session(ctx, prepareOnly{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Exec(ctx, "update t set a = 1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.RowsAffected(); n != 7 {
		t.Errorf("rows affected: %d, want 7", n)
	}
	rows, err := s.Query(ctx, "select a from t", nil)
	if err != nil {
		t.Fatal(err)
	}
	wrapped := rows.(closingRows)
	if got := wrapped.ColumnTypeDatabaseTypeName(0); got != "MONEY" {
		t.Errorf("type name %q", got)
	}
	if got := wrapped.ColumnTypeScanType(0); got != reflect.TypeFor[int32]() {
		t.Errorf("scan type %v", got)
	}
	if nullable, ok := wrapped.ColumnTypeNullable(0); !nullable || !ok {
		t.Errorf("nullable: %v, %v", nullable, ok)
	}
	if n, ok := wrapped.ColumnTypeLength(0); n != 12 || !ok {
		t.Errorf("length: %d, %v", n, ok)
	}
	if _, _, ok := wrapped.ColumnTypePrecisionScale(0); ok {
		t.Error("a precision that the rows do not offer")
	}
	if !wrapped.HasNextResultSet() || wrapped.NextResultSet() != nil || wrapped.HasNextResultSet() {
		t.Error("the second result set is lost")
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if st := wrapped.st.(*onlyStmt); st.closed != 1 {
		t.Errorf("the statement was closed %d times, want once", st.closed)
	}
}
