package ddl

import (
	"testing"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// TestToPostgres has T-SQL and what PostgreSQL gets.
func TestToPostgres(t *testing.T) {
	goldens(t, "testdata/postgres.txt", sqltext.SQLServer, sqltext.Postgres)
}

func TestRefusedForPostgres(t *testing.T) {
	refusals(t, []refusal{
		{"create table t (a datetime)", "1:19", "use datetime2"},
		{"create table t (a money)", "1:19", "decimal(19,4)"},
		{"create table t (a nchar(3))", "1:19", "padding"},
		{"create table t (a rowversion)", "1:19", "rowversion"},
		{"create table t (a xml)", "1:19", "xml"},
		{"create table t (a sysname)", "1:19", "sysname"},
		{"create table t (a nvarchar(9) collate Latin1_General_CI_AS)", "1:31", "collation"},
		{"create table t (a as b + 1)", "1:19", "computed"},
		{"create table t (a int, index i (a))", "1:24", "an index"},
		{"create table #t (a int)", "1:14", "temporary"},
		{"create table a.dbo.t (a int)", "1:14", "two parts"},
		{"create table t (a int) on other", "1:24", "filegroup"},
		{"create table t (a int) with (data_compression = page)", "1:24", "WITH"},
		{"create table t (a int primary key with (fillfactor = 9))", "1:35", "WITH"},
		{"create table t (a datetimeoffset default getdate())", "1:42", "offset"},
		{"create table t (a datetimeoffset default '2020-01-01')", "1:42", "not plainly"},
		{"create table t (a varbinary(max) default 0x00)", "1:42", "0x00"},
		{"create table t (a int default len('x'))", "1:31", "len"},
		{"create table t (a int identity(1,0))", "1:17", "does not count"},
		{"create table t (a nvarchar(9) check (a like '[a-z]'))", "1:40", "brackets"},
		{"create table t (a nvarchar(9) check (a > 'x'))", "1:38", "order of strings"},
		{"create table t (a int check (isnull(a, 0) > 0))", "1:30", "isnull"},
		{"alter table t add a int identity", "1:19", "numbers the rows"},
		{"alter table t add a int default 0", "1:19", "WITH VALUES"},
		{"alter table t add a datetimeoffset not null default sysdatetimeoffset()", "1:53", "each side computes"},
		{"alter table t nocheck constraint c", "1:15", "NOCHECK"},
		{"create procedure p as select 1", "1:8", "CREATE PROCEDURE"},
		{"create clustered columnstore index i on t", "1:18", "COLUMNSTORE"},
		{"drop index t.i", "1:13", "."},
	}, sqltext.SQLServer, sqltext.Postgres)
}
