package tds_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

var number = []tds.Column{{Name: "n", Type: tds.Type{Kind: tds.Int}}}

// numbers reads a result set of one column.
func numbers(t *testing.T, rows *sql.Rows) []int {
	t.Helper()
	var all []int
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

func TestResultSets(t *testing.T) {
	b := &backend{batch: func(_ *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		out.Done(tds.Done{Rows: 2, Counted: true})
		out.Columns(number)
		out.Row([]any{int64(1)})
		out.Row([]any{int64(2)})
		out.Done(tds.Done{Rows: 2, Counted: true, IsSelect: true})
		out.Done(tds.Done{})
		out.Columns(number)
		out.Done(tds.Done{Counted: true, IsSelect: true})
		out.Columns(number)
		out.Row([]any{int64(3)})
		out.Done(tds.Done{Rows: 1, Counted: true, IsSelect: true})
		return nil, nil
	}}
	_, conn := connect(t, b)
	for _, args := range [][]any{nil, {1}} { // a batch, sp_executesql
		rows, err := conn.QueryContext(t.Context(), "do x", args...)
		if err != nil {
			t.Fatal(err)
		}
		var sets [][]int
		for more := true; more; more = rows.NextResultSet() {
			sets = append(sets, numbers(t, rows))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(sets); got != "[[1 2] [] [3]]" {
			t.Errorf("the result sets are %s", got)
		}
		result, err := conn.ExecContext(t.Context(), "do x", args...)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := result.RowsAffected(); n != 5 {
			t.Errorf("%d rows affected", n)
		}
	}
}

func TestOutputs(t *testing.T) {
	b := &backend{
		batch: func(_ *session, text string, params []tds.Param, out tds.Sink) ([]any, error) {
			if !params[1].Output || params[0].Output || params[2].Type != (tds.Type{Kind: tds.NVarChar, Size: 3}) {
				return nil, fmt.Errorf("parameters %+v", params)
			}
			out.Done(tds.Done{Rows: 1, Counted: true})
			return []any{params[1].Value.(int64) + params[0].Value.(int64), "z"}, nil
		},
		call: func(_ *session, procedure string, params []tds.Param, out tds.Sink) (int32, []any, error) {
			if procedure != "dbo.p" || params[0].Name != "@a" || params[0].Value != "in" || !params[1].Output {
				return 0, nil, fmt.Errorf("%s %+v", procedure, params)
			}
			out.Columns(number)
			out.Row([]any{int64(9)})
			out.Done(tds.Done{Rows: 1, Counted: true, IsSelect: true})
			return -7, []any{nil}, nil
		},
	}
	_, conn := connect(t, b)
	sum, s := int64(40), "abc"
	outs := []any{2, sql.Named("sum", sql.Out{Dest: &sum}), sql.Named("s", sql.Out{Dest: &s})}
	if _, err := conn.ExecContext(t.Context(), "do x", outs...); err != nil {
		t.Fatal(err)
	}
	if sum != 42 || s != "z" {
		t.Errorf("the outputs are %d and %q", sum, s)
	}

	var status mssql.ReturnStatus
	null := sql.NullInt64{Int64: 1, Valid: true}
	rows, err := conn.QueryContext(t.Context(), "dbo.p", sql.Named("a", "in"), sql.Named("o", sql.Out{Dest: &null}), &status)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, rows); !slices.Equal(got, []int{9}) {
		t.Errorf("the procedure gave %v", got)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	if status != -7 || null.Valid {
		t.Errorf("the status is %d, the output %+v", status, null)
	}
}

func TestErrors(t *testing.T) {
	want := tds.Message{Number: 2627, State: 3, Class: 14, Text: "Verletzung der „Einschränkung“", Procedure: "p", Line: 12}
	b := &backend{batch: func(_ *session, text string, _ []tds.Param, out tds.Sink) ([]any, error) {
		if text == "SELECT 1" {
			out.Columns(number)
			out.Row([]any{int64(1)})
		}
		out.Message(tds.Message{Number: 50, Class: 0, Text: "only an information"})
		out.Message(want)
		out.Done(tds.Done{Failed: true})
		out.Message(tds.Message{Number: 3621, Class: 0, State: 0, Text: "The statement has been terminated."})
		return nil, nil
	}}
	_, conn := connect(t, b)
	check := func(err error) {
		t.Helper()
		var got mssql.Error
		if !errors.As(err, &got) {
			t.Fatalf("the error is %v", err)
		}
		is := tds.Message{
			Number: got.Number, State: got.State, Class: got.Class, Text: got.Message, Procedure: got.ProcName, Line: got.LineNo,
		}
		if is != want || got.ServerName == "" || len(got.All) != 1 {
			t.Errorf("the error is %+v", got)
		}
	}
	for _, args := range [][]any{nil, {1}} {
		_, err := conn.ExecContext(t.Context(), "do x", args...)
		check(err)
		rows, err := conn.QueryContext(t.Context(), "SELECT 1", args...)
		if err != nil {
			t.Fatal(err)
		}
		if got := numbers(t, rows); !slices.Equal(got, []int{1}) {
			t.Errorf("before the error came %v", got)
		}
		check(rows.Err())
		_ = rows.Close() // it has the same error once more
	}
}

func TestStatusOfAFailedBatch(t *testing.T) {
	b := &backend{batch: func(_ *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		out.Message(tds.Message{Number: 8134, State: 1, Class: 16, Text: "Divide by zero error encountered."})
		out.Done(tds.Done{Failed: true})
		return nil, nil
	}}
	_, conn := connect(t, b)
	var status mssql.ReturnStatus
	_, err := conn.ExecContext(t.Context(), "do x", 1, &status)
	if err == nil || status != 8134 {
		t.Errorf("status %d with %v", status, err)
	}
}

func TestWhatCannotBeSentIsAnError(t *testing.T) {
	column := func(typ tds.Type) []tds.Column { return []tds.Column{{Name: "c", Type: typ}} }
	for name, c := range map[string]struct {
		columns []tds.Column
		row     []any
	}{
		"another type":   {column(tds.Type{Kind: tds.Int}), []any{"1"}},
		"out of range":   {column(tds.Type{Kind: tds.TinyInt}), []any{int64(-1)}},
		"NULL":           {column(tds.Type{Kind: tds.Int}), []any{nil}},
		"too long":       {column(tds.Type{Kind: tds.NVarChar, Size: 1}), []any{"ab"}},
		"too many":       {column(tds.Type{Kind: tds.Int}), []any{int64(1), int64(2)}},
		"unknown kind":   {column(tds.Type{Kind: 99}), []any{nil}},
		"digits":         {column(tds.Type{Kind: tds.Decimal, Precision: 3, Scale: 1}), []any{"1.25"}},
		"precision":      {column(tds.Type{Kind: tds.Decimal, Precision: 3, Scale: 1}), []any{"123.4"}},
		"year":           {column(tds.Type{Kind: tds.Date}), []any{utc(10000, 1, 1, 0, 0, 0, 0)}},
		"last datetime":  {column(tds.Type{Kind: tds.DateTime}), []any{utc(9999, 12, 31, 23, 59, 59, 999e6)}},
		"smalldatetime":  {column(tds.Type{Kind: tds.SmallDateTime}), []any{utc(2079, 6, 7, 0, 0, 0, 0)}},
		"char(max)":      {column(tds.Type{Kind: tds.Char, Size: tds.Max}), []any{"a"}},
		"nvarchar(4001)": {column(tds.Type{Kind: tds.NVarChar, Size: 4001}), []any{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{batch: selects(c.columns, c.row)}
			_, conn := connect(t, b)
			var ignored any
			err := conn.QueryRowContext(t.Context(), "do x").Scan(&ignored)
			if err == nil || !strings.Contains(err.Error(), "cannot send") {
				t.Errorf("the error is %v", err)
			}
			b.batch = nil
			if _, err := conn.ExecContext(t.Context(), "do x"); err != nil {
				t.Errorf("the connection is of no more use: %v", err)
			}
		})
	}
}
