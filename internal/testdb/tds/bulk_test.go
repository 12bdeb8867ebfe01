package tds_test

import (
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// loader is a session that takes bulk loads.
type loader struct {
	*session
	table   string
	columns []tds.Column
	rows    [][]any
}

func (l *loader) BulkLoad(table string, columns []tds.Column, rows [][]any, out tds.Sink) error {
	l.table, l.columns, l.rows = table, columns, rows
	out.Done(tds.Done{Rows: int64(len(rows)), Counted: true})
	return nil
}

type loaderBackend struct {
	*backend
	sessions chan *loader
}

func (b *loaderBackend) Login(user, password, database string) (tds.Session, error) {
	s, err := b.backend.Login(user, password, database)
	if err != nil {
		return nil, err
	}
	l := &loader{session: s.(*session)}
	b.sessions <- l
	return l, nil
}

// table answers the statements around a bulk load's rows.
func table(columns []tds.Column) func(*session, string, []tds.Param, tds.Sink) ([]any, error) {
	return func(s *session, text string, params []tds.Param, out tds.Sink) ([]any, error) {
		s.b.note("%s", text)
		if strings.HasPrefix(text, "select") {
			return selects(columns)(s, text, params, out)
		}
		out.Done(tds.Done{})
		return nil, nil
	}
}

// TestBulkLoad has the driver encode all types, NULL included.
func TestBulkLoad(t *testing.T) {
	for _, c := range typeCases {
		if c.name == "varchar lossy" || c.typ.Kind == tds.Char || c.typ.Kind == tds.VarChar {
			continue // the driver has no idea of code pages here
		}
		t.Run(c.name, func(t *testing.T) {
			b := &loaderBackend{&backend{batch: table([]tds.Column{
				{Name: "a", Type: c.typ}, {Name: "b ]", Type: c.typ, Nullable: true},
			})}, make(chan *loader, 1)}
			_, addr := serve(t, b)
			conn, err := open(t, addr, "").Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			stmt, err := conn.PrepareContext(t.Context(), mssql.CopyIn("my table", mssql.BulkOptions{}, "a", "b ]"))
			if err != nil {
				t.Fatal(err)
			}
			value := c.value
			if guid, ok := value.([16]byte); ok {
				value = []byte(mixed(guid))
			}
			for _, second := range []any{value, nil} {
				if _, err := stmt.ExecContext(t.Context(), value, second); err != nil {
					t.Fatal(err)
				}
			}
			result, err := stmt.ExecContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := result.RowsAffected(); n != 2 {
				t.Errorf("%d rows were loaded", n)
			}
			l := <-b.sessions
			if l.table != "[my table]" || l.columns[0] != (tds.Column{Name: "a", Type: c.typ}) || !l.columns[1].Nullable {
				t.Errorf("rows of %+v for %s", l.columns, l.table)
			}
			want := c.value
			if c.want != nil && c.typ.Kind == tds.DateTime {
				want = c.want
			}
			for i, row := range [][]any{{want, want}, {want, nil}} {
				if !same(l.rows[i][0], row[0]) || !same(l.rows[i][1], row[1]) {
					t.Errorf("row %d is %v, want %v", i, l.rows[i], row)
				}
			}
		})
	}
}

func mixed(g [16]byte) []byte {
	return []byte{g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]}
}

func TestBulkLoadRefused(t *testing.T) {
	b := &backend{batch: table(number)}
	_, conn := connect(t, b)
	stmt, err := conn.PrepareContext(t.Context(), mssql.CopyIn("t", mssql.BulkOptions{}, "n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stmt.ExecContext(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := stmt.ExecContext(t.Context()); err == nil || !strings.Contains(err.Error(), "Bulk load is not supported") {
		t.Errorf("the error is %v", err)
	}
	if _, err := conn.ExecContext(t.Context(), "do it"); err != nil {
		t.Error(err)
	}
}
