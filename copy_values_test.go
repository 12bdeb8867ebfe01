package dualsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

// copiedKinds are columns of each type, and values for them.
var copiedKinds = []struct {
	typ    string
	values []any
}{
	{"smallint", []any{int16(-5), "12", nil}},
	{"integer", []any{int32(7), uint16(3), "-1", sql.NullInt64{}}},
	{"bigint", []any{int64(math.MaxInt64), math.MinInt64, "9007199254740993"}},
	{"real", []any{float32(1.5), math.Inf(1), "0.1"}},
	{"double precision", []any{0.1, math.NaN(), "-0"}},
	{"numeric", []any{"12345678901234567890.0100", 3, 1.25, "NaN", pgtype.Numeric{Valid: true}}},
	{"numeric(6,2)", []any{"1.005", 7}},
	{"boolean", []any{true, false, nil}},
	{"text", []any{"", "ä\x01\\", "now", nil}},
	{"varchar(5)", []any{"12345"}},
	{"char(4)", []any{"a"}},
	{"bytea", []any{[]byte{}, []byte{0, 255}, []byte(nil), `\x0102`}},
	{"date", []any{time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), "0001-01-01", "infinity"}},
	{"timestamp", []any{time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.UTC), "2024-02-29 01:02:03.000001"}},
	{"timestamptz", []any{time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.FixedZone("CET", 3600)), "2024-02-29 01:02:03+05:30", "-infinity"}},
	{"time", []any{"01:02:03.5"}},
	{"interval", []any{"1 year 2 mons -3 days 04:05:06.7", time.Minute}},
	{"uuid", []any{"b5f7a7d0-0000-4000-8000-000000000001", [16]byte{1, 2}}},
	{"json", []any{`{"b": 1,  "a": 1.0}`, "null"}},
	{"jsonb", []any{`{"b": 1,  "a": 1.0}`, []byte(`[1]`)}},
	{"inet", []any{"192.168.0.0/16", "::1"}},
	{"int[]", []any{[]int{1, 2}, "{{1,NULL},{3,4}}", "{}"}},
	{"text[]", []any{[]string{"a,b", ""}, `{"x\"y",NULL}`}},
	{"mood", []any{"glad", nil}},
	{"mood[]", nil},
	{"percent", []any{50, "7"}},
	{"int4range", []any{pgtype.Range[pgtype.Int4]{Lower: pgtype.Int4{Int32: 1, Valid: true}, Upper: pgtype.Int4{Int32: 5, Valid: true}, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true}}},
	{"bit(3)", []any{"101"}},
	{"point", []any{"(1,2.5)"}},
}

// withKinds creates a table for each of the kinds that has values, and a second one.
func (w *world) withKinds() {
	w.Helper()
	for side := range w.raw {
		w.exec(side, "create type mood as enum ('sad', 'glad'); create domain percent as int check (value between 0 and 100)")
		for i, k := range copiedKinds {
			w.exec(side, fmt.Sprintf("create table kind%d (id int primary key, v %s); create table plain%d (id int primary key, v %[2]s)", i, k.typ, i))
		}
	}
}

func copyKinds(to dualsql.Execer) error {
	for i, k := range copiedKinds {
		var rows [][]any
		for n, v := range k.values {
			rows = append(rows, []any{n, v})
		}
		if len(rows) == 0 {
			continue
		}
		if _, err := dualsql.CopyFrom(context.Background(), to, fmt.Sprint("kind", i), []string{"id", "v"}, dualsql.CopyRows(rows)); err != nil {
			return fmt.Errorf("%s: %w", k.typ, err)
		}
	}
	return nil
}

// A value that is copied is the same as one that is inserted, on both sides.
func TestCopyFromValues(t *testing.T) {
	on{primary: "postgres", secondary: "postgres"}.each(t, func(t *testing.T, w *world) {
		w.withKinds()
		n := w.openWarm()
		if err := copyKinds(n); err != nil {
			t.Fatal(err)
		}
		for i, k := range copiedKinds {
			for id, v := range k.values {
				if _, err := n.Exec(fmt.Sprintf("insert into plain%d values ($1, $2)", i), id, v); err != nil {
					t.Fatalf("%s: %v", k.typ, err)
				}
			}
			if len(k.values) > 0 {
				w.copiedAs(k.typ, fmt.Sprint("kind", i), fmt.Sprint("plain", i), len(k.values))
			}
		}
		_, err := dualsql.CopyFrom(context.Background(), n, "kind24", []string{"id", "v"}, dualsql.CopyRows([][]any{{1, "{glad}"}}))
		if err == nil || !strings.Contains(err.Error(), "column v is of the type mood[]") {
			t.Errorf("a type whose binary form is not known: %v", err)
		}
		_, err = dualsql.CopyFrom(context.Background(), n, "kind1", []string{"id", "v"}, dualsql.CopyRows([][]any{{100, 1}, {101, "x"}}))
		if err == nil || !strings.Contains(err.Error(), "column v") {
			t.Errorf("a value that is none: %v", err)
		}
		w.close(n)
		w.sameEverywhere()
	})
}

func (w *world) copiedAs(what, copied, inserted string, count int) {
	w.Helper()
	for side := range w.raw {
		read := func(table string) []string { return w.rows(side, fmt.Sprintf("(select id, v::text from %s) x", table)) }
		if c, p := read(copied), read(inserted); !slices.Equal(c, p) || len(c) != count {
			w.Errorf("%s: copied %q, inserted %q", what, c, p)
		}
	}
}

func init() { chaos.Register("copying", childCopies) }

// childCopies makes two copies, and a transaction of copies and another statement.
func childCopies() int {
	db := childPair()
	defer db.Close()
	dualsql.AtCrashpoints(chaos.Killer(os.Getenv("CRASH_AT")))
	ctx := context.Background()
	_, err := dualsql.CopyFrom(ctx, db, "item", itemColumns, dualsql.CopySeq(items(1, crashItems)))
	var tx *sql.Tx
	if err == nil {
		tx, err = db.BeginTx(ctx, nil)
	}
	if err == nil {
		_, err = tx.Exec("update item set n = -1 where id = 1")
	}
	if err == nil {
		_, err = dualsql.CopyFrom(ctx, tx, "item", itemColumns, dualsql.CopySeq(items(1+crashItems, crashItems)))
	}
	if err == nil && os.Getenv("KINDS") != "" {
		err = copyKinds(tx)
	}
	if err == nil {
		err = tx.Commit()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

const crashItems = 700

// A process that dies in the commit of its second transaction leaves all of its rows, or none, on both sides.
func TestCopyFromCrash(t *testing.T) {
	for _, c := range []struct {
		at     string
		copies int
	}{{"intent#2", 1}, {"decided#2", 2}} {
		t.Run(c.at, func(t *testing.T) {
			on{protocols: mending}.each(t, func(t *testing.T, w *world) {
				w.withItems()
				typed := w.engines == [2]string{"postgres", "postgres"}
				env := []string{"PAIR=" + w.DSN(), "CRASH_AT=" + c.at}
				if typed {
					w.withKinds()
					env = append(env, "KINDS=1")
				}
				chaos.Child(t, "copying", env...).WaitKilled(t)
				n, _ := w.recover()
				w.pending(n)
				w.close(n)
				w.holds("item", c.copies*crashItems)
				if typed {
					w.sameEverywhere()
				}
			})
		})
	}
}

// Rows that a trigger skips on both sides are skipped again by the redo.
func TestCopyFromCrashSkippedRows(t *testing.T) {
	on{protocols: underMarker, primary: "postgres", secondary: "postgres", options: "mirror=statement"}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		for side := range w.raw {
			w.exec(side, "create function skip() returns trigger language plpgsql as 'begin return null; end'")
			w.exec(side, "create trigger skips before insert on item for each row when (new.id % 100 = 50) execute function skip()")
		}
		chaos.Child(t, "copying", "PAIR="+w.DSN(), "CRASH_AT=decided#2").WaitKilled(t)
		n, _ := w.recover()
		w.pending(n)
		w.holds("item", 2*crashItems-2*crashItems/100)
	})
}
