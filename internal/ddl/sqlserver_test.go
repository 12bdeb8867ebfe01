package ddl

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// TestToSQLServer has PostgreSQL's text and what SQL Server gets.
func TestToSQLServer(t *testing.T) {
	goldens(t, "testdata/sqlserver.txt", sqltext.Postgres, sqltext.SQLServer)
}

// goldens are pairs of texts in a file: a text, a line "---", what becomes of it, and a line "===".
func goldens(t *testing.T, file string, from, to sqltext.Dialect) {
	t.Helper()
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range strings.SplitSeq(strings.TrimSuffix(string(all), "\n===\n"), "\n===\n") {
		text, want, ok := strings.Cut(pair, "\n---\n")
		if !ok {
			t.Fatalf("no line --- in %q", pair)
		}
		got, err := Translate(text, from, to)
		if err != nil {
			t.Errorf("%s\n%v", text, err)
		} else if got != want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", text, got, want)
		}
	}
}

type refusal struct {
	text, at string // the line and column
	why      string
}

func refusals(t *testing.T, all []refusal, from, to sqltext.Dialect) {
	t.Helper()
	for _, r := range all {
		got, err := Translate(r.text, from, to)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %q, %v: no *Error", r.text, got, err)
			continue
		}
		line, column := Position(r.text, e.Offset)
		if at := fmt.Sprintf("%d:%d", line, column); at != r.at || !strings.Contains(e.Construct, r.why) {
			t.Errorf("%s\ngot  %s %s\nwant %s %s", r.text, at, e, r.at, r.why)
		}
	}
}

// TestRefusedForSQLServer: what is not known to mean the same is named, with its place.
func TestRefusedForSQLServer(t *testing.T) {
	refusals(t, []refusal{
		{"create table t (\n  id int,\n  d interval\n)", "3:5", "interval"},
		{"create table t (a int[])", "1:19", "array"},
		{"create table t (a char(3))", "1:19", "use varchar"},
		{"create table t (a character(3))", "1:19", "use varchar"},
		{"create table t (a timetz)", "1:19", "timetz"},
		{"create table t (a time with time zone)", "1:19", "time with time zone"},
		{"create table t (a numeric)", "1:19", "without a precision"},
		{"create table t (a numeric(50))", "1:27", "between 1 and 38"},
		{"create table t (a public.mood)", "1:19", "public"},
		{"create table t (a varchar(3) collate \"C\")", "1:30", "collation"},
		{"create table t (a int generated always as (b) stored)", "1:23", "generated"},
		{"create table t (a int default random())", "1:31", "random"},
		{"create table t (a int default nextval('s'))", "1:31", "nextval"},
		{"create table t (a text default 'x' || 'y')", "1:36", "|"},
		{"create table t (a timestamptz default '2020-01-01')", "1:39", "not written as both"},
		{"create table t (a date default 'now')", "1:32", "not written as both"},
		{"create table t (a jsonb default '{\"a\":1}')", "1:33", "not written as both"},
		{"create table t (a int default 1.5)", "1:31", "not plainly"},
		{"create table t (a int default 'x')", "1:31", "not written as both"},
		{"create table t (a boolean default 'perhaps')", "1:35", "boolean"},
		{"create table t (a text default e'x')", "1:32", "escapes"},
		{"create table t (a text default $$x$$)", "1:32", "dollar"},
		{"create table t (a text check (a > 'b'))", "1:31", "order of strings"},
		{"create table t (a text, b text, check (a < b))", "1:40", "order of strings"},
		{"create table t (a text check (a ~ 'b'))", "1:33", "~"},
		{"create table t (a text check (lower(a) = a))", "1:31", "lower"},
		{"create table t (a int check ((a > 0) = (a > 1)))", "1:33", "condition as a value"},
		{"create table t (a int check (a / 2 > 1))", "1:32", "/"},
		{"create table t (a int check (a = any (array[1])))", "1:34", "any"},
		{"create table t (a int check (a is true))", "1:32", "IS"},
		{"create table t (a int check (a))", "1:30", "as a condition"},
		{"create table t (a date check (a < now()))", "1:35", "clock"},
		{"create table t (a int check (a < (select 1)))", "1:35", "select"},
		{"create table t (a int check (a = '1'::int4range))", "1:39", "int4range"},
		{"create table t (a int check (a = 1.5::int))", "1:37", "cast"},
		{"create table t (a int references u deferrable)", "1:36", "DEFERRABLE"},
		{"create table t (a int, exclude using gist (a with =))", "1:24", "exclude"},
		{"create table t (a int) partition by range (a)", "1:24", "PARTITION"},
		{"create table t (a int) with (fillfactor = 70)", "1:24", "WITH"},
		{"create table t (a int) inherits (u)", "1:24", "INHERITS"},
		{"create table t (like u)", "1:17", "LIKE"},
		{"create table t ()", "1:17", "without columns"},
		{"create table t (a int, a int)", "1:24", "twice"},
		{"create table t (a serial, b serial)", "1:27", "second column that counts"},
		{"create table t (a int, primary key (b))", "1:24", "does not have"},
		{"create table t (a int, unique (a, a))", "1:24", "twice"},
		{"create table t as select 1", "1:16", "AS"},
		{"create temp table t (a int)", "1:8", "temporary"},
		{"create unlogged table t (a int)", "1:8", "UNLOGGED"},
		{"create table a.b.c (a int)", "1:14", "two parts"},
		{"create table " + strings.Repeat("x", 64) + " (a int)", "1:14", "63 bytes"},
		{"create table " + strings.Repeat("x", 60) + " (a int primary key)", "1:82", "CONSTRAINT and a name"},
		{`create table "" (a int)`, "1:14", "empty"},
		{`create table "t (a int)`, "1:14", "not closed"},
		{`create table U&"\0061" (a int)`, "1:14", "escapes"},
		{"create table t (a int", "1:22", "end of the text"},
		{"create table t (a int) x", "1:24", "X"},
		{"create table t (a int); drop table t", "1:25", "drop"},
		{"create view v as select 1", "1:8", "CREATE VIEW"},
		{"create or replace function f() returns int language sql as 'select 1'", "1:8", "CREATE OR"},
		{"create sequence s", "1:8", "CREATE SEQUENCE"},
		{"create type mood as enum ('a')", "1:8", "CREATE TYPE"},
		{"comment on table t is 'x'", "1:1", "comment"},
		{"grant truncate on t to u", "1:7", "truncate"},
		{"grant select (a) on t to u", "1:14", "some columns"},
		{"grant usage on schema s to u", "1:7", "usage"},
		{"grant select on all tables in schema s to u", "1:17", "all"},
		{"grant u to v", "1:7", "u"},
		{"revoke select on t from u cascade", "1:27", "CASCADE"},
		{"vacuum t", "1:1", "vacuum"},
		{"create index on t (lower(a))", "1:20", "expression"},
		{"create index on t ((a + 1))", "1:20", "expression"},
		{"create index on t using gin (a)", "1:25", "btree"},
		{"create index on t (a text_pattern_ops)", "1:22", "operator class"},
		{"create index i on t (a) where a > 1 or a < 0", "1:37", "index's condition"},
		{"create index i on t (a) where not (a > 1)", "1:31", "index's condition"},
		{"create index i on t (a) where a > b", "1:33", "index's condition"},
		{"create index i on t (a) with (fillfactor = 70)", "1:25", "with"},
		{"drop schema s cascade", "1:15", "CASCADE"},
		{"drop view v cascade", "1:13", "cascade"},
		{"drop materialized view v", "1:6", "DROP MATERIALIZED"},
		{"alter table t add column a int default random()", "1:40", "random"},
		{"alter table t add column a timestamptz default now()", "1:48", "each side computes"},
		{"alter table t add column a serial", "1:26", "numbers the rows"},
		{"alter table t drop column a cascade", "1:29", "CASCADE"},
		{"alter table t alter a type int using length(a)", "1:38", "USING"},
		{"alter table t alter a type int using b::int", "1:38", "USING"},
		{"alter table t alter a type boolean", "1:28", "same on both sides"},
		{"alter table t alter a type jsonb", "1:28", "same on both sides"},
		{"alter table t alter a add generated always as identity", "1:23", "ADD"},
		{"alter table t alter a set default '1/2/2020'", "1:35", "type is not known"},
		{"alter table t alter a set default 'now'", "1:35", "type is not known"},
		{"alter table t owner to u", "1:15", "OWNER"},
		{"alter table t set schema s", "1:15", "SET"},
		{"alter table t enable row level security", "1:15", "ENABLE"},
		{"alter table t add constraint c check (a > 0) not valid", "1:46", "NOT VALID"},
		{"alter sequence s restart", "1:1", "alter"},
		{"truncate t restart identity", "1:12", "restart"},
		{"truncate t cascade", "1:12", "cascade"},
		{"create table t (a int default $1)", "1:31", "placeholder"},
		{"create table t (a int check (" + strings.Repeat("(", 200) + "a > 0" + strings.Repeat(")", 200) + "))", "1:80", "levels"},
		{"create table t (a int check (a > " + strings.Repeat("- ", 200) + "1))", "1:232", "levels"},
		{"", "1:1", "end of the text"},
	}, sqltext.Postgres, sqltext.SQLServer)
}
