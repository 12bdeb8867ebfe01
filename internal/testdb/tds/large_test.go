package tds_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

func TestLargeAnswers(t *testing.T) {
	b := &backend{}
	_, addr := serve(t, b)
	for _, size := range []int{512, 4096, 32767} {
		conn, err := open(t, addr, fmt.Sprintf("&packet+size=%d", size)).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const rows = 3000
		text := "-- " + strings.Repeat("漢", 10_000)
		b.batch = func(_ *session, got string, params []tds.Param, out tds.Sink) ([]any, error) {
			if len(params) == 1 && params[0].Value != text || len(params) == 0 && got != text {
				return nil, errors.New("the text did not arrive")
			}
			out.Columns([]tds.Column{{Name: "t", Type: tds.Type{Kind: tds.NVarChar, Size: 102}}})
			for range rows {
				out.Row([]any{text[:300]})
			}
			out.Done(tds.Done{Rows: rows, Counted: true, IsSelect: true})
			return nil, nil
		}
		for _, args := range [][]any{nil, {text}} {
			got, err := conn.QueryContext(t.Context(), text, args...)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for got.Next() {
				var s string
				if err := got.Scan(&s); err != nil || s != text[:300] {
					t.Fatalf("row %d is %q, %v", n, s, err)
				}
				n++
			}
			if err := errors.Join(got.Err(), got.Close()); err != nil || n != rows {
				t.Errorf("%d rows with packets of %d bytes: %v", n, size, err)
			}
		}
		_ = conn.Close()
	}
}
