package dualsql_test

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
)

// script is what one side is to get, in this order and nothing else.
type script []step

type step func(sqlmock.Sqlmock)

func (s script) tell(m sqlmock.Sqlmock) {
	for _, f := range s {
		f(m)
	}
}

func begins(m sqlmock.Sqlmock)    { m.ExpectBegin() }
func commits(m sqlmock.Sqlmock)   { m.ExpectCommit() }
func rollsBack(m sqlmock.Sqlmock) { m.ExpectRollback() }

func beginFails(err error) step {
	return func(m sqlmock.Sqlmock) { m.ExpectBegin().WillReturnError(err) }
}

func commitFails(err error) step {
	return func(m sqlmock.Sqlmock) { m.ExpectCommit().WillReturnError(err) }
}

func rollbackFails(err error) step {
	return func(m sqlmock.Sqlmock) { m.ExpectRollback().WillReturnError(err) }
}

// execs is a statement that affects one row.
func execs(text string, args ...driver.Value) step { return execsRows(1, text, args...) }

func execsRows(n int64, text string, args ...driver.Value) step {
	return func(m sqlmock.Sqlmock) {
		m.ExpectExec(text).WithArgs(args...).WillReturnResult(sqlmock.NewResult(0, n))
	}
}

func execFails(err error, text string) step {
	return func(m sqlmock.Sqlmock) { m.ExpectExec(text).WillReturnError(err) }
}

// execHangs is a statement that ends with its context only.
func execHangs(text string) step {
	return func(m sqlmock.Sqlmock) {
		m.ExpectExec(text).WillDelayFor(time.Hour).WillReturnResult(sqlmock.NewResult(0, 1))
	}
}

// queries returns one row of one column for each value.
func queries(text string, values ...driver.Value) step {
	return func(m sqlmock.Sqlmock) {
		rows := sqlmock.NewRows([]string{"v"})
		for _, v := range values {
			rows.AddRow(v)
		}
		m.ExpectQuery(text).WillReturnRows(rows)
	}
}

func queryFails(err error, text string) step {
	return func(m sqlmock.Sqlmock) { m.ExpectQuery(text).WillReturnError(err) }
}

func prepares(text string) step {
	return func(m sqlmock.Sqlmock) { m.ExpectPrepare(text) }
}

func prepareFails(err error, text string) step {
	return func(m sqlmock.Sqlmock) { m.ExpectPrepare(text).WillReturnError(err) }
}

// wantOne checks the value of a row of one column.
func wantOne(row *sql.Row, want string) error {
	var got string
	if err := row.Scan(&got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the caller got %q, want %q", got, want)
	}
	return nil
}
