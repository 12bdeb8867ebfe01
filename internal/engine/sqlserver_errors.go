package engine

import (
	"errors"

	mssql "github.com/microsoft/go-mssqldb"
)

// Error numbers ("Database engine events and errors"; for Azure SQL "Troubleshoot common connectivity issues").
const (
	mssqlDuplicateKey    = 2627
	mssqlDuplicateInsert = 2601
)

// mssqlPasses are errors that may pass by themselves.
var mssqlPasses = map[int32]bool{
	1204: true, 1205: true, 1222: true, // no more locks, deadlock, lock time-out
	3935: true, 3960: true, // snapshot conflicts
	701: true, 802: true, 8645: true, 8651: true, // memory
	1105: true, 9002: true, // the file group, the log is full
	904: true, 921: true, 922: true, 927: true, 942: true, 945: true, 976: true, 983: true, // the database is starting, restored, not accessible here
	6005: true, 17142: true, // the server is shutting down, is paused
	4060: true, 4221: true, // the database cannot be opened, a login waits for too long: during a failover
	10928: true, 10929: true, 40501: true, 40549: true, 40550: true, 49918: true, 49919: true, 49920: true, // too busy
}

// mssqlLosesSession are errors after which the connection is lost, and with it the answer to what was running.
var mssqlLosesSession = map[int32]bool{
	64: true, 233: true, 10053: true, 10054: true, 10060: true, 4014: true, // the network
	596: true, 6005: true, // the session is killed, the server is shutting down
	40143: true, 40197: true, 40540: true, 40613: true, // Azure SQL moves the database
}

// mssqlLost: errors of class 20 and above end the connection ("Database Engine error severities").
func mssqlLost(e mssql.Error) bool {
	for _, one := range append([]mssql.Error{e}, e.All...) {
		if one.Class >= 20 || mssqlLosesSession[one.Number] {
			return true
		}
	}
	return false
}

// mssqlOutcomeUnknown: only an answer of the server's that leaves the connection alive tells that a COMMIT failed. go-mssqldb's
// RetryableError is driver.ErrBadConn to errors.Is although its request may have been sent.
func mssqlOutcomeUnknown(err error) bool {
	var e mssql.Error
	var fatal mssql.ServerError
	return errors.As(err, &fatal) || !errors.As(err, &e) || mssqlLost(e)
}

func mssqlNumber(err error) int32 {
	var e mssql.Error
	errors.As(err, &e)
	return e.Number
}

// mssqlUndone reports whether err is the engine's own refusal of a statement, which it has undone ("Transactions (Transact-SQL)",
// SET XACT_ABORT): not what a procedure, a trigger, RAISERROR or THROW says.
func mssqlUndone(err error) bool {
	var e mssql.Error
	if mssqlOutcomeUnknown(err) || !errors.As(err, &e) {
		return false
	}
	for _, one := range append([]mssql.Error{e}, e.All...) {
		if one.Number == 0 || one.Number >= 50000 || one.ProcName != "" {
			return false
		}
	}
	return true
}
