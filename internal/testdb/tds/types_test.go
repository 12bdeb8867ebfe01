package tds_test

import (
	"database/sql"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

func utc(year int, month time.Month, day, hour, minute, second, nano int) time.Time {
	return time.Date(year, month, day, hour, minute, second, nano, time.UTC)
}

// typeCases are values at the bounds of all types, and what the driver makes of them, where that is another value.
var typeCases = []struct {
	name  string
	typ   tds.Type
	value any
	want  any
}{
	{"bit true", tds.Type{Kind: tds.Bit}, true, nil},
	{"bit false", tds.Type{Kind: tds.Bit}, false, nil},
	{"tinyint", tds.Type{Kind: tds.TinyInt}, int64(255), nil},
	{"smallint", tds.Type{Kind: tds.SmallInt}, int64(math.MinInt16), nil},
	{"int", tds.Type{Kind: tds.Int}, int64(math.MinInt32), nil},
	{"bigint", tds.Type{Kind: tds.BigInt}, int64(math.MinInt64), nil},
	{"real", tds.Type{Kind: tds.Real}, float64(math.MaxFloat32), nil},
	{"float", tds.Type{Kind: tds.Float}, -math.SmallestNonzeroFloat64, nil},
	{"decimal of 4 bytes", tds.Type{Kind: tds.Decimal, Precision: 9, Scale: 2}, "-9999999.99", []byte("-9999999.99")},
	{"decimal of 8 bytes", tds.Type{Kind: tds.Decimal, Precision: 19, Scale: 0}, "9999999999999999999", []byte("9999999999999999999")},
	{"decimal of 12 bytes", tds.Type{Kind: tds.Decimal, Precision: 28, Scale: 28}, "0." + strings.Repeat("9", 28), []byte("0." + strings.Repeat("9", 28))},
	{"decimal of 16 bytes", tds.Type{Kind: tds.Decimal, Precision: 38, Scale: 3}, "-" + strings.Repeat("9", 35) + ".125", []byte("-" + strings.Repeat("9", 35) + ".125")},
	{"money", tds.Type{Kind: tds.Money}, "-922337203685477.5808", []byte("-922337203685477.5808")},
	{"money one", tds.Type{Kind: tds.Money}, "-0.0001", []byte("-0.0001")},
	{"char", tds.Type{Kind: tds.Char, Size: 3}, "äb ", nil},
	{"varchar", tds.Type{Kind: tds.VarChar, Size: 8000}, strings.Repeat("é", 8000), nil},
	{"varchar(max)", tds.Type{Kind: tds.VarChar, Size: tds.Max}, strings.Repeat("€", 100_000), nil},
	{"varchar lossy", tds.Type{Kind: tds.VarChar, Size: 8}, "a漢b😀", "a?b??"},
	{"nchar", tds.Type{Kind: tds.NChar, Size: 4}, "漢😀 ", nil},
	{"nvarchar", tds.Type{Kind: tds.NVarChar, Size: 4000}, strings.Repeat("漢", 4000), nil},
	{"nvarchar empty", tds.Type{Kind: tds.NVarChar, Size: 1}, "", nil},
	{"nvarchar(max)", tds.Type{Kind: tds.NVarChar, Size: tds.Max}, strings.Repeat("😀", 100_000), nil},
	{"nvarchar(max) empty", tds.Type{Kind: tds.NVarChar, Size: tds.Max}, "", nil},
	{"binary", tds.Type{Kind: tds.Binary, Size: 2}, []byte{0, 255}, nil},
	{"varbinary empty", tds.Type{Kind: tds.VarBinary, Size: 1}, []byte{}, nil},
	{"varbinary(max)", tds.Type{Kind: tds.VarBinary, Size: tds.Max}, []byte(strings.Repeat("\x00\xff", 100_000)), nil},
	{"uniqueidentifier", tds.Type{Kind: tds.UniqueIdentifier},
		[16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		[]byte{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}},
	{"date first", tds.Type{Kind: tds.Date}, utc(1, 1, 1, 0, 0, 0, 0), nil},
	{"date last", tds.Type{Kind: tds.Date}, utc(9999, 12, 31, 0, 0, 0, 0), nil},
	{"time(0)", tds.Type{Kind: tds.Time, Scale: 0}, utc(1, 1, 1, 23, 59, 59, 0), nil},
	{"time(3)", tds.Type{Kind: tds.Time, Scale: 3}, utc(1, 1, 1, 23, 59, 59, 999e6), nil},
	{"time(7)", tds.Type{Kind: tds.Time, Scale: 7}, utc(1, 1, 1, 23, 59, 59, 999_999_900), nil},
	{"smalldatetime first", tds.Type{Kind: tds.SmallDateTime}, utc(1900, 1, 1, 0, 0, 0, 0), nil},
	{"smalldatetime last", tds.Type{Kind: tds.SmallDateTime}, utc(2079, 6, 6, 23, 59, 0, 0), nil},
	{"datetime first", tds.Type{Kind: tds.DateTime}, utc(1753, 1, 1, 0, 0, 0, 3e6), nil},
	{"datetime last", tds.Type{Kind: tds.DateTime}, utc(9999, 12, 31, 23, 59, 59, 997e6), nil},
	{"datetime tick", tds.Type{Kind: tds.DateTime}, utc(2024, 2, 29, 1, 2, 3, 5e6), utc(2024, 2, 29, 1, 2, 3, 7e6)},
	{"datetime next day", tds.Type{Kind: tds.DateTime}, utc(1899, 12, 31, 23, 59, 59, 999e6), utc(1900, 1, 1, 0, 0, 0, 0)},
	{"datetime2(0)", tds.Type{Kind: tds.DateTime2, Scale: 0}, utc(1, 1, 1, 0, 0, 0, 0), nil},
	{"datetime2(4)", tds.Type{Kind: tds.DateTime2, Scale: 4}, utc(1970, 1, 1, 0, 0, 0, 123_400_000), nil},
	{"datetime2(7)", tds.Type{Kind: tds.DateTime2, Scale: 7}, utc(9999, 12, 31, 23, 59, 59, 999_999_900), nil},
	{"datetimeoffset(7)", tds.Type{Kind: tds.DateTimeOffset, Scale: 7},
		time.Date(2024, 1, 1, 0, 30, 0, 123_456_700, time.FixedZone("", 14*3600)), nil},
	{"datetimeoffset(2)", tds.Type{Kind: tds.DateTimeOffset, Scale: 2},
		time.Date(2023, 12, 31, 23, 30, 0, 10e6, time.FixedZone("", -13*3600-59*60)), nil},
}

// same compares values of which times may have different descriptions of one zone.
func same(got, want any) bool {
	g, ok1 := got.(time.Time)
	w, ok2 := want.(time.Time)
	if ok1 && ok2 {
		_, gotOffset := g.Zone()
		_, wantOffset := w.Zone()
		return g.Equal(w) && gotOffset == wantOffset
	}
	return reflect.DeepEqual(got, want)
}

func TestColumns(t *testing.T) {
	b := &backend{}
	_, conn := connect(t, b)
	for _, c := range typeCases {
		t.Run(c.name, func(t *testing.T) {
			columns := []tds.Column{{Name: "never", Type: c.typ}, {Name: "maybe", Type: c.typ, Nullable: true}, {Type: c.typ, Nullable: true}}
			b.batch = selects(columns, []any{c.value, c.value, nil}, []any{c.value, nil, c.value})
			rows, err := conn.QueryContext(t.Context(), "SELECT 1")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			types, err := rows.ColumnTypes()
			if err != nil {
				t.Fatal(err)
			}
			if got := types[1].DatabaseTypeName(); !strings.EqualFold(got, c.typ.Kind.String()) {
				t.Errorf("the column is of type %s", got)
			}
			for i, want := range []bool{false, true, true} {
				if nullable, _ := types[i].Nullable(); nullable != want {
					t.Errorf("column %d is nullable: %v", i, nullable)
				}
			}
			want := c.want
			if want == nil {
				want = c.value
			}
			for _, row := range [][3]any{{want, want, nil}, {want, nil, want}} {
				var got [3]any
				if !rows.Next() {
					t.Fatal(rows.Err())
				}
				if err := rows.Scan(&got[0], &got[1], &got[2]); err != nil {
					t.Fatal(err)
				}
				for i := range row {
					if !same(got[i], row[i]) {
						t.Errorf("column %d is %v, want %v", i, got[i], row[i])
					}
				}
			}
			if rows.Next() || rows.Err() != nil {
				t.Errorf("a row too many, or an error: %v", rows.Err())
			}
		})
	}
}

func TestParameters(t *testing.T) {
	date, clock, dateTime := mssql.NullDate{}, mssql.NullTime{}, mssql.NullDateTime{}
	at := utc(2024, 2, 29, 13, 14, 15, 123_456_700)
	for _, scan := range []func(any) error{date.Scan, clock.Scan, dateTime.Scan} {
		if err := scan(at); err != nil {
			t.Fatal(err)
		}
	}
	east := time.Date(2024, 1, 1, 0, 30, 0, 100, time.FixedZone("", 14*3600))
	guid := [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	long := strings.Repeat("漢", 100_000)
	nvarchar := func(size int) tds.Type { return tds.Type{Kind: tds.NVarChar, Size: size} }
	for _, c := range []struct {
		name  string
		arg   any
		typ   tds.Type
		value any
	}{
		{"bool", true, tds.Type{Kind: tds.Bit}, true},
		{"byte", byte(255), tds.Type{Kind: tds.TinyInt}, int64(255)},
		{"int16", int16(math.MinInt16), tds.Type{Kind: tds.SmallInt}, int64(math.MinInt16)},
		{"int32", int32(math.MaxInt32), tds.Type{Kind: tds.Int}, int64(math.MaxInt32)},
		{"int64", int64(math.MinInt64), tds.Type{Kind: tds.BigInt}, int64(math.MinInt64)},
		{"float32", float32(1.5), tds.Type{Kind: tds.Real}, 1.5},
		{"float64", math.MaxFloat64, tds.Type{Kind: tds.Float}, math.MaxFloat64},
		{"string", "aé漢😀", nvarchar(5), "aé漢😀"},
		{"string empty", "", nvarchar(tds.Max), ""},
		{"string long", long, nvarchar(tds.Max), long},
		{"varchar", mssql.VarChar("abc"), tds.Type{Kind: tds.VarChar, Size: 3}, "abc"},
		{"varchar(max)", mssql.VarCharMax("abc"), tds.Type{Kind: tds.VarChar, Size: tds.Max}, "abc"},
		{"nchar", mssql.NChar("ab"), tds.Type{Kind: tds.NChar, Size: 2}, "ab"},
		{"nvarchar(max)", mssql.NVarCharMax("ab"), nvarchar(tds.Max), "ab"},
		{"bytes", []byte{0, 1}, tds.Type{Kind: tds.VarBinary, Size: 2}, []byte{0, 1}},
		{"bytes long", []byte(long), tds.Type{Kind: tds.VarBinary, Size: tds.Max}, []byte(long)},
		{"guid", mssql.UniqueIdentifier(guid), tds.Type{Kind: tds.UniqueIdentifier}, guid},
		{"time.Time", east, tds.Type{Kind: tds.DateTimeOffset, Scale: 7}, east},
		{"datetime", mssql.DateTime1(utc(2024, 1, 1, 0, 0, 0, 7e6)), tds.Type{Kind: tds.DateTime}, utc(2024, 1, 1, 0, 0, 0, 7e6)},
		{"date", date, tds.Type{Kind: tds.Date}, utc(2024, 2, 29, 0, 0, 0, 0)},
		{"time", clock, tds.Type{Kind: tds.Time, Scale: 7}, utc(1, 1, 1, 13, 14, 15, 123_456_700)},
		{"datetime2", dateTime, tds.Type{Kind: tds.DateTime2, Scale: 7}, at},
		{"nil", nil, nvarchar(1), nil},
		{"null string", sql.NullString{}, nvarchar(4000), nil},
		{"null int64", sql.NullInt64{}, tds.Type{Kind: tds.BigInt}, nil},
		{"null bool", sql.NullBool{}, tds.Type{Kind: tds.Bit}, nil},
		{"null float64", sql.NullFloat64{}, tds.Type{Kind: tds.Float}, nil},
		{"null time", sql.NullTime{}, tds.Type{Kind: tds.DateTimeOffset, Scale: 7}, nil},
		{"null date", mssql.NullDate{}, tds.Type{Kind: tds.Date}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []tds.Param
			b := &backend{batch: func(_ *session, _ string, params []tds.Param, out tds.Sink) ([]any, error) {
				got = params
				out.Done(tds.Done{})
				return nil, nil
			}}
			_, conn := connect(t, b)
			if _, err := conn.ExecContext(t.Context(), "x @p1, @p2", c.arg, int64(7)); err != nil {
				t.Fatal(err)
			}
			if len(got) != 2 || got[0].Name != "@p1" || got[0].Output || got[1].Name != "@p2" || got[1].Value != int64(7) {
				t.Fatalf("the parameters are %+v", got)
			}
			if got[0].Type != c.typ || !same(got[0].Value, c.value) {
				t.Errorf("the parameter is %v of %+v, want %v of %+v", got[0].Value, got[0].Type, c.value, c.typ)
			}
		})
	}
}
