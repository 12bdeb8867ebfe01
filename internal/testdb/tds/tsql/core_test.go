package tsql

import "testing"

// TestDualsql is the T-SQL that the driver itself sends.
func TestDualsql(t *testing.T) {
	const id = "6F9619FF-8B86-D011-B42D-00C04FC964FF"
	rules(t, []rule{
		{"if schema_id(N'dualsql') is null exec(N'create schema dualsql')", ""},
		{"if schema_id(N'dualsql') is null exec(N'create schema dualsql')", ""},
		{`if object_id(N'dualsql.[commit]', N'U') is null create table dualsql.[commit] (txid uniqueidentifier not null primary key
			nonclustered, state char(1) not null check (state in ('C', 'A')), journal uniqueidentifier not null,
			at datetimeoffset not null default sysdatetimeoffset())`, ""},
		{`if object_id(N'dualsql.[commit]', N'U') is null create table dualsql.[commit] (a int)`, ""},
		{"begin transaction; set xact_abort on; insert into dualsql.[commit] (txid, state, journal) values ('" + id + "', 'C', '" + id +
			"'); commit transaction", "begun / (1) / committed"},
		{"select txid, state from dualsql.[commit]", "6f9619ff8b86d011b42d00c04fc964ff|C / (1)"},
		{"insert into dualsql.[commit] (txid, state, journal) select '" + id + "', 'A', '" + id +
			"' where not exists (select 1 from dualsql.[commit] with (updlock, holdlock) where txid = '" + id + "')", "(0)"},
		{"select state from dualsql.[commit] with (readcommittedlock) where txid = '" + id + "'", "C / (1)"},
		{"delete from dualsql.[commit] where at < dateadd(day, -1, sysdatetimeoffset()) and txid not in ('" + id + "')", "(0)"},
		{"begin transaction", "begun"},
		{"save transaction [a b]", ""},
		{"insert into dualsql.[commit] (txid, state, journal) values (newid(), 'C', newid())", "(1)"},
		{"rollback transaction [a b]", ""},
		{"select xact_state(), @@trancount, count(*) from dualsql.[commit]", "1|1|1 / (1)"},
		{"if @@trancount > 0 rollback transaction", "rolled back"},
		{"if @@trancount > 0 rollback transaction", ""},
		{"set lock_timeout 5000", ""},
		{`declare @r int; exec @r = sp_getapplock @Resource = N'a''b', @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0,
			@DbPrincipal = N'public'; select @r`, "0 / (1)"},
		{"select applock_test(N'public', N'a''b', N'Exclusive', N'Session')", "1 / (1)"},
		{"select @@servername, db_name()", "DUALSQL-TEST|app / (1)"},
		{"select len((select convert(nvarchar(40), service_broker_guid) from sys.databases where database_id = db_id()))", "36 / (1)"},
		{"select len(concat('sqlserver/', @@servername, '/', db_name(), '/', convert(varchar(40), service_broker_guid))) from sys.databases where database_id = db_id()",
			"63 / (1)"},
		{`begin transaction; exec sp_getapplock @Resource = N'dualsql init', @LockMode = N'Exclusive', @DbPrincipal = N'public';
			if object_id(N'dualsql.pair', N'U') is null create table dualsql.pair (one bit not null default 1 primary key check (one = 1),
			pair uniqueidentifier not null, side varchar(9) not null check (side in ('primary', 'secondary')),
			at datetimeoffset not null default sysdatetimeoffset()); commit transaction;`, "begun / committed"},
		{"insert into dualsql.pair (pair, side) select '" + id + "', 'primary' where not exists (select 1 from dualsql.pair);", "(1)"},
		{"insert into dualsql.pair (pair, side) values ('" + id + "', 'primary')", "error 2627"},
		{"if object_id(N'dualsql.pair', N'U') is not null select convert(varchar(36), pair), side, one from dualsql.pair", id + "|primary|true / (1)"},
		{"select count(*) from sys.tables where schema_id = schema_id(N'dualsql') and name in (N'commit', N'pair', N'writer')", "2 / (1)"},
		{"update dualsql.pair set pair = '" + id + "', at = sysdatetimeoffset(); if @@rowcount = 0 insert into dualsql.pair (pair) values ('" + id + "');", "(1)"},
		{"set xact_abort off; begin transaction; if @@trancount <> 1 throw 50002, N'nested', 1; insert into dualsql.[commit] (txid, state, journal) values ('" + id +
			"', 'A', '" + id + "'); if @@rowcount = 1 commit transaction;", "begun / error 2627"},
		{"if @@trancount > 0 rollback", "rolled back"},
		{"set xact_abort on; begin tran; selec 1", "error 102"}, // nothing of such a batch runs
		{"begin tran; exec(N'select from x'); select @@trancount; rollback; set xact_abort off", "begun / error 156 / 1 / (1) / rolled back"},
		{"select 8 - has_perms_by_name(N'dualsql.[commit]', N'OBJECT', N'SELECT'), convert(nvarchar(128), serverproperty('ProductVersion'))", "7|16.0.4085.2 / (1)"},
		{"if (select count(*) from dualsql.[commit]) > 0 throw 50001, N'text', 1", "error 50001"},
	})
}

// TestSettings: "SET statements": what a procedure or dynamic SQL sets is put back.
func TestSettings(t *testing.T) {
	rules(t, []rule{
		{"set xact_abort, nocount on; select @@options & 16384 | @@options & 512; set nocount, xact_abort off", "512"}, // & and | take the same precedence,
		{"exec(N'set xact_abort on; select @@options & 16384'); select @@options & 16384", "16384 / (1) / 0 / (1)"},
		{"set ansi_nulls, quoted_identifier on; set textsize -1; set deadlock_priority low; set language us_english", "error 50000"},
		{"set ansi_nulls off", "error 50000"},
		{"set implicit_transactions on", "error 50000"},
		{"set lock_timeout -1; set transaction isolation level read uncommitted; select @@lock_timeout", "-1 / (1)"},
	})
}
