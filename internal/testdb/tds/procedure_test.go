package tds_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

func TestPrepared(t *testing.T) {
	b := &backend{batch: func(_ *session, text string, params []tds.Param, out tds.Sink) ([]any, error) {
		out.Columns([]tds.Column{{Name: "t", Type: tds.Type{Kind: tds.NVarChar, Size: 100}}})
		out.Row([]any{fmt.Sprint(text, " ", params[0].Type.Kind, " ", params[0].Value)})
		out.Done(tds.Done{Rows: 1, Counted: true, IsSelect: true})
		return nil, nil
	}}
	_, conn := connect(t, b)
	handle := func(procedure string, args ...any) int32 {
		t.Helper()
		var handle int32
		args = append([]any{sql.Named("handle", sql.Out{Dest: &handle}), "@a int", "SELECT 1"}, args...)
		if _, err := conn.ExecContext(t.Context(), procedure, args...); err != nil {
			t.Fatal(err)
		}
		return handle
	}
	run := func(args ...any) (text string, err error) {
		err = conn.QueryRowContext(t.Context(), "sp_execute", args...).Scan(&text)
		return text, err
	}
	one, two := handle("sp_prepare"), handle("sp_prepexec", 5)
	if one == two || one == 0 {
		t.Errorf("the handles are %d and %d", one, two)
	}
	for _, h := range []int32{one, two, one} {
		if text, err := run(h, 7); err != nil || text != "SELECT 1 int 7" {
			t.Errorf("%q, %v", text, err)
		}
	}
	if _, err := conn.ExecContext(t.Context(), "sp_unprepare", one); err != nil {
		t.Fatal(err)
	}
	var got mssql.Error
	if _, err := run(one, 7); !errors.As(err, &got) || got.Number != 8179 {
		t.Errorf("the error is %v", err)
	}
	if text, err := run(two, 8); err != nil || text != "SELECT 1 int 8" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestArgumentsThatDoNotFit(t *testing.T) {
	b := &backend{batch: func(_ *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		out.Done(tds.Done{})
		return nil, nil
	}}
	_, conn := connect(t, b)
	for _, c := range []struct {
		declarations string
		args         []any
		number       int32
	}{
		{"@a int", nil, 8178},
		{"@a int", []any{1, 2}, 8144},
		{"@a int", []any{sql.Named("b", 1)}, 8145},
		{"@a int", []any{sql.Named("a", 1), sql.Named("A", 1)}, 8144},
		{"@a int", []any{1 << 31}, 8115},
		{"@a int", []any{"1"}, 8114},
		{"@a xml", []any{"1"}, 2715},
		{"@a nvarchar(max), @b decimal(39, 1)", []any{"1"}, 2715},
		{"@a int = 5", []any{1}, 102},
		{"@a nvarchar(2), @b decimal(38, 1), @c datetime2(3)", []any{"漢字漢", nil, nil}, 0},
		{"@a AS float(24),@b varbinary(1)", []any{1.5, []byte{1, 2}}, 0},
	} {
		_, err := conn.ExecContext(t.Context(), "sp_executesql", append([]any{"do it", c.declarations}, c.args...)...)
		var got mssql.Error
		errors.As(err, &got)
		if got.Number != c.number || c.number == 0 && err != nil {
			t.Errorf("%s with %v: %v, want error %d", c.declarations, c.args, err, c.number)
		}
	}
	if _, err := conn.ExecContext(t.Context(), "sp_cursoropen"); err == nil || !strings.Contains(err.Error(), "sp_cursoropen") {
		t.Errorf("the error is %v", err)
	}
	// The driver sends sixteen bytes with this NULL that do not belong there.
	_, err := conn.ExecContext(t.Context(), "do it", mssql.NullUniqueIdentifier{})
	if err == nil || !strings.Contains(err.Error(), "0x00") {
		t.Errorf("the error is %v", err)
	}
	if _, err := conn.ExecContext(t.Context(), "do it", 1); err != nil {
		t.Error(err)
	}
}
