package dualsql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

var itemColumns = []string{"id", "v", "n"}

// withItems creates the table that the tests of copies write to.
func (w *world) withItems() {
	w.Helper()
	for side := range w.raw {
		w.exec(side, "create table item (id int primary key, v varchar(100), n bigint)")
	}
}

// items are rows from first on, with what is easily mistaken among them.
func items(first, count int) iter.Seq2[[]any, error] {
	row := make([]any, 3) // is used again for each row
	return func(yield func([]any, error) bool) {
		for id := first; id < first+count; id++ {
			row[0], row[1], row[2] = id, fmt.Sprintf("item %d", id), int64(id)<<33
			switch id % 5 {
			case 1:
				row[1], row[2] = "", nil
			case 2:
				row[1] = nil
			case 3:
				row[1] = "ä\t\\.\"'\n,"
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// failing are rows that an error ends.
func failing(rows iter.Seq2[[]any, error], err error) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		yield(nil, err)
	}
}

// holds fails unless both sides have the same so many rows.
func (w *world) holds(table string, count int) {
	w.Helper()
	p, s := w.rows(primary, table), w.rows(secondary, table)
	if len(p) != count || !slices.Equal(p, s) {
		w.Errorf("%s has %d rows on the primary and %d on the secondary, want %d and the same: %.500q %.500q", table, len(p), len(s), count, p, s)
	}
}

func (w *world) copyItems(to dualsql.Execer, first, count int) {
	w.Helper()
	if n, err := dualsql.CopyFrom(context.Background(), to, "item", itemColumns, dualsql.CopySeq(items(first, count))); n != int64(count) || err != nil {
		w.Fatalf("CopyFrom returned %d, %v, want %d", n, err, count)
	}
}

// manyItems are several chunks.
const manyItems = 12_000

func TestCopyFrom(t *testing.T) {
	on{}.each(t, func(t *testing.T, w *world) {
		many := 3000
		if w.engines == [2]string{"postgres", "postgres"} {
			many = manyItems
		}
		w.withItems()
		n := w.openWarm()
		w.copyItems(n, 1, many)
		w.copyItems(n, 0, 0)
		w.holds("item", many)

		tx := w.begin(n, nil)
		if _, err := tx.Exec("insert into item values (?, 'before', 1)", many+1); err != nil {
			t.Fatal(err)
		}
		w.copyItems(tx, many+2, 300)
		for _, text := range []string{"update item set n = n + 1 where id > ?", "delete from item where id = ?"} {
			if _, err := tx.Exec(text, many+1); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		w.holds("item", many)

		tx = w.begin(n, nil)
		if _, err := tx.Exec("insert into item values (?, 'before', 1)", many+1); err != nil {
			t.Fatal(err)
		}
		w.copyItems(tx, many+2, 300)
		if _, err := tx.Exec("update item set n = n + 1 where id > ?", many); err != nil {
			t.Fatal(err)
		}
		w.copyItems(tx, many+302, 3) // the last statement
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		w.holds("item", many+304)
		w.pending(n)
	})
}

// A source that fails leaves nothing on either side, and the transaction as PostgreSQL leaves one in which a COPY has failed.
func TestCopyFromSourceFails(t *testing.T) {
	ctx := context.Background()
	on{}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		n := w.openWarm()
		broken := errors.New("the file ends here")
		for what, c := range map[string]struct {
			columns []string
			rows    dualsql.CopySource
			is      error
			says    string
		}{
			"at once":            {itemColumns, dualsql.CopySeq(failing(items(0, 0), broken)), broken, "behind row 0"},
			"half way":           {itemColumns, dualsql.CopySeq(failing(items(1, manyItems), broken)), broken, "behind row 12000"},
			"with a short row":   {itemColumns, dualsql.CopyRows([][]any{{1, "a", 1}, {2, "b"}}), nil, "row 2: it has 2 values for 3 columns"},
			"by a value":         {itemColumns, dualsql.CopyRows([][]any{{1, "a", 1}, {2, noValue{}, 2}}), errValue, "row 2: column v"},
			"by a lost source":   {itemColumns, dualsql.CopySeq(failing(items(1, 3), driver.ErrBadConn)), nil, "behind row 3"},
			"for want of column": {[]string{"id", "w"}, dualsql.CopyRows([][]any{{1, 2}}), nil, "w"},
		} {
			if what == "half way" && w.engines != [2]string{"postgres", "postgres"} {
				c.rows, c.says = dualsql.CopySeq(failing(items(1, 1000), broken)), "behind row 1000"
			}
			tx := w.begin(n, nil)
			if _, err := tx.Exec("insert into item values (?, 'before', 1)", 0); err != nil {
				t.Fatal(err)
			}
			_, err := dualsql.CopyFrom(ctx, tx, "item", c.columns, c.rows)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: CopyFrom: %v", what, err)
			}
			if _, err := tx.Exec("insert into item values (?, 'behind', 1)", 5); err == nil {
				t.Errorf("%s: the transaction goes on", what)
			}
			if err := tx.Commit(); err == nil || outcomeOf(err) != dualsql.RolledBack {
				t.Errorf("%s: Commit: %v", what, err)
			}
			w.holds("item", 0)
		}
		if _, err := dualsql.CopyFrom(ctx, n, "item", itemColumns, dualsql.CopySeq(failing(items(1, 3000), broken))); !errors.Is(err, broken) {
			t.Errorf("outside of a transaction: %v", err)
		}
		// database/sql runs a statement again when it sees ErrBadConn, and the source has no row twice.
		lost := 0
		_, err := dualsql.CopyFrom(ctx, n, "item", itemColumns, dualsql.CopySeq(func(yield func([]any, error) bool) {
			lost++
			yield(nil, driver.ErrBadConn)
		}))
		if err == nil || errors.Is(err, driver.ErrBadConn) || lost != 1 {
			t.Errorf("a source that has lost its connection: %v, asked %d times", err, lost)
		}
		w.holds("item", 0)
		w.pending(n)
		w.is(w.writes(n, 1)-1, both)
	})
}

var errValue = errors.New("no value")

type noValue struct{}

func (noValue) Value() (driver.Value, error) { return nil, errValue }

// On PostgreSQL a transaction in which a copy has failed goes on from a savepoint.
func TestCopyFromSavepoint(t *testing.T) {
	on{primary: "postgres", protocols: mending}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		n := w.openWarm()
		tx := w.begin(n, nil)
		run := func(text string) {
			t.Helper()
			if _, err := tx.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		run("insert into item values (0, 'before', 0)")
		for _, rows := range []iter.Seq2[[]any, error]{failing(items(1, manyItems), errValue), items(-10, 20)} {
			run("savepoint a")
			if _, err := dualsql.CopyFrom(context.Background(), tx, "item", itemColumns, dualsql.CopySeq(rows)); err == nil {
				t.Fatal("CopyFrom: no error")
			}
			run("rollback to savepoint a")
		}
		w.copyItems(tx, 1, 10)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		w.holds("item", 11)
	})
}

// What one side alone refuses is on neither.
func TestCopyFromOneSideRefuses(t *testing.T) {
	ctx := context.Background()
	on{}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		n := w.openWarm()
		for side := range w.raw {
			w.exec(side, "insert into item values (777, 'in the way', 0)")
			tx := w.begin(n, nil)
			_, inTx := dualsql.CopyFrom(ctx, tx, "item", itemColumns, dualsql.CopySeq(items(1, 1000)))
			if inTx == nil {
				inTx = tx.Commit()
			}
			if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
				t.Error(err)
			}
			_, single := dualsql.CopyFrom(ctx, n, "item", itemColumns, dualsql.CopySeq(items(1, 1000)))
			for what, err := range map[string]error{"in a transaction": inTx, "alone": single} {
				w.told(err, dualsql.RolledBack)
				var named *dualsql.SideError
				var pe *pgconn.PgError
				if errors.As(err, &named) != (side == secondary) || named != nil && named.Side != "secondary" {
					t.Errorf("%s: %v does not name the side, or is not the primary's own error", what, err)
				}
				if w.engines[side] == "postgres" && (!errors.As(err, &pe) || pe.Code != "23505") {
					t.Errorf("%s: %v is not the database's own error", what, err)
				}
			}
			if p, s := w.count(primary, "select count(*) from item"), w.count(secondary, "select count(*) from item"); p+s != 1 {
				t.Errorf("the primary has %d rows, the secondary %d", p, s)
			}
			w.exec(side, "delete from item where id = 777")
		}
		w.pending(n)
		w.is(w.writes(n, 1)-1, both)
	})
}

// A secondary that skips rows differs, and the numbers of rows say so.
func TestCopyFromDivergence(t *testing.T) {
	on{primary: "postgres", secondary: "postgres", options: "mirror=statement"}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		w.exec(secondary, "create function skip() returns trigger language plpgsql as 'begin return null; end'")
		w.exec(secondary, "create trigger skips before insert on item for each row when (new.id = 500) execute function skip()")
		n := w.openWarm()
		_, err := dualsql.CopyFrom(context.Background(), n, "item", itemColumns, dualsql.CopySeq(items(1, 1000)))
		var d *dualsql.DivergenceError
		if !errors.As(err, &d) || d.Primary != 1000 || d.Secondary != 999 {
			t.Errorf("got %v, want a *DivergenceError", err)
		}
		w.holds("item", 0)
	})
}

func TestCopyFromRedoTooLarge(t *testing.T) {
	on{protocols: []dualsql.Protocol{dualsql.Marker, dualsql.BestEffort}, options: "journal.redo_limit=100000"}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		n := w.openWarm()
		w.copyItems(n, 1, 100)
		if _, err := dualsql.CopyFrom(context.Background(), n, "item", itemColumns, dualsql.CopySeq(items(1000, 5000))); !errors.Is(err, dualsql.ErrRedoTooLarge) {
			t.Errorf("got %v, want ErrRedoTooLarge", err)
		}
		w.holds("item", 100)
	})
}

// Under 2pc nothing of the rows goes into the journal.
func TestCopyFromWithoutRedo(t *testing.T) {
	on{protocols: underTwoPhase, options: "journal.redo_limit=10000"}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		n := w.openWarm()
		w.copyItems(n, 1, 3000)
		w.holds("item", 3000)
	})
}

// The caller gives up while the source still has rows.
func TestCopyFromCancelled(t *testing.T) {
	chaos.CheckGoroutines(t)
	for _, inTx := range []bool{false, true} {
		on{alone: true, protocols: mending, primary: "postgres"}.each(t, func(t *testing.T, w *world) {
			w.withItems()
			n := w.openWarm()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var to dualsql.Execer = n
			var tx *sql.Tx
			if inTx {
				tx = w.begin(n, nil)
				to = tx
			}
			asked := 0
			_, err := dualsql.CopyFrom(ctx, to, "item", itemColumns, dualsql.CopySeq(func(yield func([]any, error) bool) {
				for row := range items(1, 10*manyItems) {
					if asked++; asked == manyItems {
						cancel()
					}
					if !yield(row, nil) {
						return
					}
				}
			}))
			if !errors.Is(err, context.Canceled) || asked > 3*manyItems {
				t.Errorf("CopyFrom: %v, after %d rows", err, asked)
			}
			if inTx {
				if err := tx.Commit(); err == nil || outcomeOf(err) != dualsql.RolledBack {
					t.Errorf("Commit: %v", err)
				}
			}
			w.holds("item", 0)
			w.is(w.writes(n, 1)-1, both)
			w.close(n)
		})
	}
}

// A secondary that does not follow holds the source back.
func TestCopyFromWaitsForSecondary(t *testing.T) {
	on{protocols: mending, secondary: "postgres", primary: "postgres"}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		for side := range w.raw {
			w.exec(side, "alter table item alter v type text")
		}
		n := w.openWarm()
		lock, err := w.raw[secondary].Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Rollback()
		if _, err := lock.Exec("lock table item in exclusive mode"); err != nil {
			t.Fatal(err)
		}
		const rows = 10_000
		var asked atomic.Int64
		result := make(chan error, 1)
		go func() {
			_, err := dualsql.CopyFrom(context.Background(), n, "item", itemColumns, dualsql.CopySeq(func(yield func([]any, error) bool) {
				for id := range rows {
					asked.Add(1)
					if !yield([]any{id, strings.Repeat("x", 1000), 1}, nil) {
						return
					}
				}
			}))
			result <- err
		}()
		last, since := int64(0), time.Now()
		w.eventually("no more rows are asked for", func() bool {
			if got := asked.Load(); got != last || got == 0 {
				last, since = got, time.Now()
			}
			return time.Since(since) > time.Second
		})
		if last > rows*6/10 {
			t.Errorf("%d rows were taken from the source while the secondary stood still", last)
		}
		if err := lock.Rollback(); err != nil {
			t.Fatal(err)
		}
		w.result(result, dualsql.Committed)
		w.holds("item", rows)
	})
}

// counted counts how often it is asked.
type counted struct {
	calls *int
	value string
}

func (c counted) Value() (driver.Value, error) {
	*c.calls++
	return fmt.Sprintf("%s %d", c.value, *c.calls), nil
}

func TestCopyFromAsksValuersOnce(t *testing.T) {
	on{protocols: mending}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		n := w.openWarm()
		calls := 0
		rows := [][]any{{1, counted{&calls, "a"}, 1}, {2, (*counted)(nil), 2}, {3, &counted{&calls, "b"}, sql.NullInt64{}}}
		if _, err := dualsql.CopyFrom(context.Background(), n, "item", itemColumns, dualsql.CopyRows(rows)); err != nil || calls != 2 {
			t.Errorf("%d calls, %v", calls, err)
		}
		if got := w.rows(secondary, "item"); !slices.Equal(got, []string{`"1","a 1","1"`, `"2",NULL,"2"`, `"3","b 2",NULL`}) {
			t.Errorf("the secondary has %q", got)
		}
		w.holds("item", 3)
	})
}

// What columns that are not named get is the primary's, on both sides, or it is refused.
func TestCopyFromDefaults(t *testing.T) {
	ctx := context.Background()
	for _, mode := range []dualsql.Mirror{dualsql.MirrorMixed, dualsql.MirrorRow} {
		on{protocols: mending, primary: "postgres", secondary: "postgres", options: "mirror=" + string(mode)}.each(t, func(t *testing.T, w *world) {
			for side := range w.raw {
				w.exec(side, "create table entries (id bigint generated always as identity primary key, v text, at timestamptz default clock_timestamp(), u uuid default gen_random_uuid(), w text generated always as (v || '!') stored)")
				w.exec(side, "create table notes (id int primary key, v text default 'none')")
				w.exec(side, "create table watched (id int primary key)")
				w.exec(side, "create function watches() returns trigger language plpgsql as 'begin insert into notes values (new.id); return new; end'")
				w.exec(side, "create trigger watches before insert on watched for each row execute function watches()")
			}
			w.exec(secondary, "insert into entries (v) values ('a'); delete from entries") // its sequence is elsewhere
			n := w.openWarm()
			values := func(count int, more ...any) dualsql.CopySource {
				return dualsql.CopySeq(func(yield func([]any, error) bool) {
					for i := range count {
						if !yield(append([]any{fmt.Sprint("now ", i)}, more...), nil) {
							return
						}
					}
				})
			}
			if got, err := dualsql.CopyFrom(ctx, n, "entries", []string{"v"}, values(1000)); got != 1000 || err != nil {
				t.Fatalf("CopyFrom = %d, %v", got, err)
			}
			if got, err := dualsql.CopyFrom(ctx, n, "entries", []string{"v", "id", "at", "u"}, values(1, 5000, "2024-05-06 07:08:09+02", "b5f7a7d0-0000-4000-8000-000000000001")); got != 1 || err != nil {
				t.Fatalf("CopyFrom = %d, %v", got, err)
			}
			if got, err := dualsql.CopyFrom(ctx, n, "notes", []string{"id"}, dualsql.CopyRows([][]any{{1}, {2}})); got != 2 || err != nil {
				t.Fatalf("CopyFrom = %d, %v", got, err)
			}
			_, err := dualsql.CopyFrom(ctx, n, "watched", []string{"id"}, dualsql.CopyRows([][]any{{7}}))
			if !errors.Is(err, dualsql.ErrNotMirrored) || !strings.Contains(err.Error(), "watches") {
				t.Errorf("a table with a trigger that writes: %v", err)
			}
			if _, err := dualsql.CopyFrom(dualsql.WithMirror(ctx), n, "watched", []string{"id"}, dualsql.CopyRows([][]any{{7}})); err != nil {
				t.Errorf("under WithMirror: %v", err)
			}
			w.close(n)
			w.sameEverywhere()
			if got := w.count(secondary, "select count(*) from entries"); got != 1001 {
				t.Errorf("entries has %d rows", got)
			}
			if got := w.count(secondary, "select count(*) from notes where v = 'none'"); got != 3 {
				t.Errorf("notes has %d rows", got)
			}
		})
	}
}

// Names are taken as they stand.
func TestCopyFromNames(t *testing.T) {
	ctx := context.Background()
	on{protocols: underTwoPhase, primary: "postgres", secondary: "postgres"}.each(t, func(t *testing.T, w *world) {
		for side := range w.raw {
			w.exec(side, `create schema "Shop"`)
			w.exec(side, `create table "Shop"."Order.""1" ("Id" int primary key, "a""b" text)`)
			w.exec(side, `create table plain (id int)`)
		}
		n := w.openWarm()
		for i, name := range []string{`Shop."Order.""1"`, `"Shop"."Order.""1"`} {
			if _, err := dualsql.CopyFrom(ctx, n, name, []string{"Id", `a"b`}, pgx.CopyFromRows([][]any{{i, "x"}})); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.holds(`"Shop"."Order.""1"`, 2)
		if _, err := dualsql.CopyFrom(ctx, n, "Plain", []string{"id"}, dualsql.CopyRows([][]any{{1}})); err == nil {
			t.Error("the name of a table that is not there: no error")
		}
		for _, name := range []string{"", ".", "a.", ".a", "a.b.c", `"a`, `"a"b`, `""`} {
			if _, err := dualsql.CopyFrom(ctx, n, name, []string{"id"}, dualsql.CopyRows([][]any{{1}})); err == nil || !strings.Contains(err.Error(), "no table's name") {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}

// What a copy cannot be is said before anything is taken from the source.
func TestCopyFromRefused(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, [2]string{"postgres", "postgres"}, dualsql.TwoPhase, "")
	w.withItems()
	n := w.openWarm()
	asked := false
	source := dualsql.CopySeq(func(func([]any, error) bool) { asked = true })
	for what, run := range map[string]func() error{
		"no columns": func() error { return only(dualsql.CopyFrom(ctx, n, "item", nil, source)) },
		"primary only": func() error {
			return only(dualsql.CopyFrom(dualsql.WithPrimaryOnly(ctx), n, "item", itemColumns, source))
		},
		"of its own": func() error {
			return only(dualsql.CopyFrom(dualsql.WithSecondarySQL(ctx, "select 1"), n, "item", itemColumns, source))
		},
		"is read-only": func() error {
			return only(dualsql.CopyFrom(ctx, w.begin(n, &sql.TxOptions{ReadOnly: true}), "item", itemColumns, source))
		},
		"is another's":   func() error { return only(dualsql.CopyFrom(ctx, sqliteDB(t), "item", itemColumns, source)) },
		"generic engine": func() error { return only(dualsql.CopyFrom(ctx, newMocks(t).db, "item", itemColumns, source)) },
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), strings.Replace(what, "primary only", "WithPrimaryOnly", 1)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if asked {
		t.Error("a row was asked for")
	}
}

func sqliteDB(t *testing.T) *sql.DB {
	db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/a.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A connection that has copied into a table copies into it again when the table has changed.
func TestCopyFromChangedTable(t *testing.T) {
	on{protocols: mending, primary: "postgres", secondary: "postgres"}.each(t, func(t *testing.T, w *world) {
		w.withItems()
		n := w.openWarm()
		n.SetMaxOpenConns(1)
		w.copyItems(n, 1, 10)
		if _, err := n.Exec("alter table item alter n type numeric, alter id type bigint"); err != nil {
			t.Fatal(err)
		}
		w.eventually("it is copied into again", func() bool {
			_, err := dualsql.CopyFrom(context.Background(), n, "item", itemColumns, dualsql.CopySeq(items(11, 10)))
			return err == nil
		})
		w.holds("item", 20)
		if !reflect.DeepEqual(w.everything(primary), w.everything(secondary)) {
			t.Error("the sides differ")
		}
	})
}

// A NULL among bytes is one of bytes.
func TestCopyFromBytes(t *testing.T) {
	types := map[string]string{"postgres": "bytea", "sqlite": "blob", "sqlserver": "varbinary(max)"}
	on{protocols: mending}.each(t, func(t *testing.T, w *world) {
		for side, engine := range w.engines {
			w.exec(side, "create table bytes (id int primary key, b "+types[engine]+")")
		}
		n := w.openWarm()
		rows := [][]any{{1, nil}, {2, []byte{0, 0xff}}, {3, []byte{}}, {4, []byte(nil)}, {5, nil}}
		if _, err := dualsql.CopyFrom(context.Background(), n, "bytes", []string{"id", "b"}, dualsql.CopyRows(rows)); err != nil {
			t.Fatal(err)
		}
		w.holds("bytes", 5)
		for side := range w.raw {
			if got := w.count(side, "select count(*) from bytes where b is null"); got != 3 {
				t.Errorf("side %d has %d NULLs", side, got)
			}
		}
	})
}
