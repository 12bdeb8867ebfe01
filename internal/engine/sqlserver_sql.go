package engine

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Here stands every T-SQL text that dualsql itself sends, each with the page of Microsoft's documentation that it relies on. They
// hold nothing but UUIDs, numbers and constants.

// mssqlSetup relies on "SET IMPLICIT_TRANSACTIONS", "SET NOCOUNT", "SET XACT_ABORT", "SET LOCK_TIMEOUT" and "sys.databases"
// (delayed_durability: 2 is FORCED), and on "Control Transaction Durability": under FORCED a crash loses transactions that were
// reported as committed. XACT_ABORT makes every error on a secondary end its transaction; on a primary the caller's setting holds.
func mssqlSetup(o Options) string {
	var b strings.Builder
	b.WriteString("set implicit_transactions off; set nocount off; ")
	if o.Role == Secondary {
		b.WriteString(mssqlAbortOn)
		b.WriteString(mssqlLockTimeout(o))
	}
	b.WriteString("if exists (select 1 from sys.databases where database_id = db_id() and delayed_durability = 2) " +
		"throw 50001, N'the database has DELAYED_DURABILITY = FORCED: a commit that is not durable cannot be kept in step; set it to ALLOWED or DISABLED', 1;")
	return b.String()
}

// "SET XACT_ABORT".
const (
	mssqlAbortOn  = "set xact_abort on; "
	mssqlAbortOff = "set xact_abort off; "
)

func mssqlLockTimeout(o Options) string {
	if o.LockTimeout <= 0 {
		return ""
	}
	return fmt.Sprintf("set lock_timeout %d; ", max(1, o.LockTimeout.Milliseconds()))
}

// mssqlCommit relies on "@@TRANCOUNT" (COMMIT at a depth above 1 commits nothing), "@@ERROR" (of the statement before) and "COMMIT TRANSACTION".
func mssqlCommit(m *Marker) string {
	const alone = "if @@trancount <> 1 throw 50002, N'the transaction is not the one that was begun: it has been nested or ended by a statement of its own', 1; "
	if m == nil {
		return alone + "commit transaction;"
	}
	return alone + mssqlInsertMarker(*m, Committed) + " if @@error = 0 commit transaction;"
}

// mssqlTransaction is "CURRENT_TRANSACTION_ID".
const mssqlTransaction = "select current_transaction_id()"

// mssqlInsertMarker relies on "Transaction Locking and Row Versioning Guide": an insert of a key waits for another transaction
// that has inserted it and not ended, whatever the isolation level and READ_COMMITTED_SNAPSHOT.
func mssqlInsertMarker(m Marker, state State) string {
	return fmt.Sprintf("insert into dualsql.[commit] (txid, state, journal) values ('%s', '%c', '%s');", m.TxID, state, m.Journal)
}

// mssqlSchema relies on "CREATE SCHEMA" (which must be alone in its batch), "CREATE TABLE", "OBJECT_ID", "SCHEMA_ID" and
// "SYSDATETIMEOFFSET".
const mssqlSchema = `
if schema_id(N'dualsql') is null exec(N'create schema dualsql');
if object_id(N'dualsql.[commit]', N'U') is null create table dualsql.[commit] (
	txid uniqueidentifier not null primary key nonclustered, state char(1) not null check (state in ('C', 'A')),
	journal uniqueidentifier not null, at datetimeoffset not null default sysdatetimeoffset());
if object_id(N'dualsql.pair', N'U') is null create table dualsql.pair (
	one bit not null default 1 primary key check (one = 1),
	pair uniqueidentifier not null, side varchar(9) not null check (side in ('primary', 'secondary')),
	at datetimeoffset not null default sysdatetimeoffset());
if object_id(N'dualsql.writer', N'U') is null create table dualsql.writer (
	one bit not null default 1 primary key check (one = 1),
	journal uniqueidentifier not null, at datetimeoffset not null default sysdatetimeoffset());`

// SQLServerInitSQL is what [Marking.Init] runs, for an administrator to run where the application's role may not.
const SQLServerInitSQL = mssqlSchema

const (
	mssqlReady = "select count(*) from sys.tables where schema_id = schema_id(N'dualsql') and name in (N'commit', N'pair', N'writer')" // "sys.tables"
	// mssqlIdentity relies on "@@SERVERNAME" and "sys.databases": a copy of a database on the same server has another name.
	mssqlIdentity = "select concat('sqlserver/', @@servername, '/', db_name(), '/', convert(varchar(40), service_broker_guid)) from sys.databases where database_id = db_id()"
	mssqlPair     = "if object_id(N'dualsql.pair', N'U') is not null select convert(varchar(36), pair), side from dualsql.pair" // "CAST and CONVERT"
)

// mssqlInit relies on "sp_getapplock" (a lock of the transaction's own): two processes may come here at once.
const mssqlInit = mssqlAbortOn + "begin transaction; exec sp_getapplock @Resource = N'dualsql init', @LockMode = N'Exclusive', @DbPrincipal = N'public'; " +
	mssqlSchema + " commit transaction;"

// mssqlClaim may collide with another process that claims, which is the same as having come second.
func mssqlClaim(row PairRow) string {
	return fmt.Sprintf("insert into dualsql.pair (pair, side) select '%s', '%s' where not exists (select 1 from dualsql.pair);", row.Pair, row.Side)
}

func mssqlMarkerState(txid uuid.UUID) string {
	return fmt.Sprintf("select state from dualsql.[commit] where txid = '%s'", txid)
}

// mssqlDeleteMarkers relies on "Table hints": row locks, as a page lock would be in the way of commits.
func mssqlDeleteMarkers(txids []uuid.UUID) string {
	return "delete from dualsql.[commit] with (rowlock) where state = 'C' and txid in (" + quoteIDs(txids) + ")"
}

// mssqlSweepMarkers relies on "DATEADD".
func mssqlSweepMarkers(journal uuid.UUID, keep []uuid.UUID) string {
	return fmt.Sprintf("delete from dualsql.[commit] with (rowlock) where journal = '%s' and txid not in (%s) and at < dateadd(day, -1, sysdatetimeoffset())",
		journal, quoteIDs(append(keep, uuid.Nil)))
}

func mssqlForeignMarkers(own uuid.UUID) string {
	return fmt.Sprintf("select convert(varchar(36), txid) from dualsql.[commit] where state = 'C' and journal <> '%s'", own)
}

// mssqlGetLock relies on "sp_getapplock": at once, for the session; a negative status says that it was refused.
func mssqlGetLock(resource, mode string) string {
	return fmt.Sprintf("declare @got int; exec @got = sp_getapplock @Resource = N'%s', @LockMode = N'%s', @LockOwner = N'Session', "+
		"@LockTimeout = 0, @DbPrincipal = N'public'; select @got", resource, mode)
}

// mssqlReleaseLock relies on "sp_releaseapplock".
func mssqlReleaseLock(resource string) string {
	return fmt.Sprintf("exec sp_releaseapplock @Resource = N'%s', @LockOwner = N'Session', @DbPrincipal = N'public'", resource)
}

// mssqlFreeLock relies on "APPLOCK_TEST": 1 where nobody else holds the lock.
func mssqlFreeLock(resource string) string {
	return fmt.Sprintf("select applock_test(N'public', N'%s', N'Exclusive', N'Session')", resource)
}

// mssqlWriter relies on "Table hints": a transaction under SNAPSHOT, too, sees who the writer is now.
const mssqlWriter = "select convert(varchar(36), journal) from dualsql.writer with (readcommittedlock)"

func mssqlSetWriter(journal uuid.UUID) string {
	return fmt.Sprintf("update dualsql.writer set journal = '%[1]s', at = sysdatetimeoffset(); if @@rowcount = 0 insert into dualsql.writer (journal) values ('%[1]s');", journal)
}

// mssqlIdentities relies on "sys.identity_columns" (last_value is NULL before the first row), "IDENT_CURRENT" (the seed, or what it
// was set to, before that), "SCHEMA_NAME" and "QUOTENAME".
const mssqlIdentities = "select case when s.name = schema_name() then N'' else s.name end, t.name, c.name, concat(quotename(s.name), N'.', quotename(t.name)), " +
	"convert(bigint, c.increment_value), convert(bigint, ident_current(concat(quotename(s.name), N'.', quotename(t.name)))) + " +
	"case when c.last_value is null then 0 else convert(bigint, c.increment_value) end " +
	"from sys.identity_columns c join sys.tables t on t.object_id = c.object_id join sys.schemas s on s.schema_id = t.schema_id order by s.name, t.name"

// mssqlReseed relies on "DBCC CHECKIDENT": a table that has had rows goes on behind the number, one that has had none with it. So
// one number may be left out, and none comes twice.
func mssqlReseed(table string, next int64) string {
	return fmt.Sprintf("dbcc checkident (N%s, reseed, %d) with no_infomsgs", Literal(table), next)
}

// What the doctor asks: "SERVERPROPERTY", "DB_NAME", "USER_NAME", "sys.databases", "HAS_PERMS_BY_NAME", "SYSDATETIMEOFFSET".
const (
	mssqlServer = "select convert(nvarchar(128), serverproperty('ProductVersion')), db_name(), user_name()"
	mssqlClock  = "select sysdatetimeoffset()"

	mssqlDatabase = "select convert(int, is_read_committed_snapshot_on), convert(int, snapshot_isolation_state), convert(int, delayed_durability) from sys.databases where database_id = db_id()"
	mssqlRights   = "select 8 - has_perms_by_name(N'dualsql.[commit]', N'OBJECT', N'SELECT') - has_perms_by_name(N'dualsql.[commit]', N'OBJECT', N'INSERT')" +
		" - has_perms_by_name(N'dualsql.[commit]', N'OBJECT', N'DELETE') - has_perms_by_name(N'dualsql.pair', N'OBJECT', N'SELECT')" +
		" - has_perms_by_name(N'dualsql.pair', N'OBJECT', N'INSERT') - has_perms_by_name(N'dualsql.writer', N'OBJECT', N'SELECT')" +
		" - has_perms_by_name(N'dualsql.writer', N'OBJECT', N'INSERT') - has_perms_by_name(N'dualsql.writer', N'OBJECT', N'UPDATE')"
	mssqlMayCreate = "select has_perms_by_name(null, N'DATABASE', N'CREATE SCHEMA') & has_perms_by_name(null, N'DATABASE', N'CREATE TABLE')"
)
