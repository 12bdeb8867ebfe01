package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"
)

// answered is what the server says and goes on.
func answered(numbers ...int32) error {
	var e mssql.Error
	for _, n := range numbers {
		e.All = append(e.All, mssql.Error{Number: n, Class: 16})
	}
	all := e.All
	e = all[len(all)-1]
	e.All = all
	return e
}

// TestSQLServerErrors is what follows from an error: of a COMMIT, of a statement, and for a recovery.
func TestSQLServerErrors(t *testing.T) {
	fatal := mssql.Error{Number: 823, Class: 24}
	procedure := mssql.Error{Number: 2627, Class: 14, ProcName: "p"}
	for _, c := range []struct {
		name                       string
		err                        error
		unknown, undone, transient bool
	}{
		{"duplicate key", answered(2627, 3621), false, true, false},
		{"foreign key", answered(547), false, true, false},
		{"deadlock", answered(1205), false, true, true},
		{"lock time-out", answered(1222), false, true, true},
		{"snapshot conflict", answered(3960), false, true, true},
		{"no transaction", answered(3902), false, true, false},
		{"raiserror", answered(50000), false, false, false},
		{"a statement's error and then the trigger's own", answered(547, 50000), false, false, false},
		{"inside a procedure", procedure, false, false, false},
		{"the driver has found the transaction gone", mssql.Error{}, false, false, false},
		{"the severity that ends the connection", fatal, true, false, true},
		{"the session is killed", answered(596), true, false, true},
		{"Azure moves the database", answered(40197), true, false, true},
		{"Azure, behind another", answered(3998, 40613), true, false, true},
		{"Azure is busy", answered(40501), false, true, true},
		{"the network's end, by number", answered(10054), true, false, true},
		{"end of file", io.EOF, true, false, true},
		{"reset", &net.OpError{Op: "read", Err: errors.New("reset by peer")}, true, false, true},
		{"a stream that breaks off", mssql.StreamError{InnerError: io.ErrUnexpectedEOF}, true, false, true},
		{"the caller has gone", context.Canceled, true, false, false},
		{"the deadline", fmt.Errorf("commit: %w", context.DeadlineExceeded), true, false, true},
		{"the driver would retry", driver.ErrBadConn, true, false, true},
		{"redo meets other rows", errors.New("affects 0 rows, not 1"), true, false, false},
	} {
		if got := mssqlOutcomeUnknown(c.err); got != c.unknown {
			t.Errorf("%s: of a COMMIT the outcome is unknown: %v, want %v", c.name, got, c.unknown)
		}
		if got := mssqlUndone(c.err); got != c.undone {
			t.Errorf("%s: the statement is undone: %v, want %v", c.name, got, c.undone)
		}
		if got := SQLServer.Transient(c.err); got != c.transient {
			t.Errorf("%s: it may pass: %v, want %v", c.name, got, c.transient)
		}
	}
}
