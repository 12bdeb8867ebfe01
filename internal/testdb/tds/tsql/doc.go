// Package tsql runs T-SQL on PostgreSQL: test support, behind the server of package tds, for machines on which no SQL Server can
// be installed. Transactions, locks, crashes and durability are PostgreSQL's, and so they are real.
//
// It behaves as a database with READ_COMMITTED_SNAPSHOT and ALLOW_SNAPSHOT_ISOLATION ON and the collation
// Latin1_General_100_BIN2_UTF8: names and values are compared byte by byte, and a varchar holds UTF-8. Every client is the
// superuser. It needs PostgreSQL 15 or later and a superuser there.
//
// A session is one connection to PostgreSQL. A text is parsed as a whole, translated while it is, and interpreted statement by
// statement; each statement is one message to PostgreSQL, with a savepoint around it where the transaction has to outlive its
// failure. The types of SQL Server are types of PostgreSQL with operators of their own (directory support), so PostgreSQL decides
// what an expression means and says what type it has.
//
// What is T-SQL but not known here is an error that says so, 50000 with "the test endpoint does not know", and never passed over.
//
// # Locks
//
// A statement that reads with UPDLOCK, XLOCK, HOLDLOCK, SERIALIZABLE or READCOMMITTEDLOCK locks the rows that it finds, and before
// that the key of a unique index that its WHERE holds equal to constants or variables. Who inserts a row locks its keys too, and so
// both see each other although the row is not there yet. HOLDLOCK without such a key locks the table.
//
// # Known differences from SQL Server
//
//   - Rows are versions: a reader under REPEATABLE READ or SERIALIZABLE blocks nobody, and a conflict is error 1205 (3960 under
//     SNAPSHOT) in place of a wait. The level cannot be changed in a transaction that has read something.
//   - A failed statement gives up the locks that it took. Key locks are taken for the first 1000 rows of a transaction. A locked
//     read waits for the insert of a row that is not committed yet only if its WHERE names a key of it.
//   - Names are looked up when a statement runs: error 207 ends the batch where it happens, and not before it has begun. No name has
//     more than 63 bytes. NEWSEQUENTIALID is not sequential. uniqueidentifiers and characters beyond U+FFFF sort by their bytes.
//   - Truncation is error 8152 and not 2628. Conversion errors always call a string nvarchar. 220 of a smallint has no value.
//   - An assignment to an integer column rounds a fraction, and CAST cuts it. A decimal expression has the digits that PostgreSQL
//     gives it, and (38, what its values need) as its type. The length of a string expression is (max) where PostgreSQL does not know
//     it. Every column of a result is nullable. Expressions of tinyint and bit may be int. UPPER and LOWER change only ASCII.
//   - SCOPE_IDENTITY and @@IDENTITY are the last identity value of the session, whatever the scope. DEFAULT constraints have the
//     names that the server makes. SELECT INTO makes no identity column.
//   - UPDATE with OUTPUT deleted may miss a row that another session changes while the statement begins. So may TOP and READPAST.
//   - Two application locks in mode IntentExclusive exclude each other. The database principal of one is ignored.
//   - Strings with U+0000 are refused. Values of datetime are kept to 100 ns after they have been rounded to 1/300 s.
package tsql
