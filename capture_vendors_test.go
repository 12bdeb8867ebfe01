package dualsql_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql"
)

// vendorTables are the tables of a PostgreSQL primary on another engine.
var vendorTables = map[string]string{
	"sqlite": `create table item (id integer primary key, r double, f double, u text, at timestamp, d date, ts timestamp, ok boolean, b blob, n bigint, v varchar(20), c text,
		twice bigint generated always as (n * 2) stored)`,
	"sqlserver": `create table item (id int primary key, r float, f real, u uniqueidentifier, at datetimeoffset(6), d date, ts datetime2(6), ok bit, b varbinary(max), n bigint, v nvarchar(40), c nvarchar(max))`,
}

// TestRowModeVendors: a secondary of another engine gets the primary's rows as well.
func TestRowModeVendors(t *testing.T) {
	t.Parallel()
	for engine, mode := range map[string]string{"sqlite": "mirror=row", "sqlserver": "mirror=auto"} {
		on{protocols: mending, primary: "postgres", secondary: engine, options: mode}.each(t, func(t *testing.T, w *world) {
			w.exec(primary, `create table item (id int generated always as identity primary key, r float8 default random(), f float4 default random(), u uuid default gen_random_uuid(),
				at timestamptz default now(), d date default current_date, ts timestamp default localtimestamp, ok boolean default random() < 0.5, b bytea default decode(md5(random()::text), 'hex'),
				n bigint default (random() * 1e15)::bigint, v varchar(20) default current_user, c text default md5(random()::text), twice bigint generated always as (n * 2) stored)`)
			w.exec(secondary, vendorTables[engine])
			if engine == "sqlserver" {
				w.exec(primary, "alter table item drop column twice") // the endpoint has no computed columns
			}
			for side := range w.raw {
				w.exec(side, "create table pair (a varchar(9), b int, v text, primary key (a, b))")
				w.exec(side, "create table precise (id int primary key, n numeric, j text)")
			}
			n := w.open()
			for _, s := range []rowStep{
				do(1, "insert into item (v) values ($1)", "a"), ask([]string{"int64:2", "int64:3"}, "insert into item (c) values ('x'), (null) returning id"),
				do(100, "insert into item (v, n) select 'row ' || i, i from generate_series(1, 100) i"), do(1, "insert into item (id, r, v) overriding system value values (3, 1e300, 'b') on conflict (id) do update set r = excluded.r, at = '1890-01-01 12:00:00.5+01'"),
				do(2, "update item set u = gen_random_uuid(), ok = null, b = '', d = 'tomorrow' where id in (select id from item limit 2)"), do(0, "update item set r = 1 where id < 0"), do(0, "delete from item where id < 0"),
				do(50, "delete from item where id > 50 and random() < 2 and id <= 100"), do(2, "insert into pair values ('x', 1, now()::text), ('y', 2, 'it''s')"), do(1, "insert into pair values ('x', 1), ('z', 1) on conflict do nothing"),
				do(2, "update pair set v = random()::text where b = 1"), do(2, "delete from pair where (a, b) in (select a, b from pair order by a limit 2)"),
				do(9000, "insert into pair select 'many', i, random()::text from generate_series(1, 9000) i"),
			} {
				if err := s.play(w, context.Background(), n); err != nil {
					t.Fatalf("%s: %v", s.text, err)
				}
			}
			if _, err := n.Exec("insert into precise values (1, 1.50, '')"); !errors.Is(err, dualsql.ErrNotMirrored) {
				t.Errorf("a numeric column: %v", err)
			}
			if _, err := n.Exec("insert into item (r) values ('NaN')"); err == nil || !strings.Contains(err.Error(), "column r") {
				t.Errorf("NaN: %v", err)
			}
			w.close(n)
			for _, table := range []string{"item", "pair", "precise"} {
				var got [2][]string
				for side := range w.raw {
					all, err := diffQuery(context.Background(), w.raw[side], "select * from "+table, nil)
					if err != nil {
						t.Fatal(err)
					}
					got[side] = all.sorted(vendorValue)
				}
				if !slices.Equal(got[primary], got[secondary]) {
					t.Errorf("%s differs:\n  primary   %.3000q\n  secondary %.3000q", table, got[primary], got[secondary])
				}
			}
		})
	}
}

// TestMirrorAuto: without being asked, SQL Server gets rows, and SQLite texts, for types of which it has no exact value too.
func TestMirrorAuto(t *testing.T) {
	t.Parallel()
	on{protocols: mending, primary: "postgres"}.each(t, func(t *testing.T, w *world) {
		n := w.openWarm()
		w.exec(primary, "create table precise (id int primary key, n numeric(9,2), made text)")
		w.exec(secondary, map[string]string{
			"postgres": "create table precise (id int primary key, n numeric(9,2), made text)", "sqlite": "create table precise (id int primary key, n numeric, made text)",
			"sqlserver": "create table precise (id int primary key, n decimal(9,2), made nvarchar(50))",
		}[w.engines[secondary]])
		made := "md5(random()::text)"
		if w.engines[secondary] == "sqlite" {
			made = "lower('MADE')"
		}
		for _, text := range []string{"insert into precise values (1, 1.5, " + made + ")", "update precise set n = n + 1", "update account set n = n"} {
			if _, err := n.Exec(text); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
		const seen = "(select id, made from precise) p"
		if one := w.rows(primary, seen); !slices.Equal(one, w.rows(secondary, seen)) {
			t.Errorf("precise has %q on the primary, %q on the secondary", one, w.rows(secondary, seen))
		}
	})
}

// vendorValue is equal for the same value on two engines.
func vendorValue(v any) string {
	switch v := v.(type) {
	case []byte:
		if len(v) > 0 && strings.Trim(string(v), "-.0123456789") == "" { // a decimal
			return diffPortable(string(v))
		}
		if len(v) != 16 || v[6]>>4 != 4 && v[7]>>4 != 4 { // no UUID of version 4
			return fmt.Sprintf("%x", v)
		}
		var u mssql.UniqueIdentifier
		if err := u.Scan(v); err != nil {
			return err.Error()
		}
		return diffPortable(strings.ToLower(u.String()))
	case float64:
		return fmt.Sprint(float32(v), v)
	}
	return diffPortable(v)
}
