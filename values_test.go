package dualsql_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	mssql "github.com/microsoft/go-mssqldb"
)

// A kind is a pair of column types that hold the same values on both vendors: docs/sqlserver.md has the table.
type kind struct {
	name, postgres, sqlserver string
	values                    []any
	// canonical writes a value that the application passes, or that a driver reads, in a form that is equal where the values are.
	canonical func(any) string
}

var kinds = []kind{
	{"bool", "boolean", "bit", []any{true, false}, plainly},
	{"smallint", "smallint", "smallint", []any{int16(math.MinInt16), int64(math.MaxInt16), 0}, plainly},
	{"int", "integer", "int", []any{int32(math.MinInt32), math.MaxInt32, -1}, plainly},
	{"bigint", "bigint", "bigint", []any{int64(math.MinInt64), int64(math.MaxInt64)}, plainly},
	{"numeric", "numeric(18,4)", "decimal(18,4)", []any{"12345678901234.5678", "-0.0001", "7", int64(-3)}, asDecimal},
	{"float", "double precision", "float", []any{0.1, -1e300, 5e-300, math.Pi, 0.0, math.MaxFloat64}, plainly},
	{"real", "real", "real", []any{0.5, float32(-0.1)}, plainly},
	{"text", "text", "nvarchar(max)", texts, plainly},
	{"varchar", "varchar(100)", "nvarchar(100)", texts, plainly},
	{"bytes", "bytea", "varbinary(max)", []any{[]byte{0, 1, 255}, []byte{}, []byte(nil), bytes.Repeat([]byte("x"), 9000)}, asBytes},
	{"uuid", "uuid", "uniqueidentifier", []any{someUUID.String(), strings.ToUpper(someUUID.String()), someUUID, mssql.UniqueIdentifier(someUUID)}, asUUID},
	{"date", "date", "date", []any{time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 0, 0, time.UTC), "2026-11-27"}, asTime("2006-01-02", false)},
	{"time", "time(6)", "time(6)", []any{"23:59:59.999999", "00:00:00"}, asTime("15:04:05.999999", false)},
	{"timestamp", "timestamp(6)", "datetime2(6)", []any{time.Date(2026, 11, 27, 13, 14, 15, 123456000, time.UTC), time.Date(1900, 1, 1, 0, 0, 0, 1000, time.UTC),
		time.Date(2026, 6, 1, 12, 0, 0, 999999000, time.FixedZone("", 5*3600+1800)), "1999-12-31 23:59:59.5"}, asTime("2006-01-02 15:04:05.999999", false)},
	{"timestamptz", "timestamptz(6)", "datetimeoffset(6)", []any{time.Date(2026, 11, 27, 13, 14, 15, 123456000, time.UTC),
		time.Date(2026, 11, 27, 23, 59, 59, 999999000, time.FixedZone("", -7*3600)), time.Date(1969, 12, 31, 23, 59, 59, 1000, time.FixedZone("", 14*3600))},
		asTime("2006-01-02 15:04:05.999999", true)},
	{"json", "json", "nvarchar(max)", []any{`{"b": [1, 2.50],  "a": "😀"}`}, plainly},
}

var (
	someUUID = uuid.MustParse("01234567-89ab-4def-8123-456789abcdef")
	texts    = []any{"", "a", "trailing  ", " ", "naïve Ωmega", "日本語", "😀 beyond the BMP", "it's", "line\r\n\ttab", strings.Repeat("x", 100)}
)

func plainly(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case float32:
		return fmt.Sprint(float64(v))
	}
	return fmt.Sprint(v)
}

func asBytes(v any) string { return fmt.Sprintf("%x", v) }

func asDecimal(v any) string {
	r, ok := new(big.Rat).SetString(plainly(v))
	if !ok {
		return plainly(v)
	}
	return r.FloatString(4)
}

func asUUID(v any) string {
	if raw, ok := v.([]byte); ok && len(raw) == 16 { // SQL Server's order
		var id mssql.UniqueIdentifier
		if err := id.Scan(raw); err != nil {
			return err.Error()
		}
		v = id
	}
	return strings.ToLower(plainly(v))
}

// asTime takes the clock on the wall, or the instant.
func asTime(layout string, instant bool) func(any) string {
	return func(v any) string {
		t, ok := v.(time.Time)
		if !ok {
			var err error
			if t, err = time.Parse(layout, plainly(v)); err != nil {
				return err.Error()
			}
		}
		if instant {
			t = t.UTC()
		}
		return t.Format(layout)
	}
}

// TestValuesAcrossVendors: what the application passes is the same on both sides, and reads back as it was passed. Under marker
// the journal is asked for the values too.
func TestValuesAcrossVendors(t *testing.T) {
	on{protocols: mending, vendors: true}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		for _, k := range kinds {
			for side, engine := range w.engines {
				column := k.postgres
				if engine == "sqlserver" {
					column = k.sqlserver
				}
				w.exec(side, fmt.Sprintf("create table v_%s (id int primary key, v %s null)", k.name, column))
			}
			null := any(nil)
			if k.name == "bytes" {
				null = []byte(nil) // SQL Server takes an untyped NULL for text
			}
			for id, v := range append(slices.Clone(k.values), null) {
				if _, err := n.Exec("insert into v_"+k.name+" (id, v) values (?, ?)", id, v); err != nil {
					t.Errorf("%s: %#v: %v", k.name, v, err)
					continue
				}
				want := "NULL"
				if b, isBytes := v.([]byte); v != nil && (!isBytes || b != nil) {
					want = k.canonical(v)
				}
				if p, s := w.value(k, primary, id), w.value(k, secondary, id); p != want || s != want {
					t.Errorf("%s: %#v is %s on the primary, %s on the secondary, want %s", k.name, v, p, s, want)
				}
			}
		}
		var found int
		if err := n.QueryRow("select count(*) from v_uuid where v = ?", mssql.UniqueIdentifier(someUUID)).Scan(&found); err != nil || found != 4 {
			t.Errorf("a UUID in SQL Server's own type finds %d rows, %v", found, err)
		}
	})
}

func (w *world) value(k kind, side, id int) string {
	w.Helper()
	var v any
	if err := w.raw[side].QueryRow(fmt.Sprintf("select v from v_%s where id = %d", k.name, id)).Scan(&v); err != nil {
		w.Fatalf("%s: %s: %v", w.engines[side], k.name, err)
	}
	if v == nil {
		return "NULL"
	}
	return k.canonical(v)
}

// TestValuesThatDoNotCross: a value that one of the sides would store as another is an error before anything runs, or is cut for
// both alike where the primary's own driver cuts it.
func TestValuesThatDoNotCross(t *testing.T) {
	on{protocols: mending, vendors: true}.each(t, func(t *testing.T, w *world) {
		for side, engine := range w.engines {
			column := map[string]string{"postgres": "timestamptz", "sqlserver": "datetimeoffset"}[engine]
			w.exec(side, "create table moment (id int primary key, v "+column+")")
		}
		n := w.openWarm()
		same := w.engines[0] == w.engines[1]
		const text = "insert into moment values (?, ?)"
		fine := time.Date(2026, 11, 27, 13, 14, 15, 123456700, time.UTC)
		_, err := n.Exec(text, 1, fine)
		if refused := w.engines[0] == "sqlserver" && !same; refused != (err != nil) {
			t.Errorf("a time of 100 ns: %v", err)
		} else if refused && !strings.Contains(err.Error(), "Truncate(time.Microsecond)") {
			t.Errorf("%v does not say what to do", err)
		}
		moments := func(side int) (all []time.Time) {
			rows, err := w.raw[side].Query("select v from moment order by id")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var v time.Time
				if err := rows.Scan(&v); err != nil {
					t.Fatal(err)
				}
				all = append(all, v.UTC())
			}
			return all
		}
		if p, s := moments(primary), moments(secondary); !slices.EqualFunc(p, s, time.Time.Equal) || (len(p) == 1) != (err == nil) {
			t.Errorf("the sides have %v and %v", p, s)
		}
		if _, err := n.Exec("insert into entry values (1, ?)", "not UTF-8: \xff"); err == nil && !same {
			t.Error("text that is not UTF-8 is taken")
		}
		for what, v := range map[string]any{"too long": strings.Repeat("x", 101), "no number": math.NaN()} {
			text := "insert into entry values (2, ?)"
			if what == "no number" {
				for side := range w.raw {
					w.exec(side, "create table number (v float)")
				}
				text = "insert into number values (?)"
			}
			if _, err := n.Exec(text, v); err == nil {
				t.Errorf("%s is taken", what)
			}
		}
		w.pending(n)
		if !same {
			w.same()
		}
	})
}

// sql.Out and ReturnStatus give what the primary's procedure gives; the secondary runs it too.
func TestProcedureOutputs(t *testing.T) {
	on{primary: "sqlserver", secondary: "sqlserver"}.each(t, func(t *testing.T, w *world) {
		for side, answer := range []int{7, 8} {
			w.exec(side, fmt.Sprintf("create procedure give @id int, @answer int output as begin insert into parent values (@id); set @answer = @answer + %d; return 3; end", answer))
		}
		n := w.openWarm()
		answer := 100
		var status mssql.ReturnStatus
		_, err := n.Exec("give", sql.Named("id", 5), sql.Named("answer", sql.Out{Dest: &answer, In: true}), &status)
		if err != nil || answer != 107 || status != 3 {
			t.Errorf("the answer is %d, the status %d, %v", answer, status, err)
		}
		for side := range w.raw {
			if got := w.count(side, "select count(*) from parent where id = 5"); got != 1 {
				t.Errorf("side %d has %d rows", side, got)
			}
		}
	})
}
