// Package dualsql is a database/sql driver that writes to two databases at once.
//
// One *sql.DB stands for two physical databases, the primary and the secondary. Reads go to the primary. Writes are
// mirrored: run on the primary, then on the secondary. A commit is either on both or on neither, and what a crash cuts in
// half is finished, by this process or by another, or reported. No transaction monitor and no message broker is needed.
//
//	db, err := sql.Open("dualsql", "primary='postgres://app@db0/shop' secondary='postgres://app@db1/shop' journal=/var/lib/shop/dualsql")
//	if err != nil {
//	  return err
//	}
//	defer db.Close()
//
// # The DSN
//
// A DSN is a list of key=value with spaces in between; a value with spaces, quotes or backslashes stands in single quotes.
// Three keys are needed: primary and secondary, each the database's own DSN, and journal, a directory on a local disk that
// one process holds at a time. The scheme chooses the driver: postgres and postgresql are pgx, and sqlserver is go-mssqldb,
// which this package brings along; file and sqlite are modernc.org/sqlite, and azuresql is go-mssqldb's azuread, which the
// program imports. Any other registered driver is named:
//
//	primary.driver=mysql primary='app@tcp(db0)/shop' secondary.driver=mysql secondary='app@tcp(db1)/shop' journal=/var/lib/shop/dualsql
//
// [Config] holds the same and more: a side may be a [database/sql/driver.Connector], for databases whose passwords are
// tokens that expire. [ParseDSN], [Config.FormatDSN] and [NewConnector] lead from one form to the next. All keys are in
// docs/dsn.md.
//
//	cfg := dualsql.NewConfig()
//	cfg.Primary.Connector = stdlib.GetConnector(*pgxConfig, stdlib.OptionBeforeConnect(setToken))
//	cfg.Secondary.DSN = "file:/var/lib/shop/copy.db"
//	cfg.Journal = "/var/lib/shop/dualsql"
//	connector, err := dualsql.NewConnector(cfg)
//	if err != nil {
//	  return err
//	}
//	db := sql.OpenDB(connector)
//
// # Statements
//
// A text may be written with ?, $1, @p1, ?1, or @name and [database/sql.Named], on any pair; each side gets its own
// style. On a driver that dualsql knows nothing of, the text passes untouched. Between PostgreSQL and SQL Server changes
// of the schema are translated (docs/ddl.md). Else what
// is mirrored as text has to be understood by both databases, or the secondary is given a text of its own, by [WithSecondarySQL] or in a
// comment, as in a file of migrations:
//
//	create view unpaid as select id from invoice where not paid /* dualsql:secondary create view unpaid as select id from invoice where paid = 0 */
//
// What is not plainly a read is mirrored. On PostgreSQL a SELECT that turns out to write, because a function does, is
// stopped by the server before it has done anything and run again as a mirrored write. Where the decision has to be made
// by hand, a comment or a context makes it:
//
//	db.QueryContext(ctx, "select refresh_totals() /* dualsql:mirror */")
//	db.ExecContext(dualsql.WithPrimaryOnly(ctx), "insert into local_audit values ($1)", id)
//
// Between two PostgreSQL servers a write's text runs on both sides where it certainly does the same there; where it may not, because
// of now(), random(), a sequence or a default made of one, the secondary gets the rows that it has made on the primary. From
// PostgreSQL to SQL Server it always gets these. What cannot be carried over exactly is refused with [ErrNotMirrored] before it
// runs. docs/mirroring.md says which statements these are, and what mirror=row does with a SQLite secondary.
//
// On all other pairs mirroring repeats statements. A value that the database computes itself may then differ between the sides, and
// nothing notices: compute such values in the program, or read them from the primary first, and pass them as arguments. After a
// transaction that failed or was rolled back, sequences of the two sides are no longer in step. docs/guarantees.md has the list
// of what is not guaranteed.
//
// On the secondary the statements of a transaction run in a lane, in order, behind the primary's. A statement that fails
// there dooms the transaction: the next call says so, and so does Commit. Before the commit the lane must be empty, and a
// statement that affected different numbers of rows on the two sides rolls both back with a *[DivergenceError].
//
// BEGIN, COMMIT and ROLLBACK as texts are refused with [ErrTxControl]; use [database/sql.DB.BeginTx]. Savepoints are
// mirrored. Outside of a transaction a write is a transaction of one statement. Statements that a database refuses inside a
// transaction, such as VACUUM, run on one side after the other. The rows of a mirrored statement (INSERT ... RETURNING) are
// read into memory before the caller sees the first. [CopyFrom] writes many rows to a table at once.
//
// # Commit
//
// The key commit chooses the protocol:
//
//   - 2pc prepares the transaction on one side, commits it on the other, whose COMMIT decides, and then commits what is
//     prepared. A crash in between leaves a prepared transaction, which keeps its locks and which any process that uses the
//     pair can end, with its journal or without. One side must be PostgreSQL with max_prepared_transactions greater than
//     zero, the other PostgreSQL, SQL Server or SQLite. Any number of processes may write, each with a journal of its own.
//   - marker commits the primary, then the secondary. Each transaction inserts a row of its own, the commit marker, which is
//     there if and only if it committed. A transaction that is on the primary alone is brought to the secondary from the
//     journal, once. One process at a time may write to the pair.
//   - besteffort commits the primary, then the secondary, and creates nothing. What is cut in half is reported, and an
//     operator makes the sides equal.
//   - auto, the default, is the first of these that the pair allows. Which it was is logged, and in [Stats].
//
// 2pc and marker need a few tables of dualsql's own in each database, which the first connection creates if it may.
//
// Under 2pc, ack=decided lets a commit return when it is decided and on the primary, and the secondary follow. PostgreSQL cannot
// prepare a transaction that has used temporary tables or NOTIFY: [ErrUnpreparable]. Begin such a one under [WithBestEffort].
//
// The commit phase does not end when the caller's context does: its bound is commit_timeout.
//
// # Outcomes and errors
//
// A Commit, and a write outside of a transaction, ends in one of four ways:
//
//   - nil: committed on both sides; under ack=decided, decided, and prepared on the secondary.
//   - an error that is neither of the following: rolled back on both. A refusal by the primary is the primary's own error,
//     unwrapped; one by the secondary is in a *[SideError].
//   - *[InDoubtError]: whether it committed is not known yet.
//   - *[HalfDoneError]: it is committed on one side, and not yet on the other.
//
// After one of the last two the transaction must not be run again; [Connector.Outcome] tells later how it ended:
//
//	err = tx.Commit()
//	var inDoubt *dualsql.InDoubtError
//	var halfDone *dualsql.HalfDoneError
//	switch {
//	case errors.As(err, &inDoubt):
//	  ask(inDoubt.TxID) // later, by Connector.Outcome
//	case errors.As(err, &halfDone):
//	  note(halfDone.TxID) // decided: it is committed
//	case err != nil:
//	  // on neither side: it may be tried again
//	}
//
// While a transaction is in doubt or half done under 2pc or marker, later writes of this process could overtake it: they wait
// for it, and after commit_timeout fail with [ErrWritesHeld]. A transaction that had already seen its effects fails with
// [ErrOvertaking]. Reads go on. Under besteffort writes go on too.
//
// While the secondary is away, writes fail and reads go on.
//
// On connections from a PostgreSQL URL, BEGIN travels with the first statement, whose error may then be BEGIN's. Under 2pc the
// last statement on a secondary that prepares travels with PREPARE TRANSACTION: its error there comes from Commit.
//
// # Recovery
//
// The first connection ends what the journal has open before it lets a write through. What cannot be ended yet is tried
// again in the background, with growing pauses, is logged, and is never dropped. Under 2pc each process also ends prepared
// transactions of others that are older than orphan_age. [Connector.Pending] lists it,
// [Connector.Recover] tries at once, and [Connector.Forget] takes a transaction off the list after an operator has made
// the sides equal. [FromDB] gives the Connector behind a *sql.DB:
//
//	c, err := dualsql.FromDB(db)
//	if err != nil {
//	  return err
//	}
//	pending, err := c.Pending()
//
// The command cmd/dualsql does the same from a shell: status, recover, journal, doctor, init. docs/operating.md is about it.
//
// # SQL Server
//
// SQL Server and Azure SQL prepare nothing: beside PostgreSQL they are the last resource of 2pc, beside one another they have
// marker. Read-only transactions are refused on a SQL Server primary. Settings (SET) stay on the primary beside another engine,
// and SQL Server forgets them when the pool hands a connection out anew. A statement that a SQL Server primary refuses is undone,
// and the transaction goes on; an error of a procedure, of a trigger or in a text of several statements ends it. A time finer
// than a microsecond is cut for both sides where PostgreSQL is the primary, and refused where SQL Server is. docs/sqlserver.md
// has all of this, and which types go together.
//
// # The connections underneath
//
// [database/sql.Conn.Raw] gives a *[Conn], whose Primary and Secondary methods give each side's own connection, such as
// pgx's. What is done there is not mirrored.
//
//	err = conn.Raw(func(driverConn any) error {
//	  pg := driverConn.(*dualsql.Conn).Primary().(*stdlib.Conn).Conn()
//	  return pg.Ping(ctx)
//	})
//
// On PostgreSQL the primary's session has default_transaction_read_only=on: a write on it outside of a transaction of
// dualsql's needs a BEGIN READ WRITE of its own.
//
// # Testing
//
// A program that uses dualsql can be tested on two SQLite files in a temporary directory, with the same protocol as in
// production, or on go-sqlmock, to which dualsql sends nothing but the program's own statements:
//
//	primary.driver=sqlmock primary=a secondary.driver=sqlmock secondary=b journal=/tmp/test
//
// A *sql.DB gives the journal back when it is closed: a test closes it before its directory is removed.
package dualsql
