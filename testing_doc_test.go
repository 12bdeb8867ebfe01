package dualsql_test

// The tests of this file are the source of the snippets in docs/testing.md, and stand as a user's tests would.

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/dualsql/dualsql"
)

// openMockPair returns a pool on two sqlmocks.
func openMockPair(t *testing.T) (db *sql.DB, primary, secondary sqlmock.Sqlmock) {
	t.Helper()
	mock := func(name string) sqlmock.Sqlmock {
		own, m, err := sqlmock.NewWithDSN(name, sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { own.Close() })
		return m
	}
	p, s := t.Name()+"/primary", t.Name()+"/secondary"
	primary, secondary = mock(p), mock(s)
	db, err := sql.Open("dualsql", fmt.Sprintf(
		"primary.driver=sqlmock primary='%s' secondary.driver=sqlmock secondary='%s' journal='%s'",
		p, s, filepath.ToSlash(t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, primary, secondary
}

// transfer is the code under test.
func transfer(db *sql.DB, from, to, amount int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var balance int
	if err := tx.QueryRow("select balance from account where id = ?", from).Scan(&balance); err != nil {
		return err
	}
	if balance < amount {
		return errors.New("not enough money")
	}
	if _, err := tx.Exec("update account set balance = balance - ? where id = ?", amount, from); err != nil {
		return err
	}
	if _, err := tx.Exec("update account set balance = balance + ? where id = ?", amount, to); err != nil {
		return err
	}
	return tx.Commit()
}

const (
	readBalance = "select balance from account where id = ?"
	debit       = "update account set balance = balance - ? where id = ?"
	credit      = "update account set balance = balance + ? where id = ?"
)

func TestDocTransfer(t *testing.T) {
	db, primary, secondary := openMockPair(t)

	primary.ExpectBegin()
	primary.ExpectQuery(readBalance).WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"balance"}).AddRow(100))
	primary.ExpectExec(debit).WithArgs(30, 1).WillReturnResult(sqlmock.NewResult(0, 1))
	primary.ExpectExec(credit).WithArgs(30, 2).WillReturnResult(sqlmock.NewResult(0, 1))
	primary.ExpectCommit()

	secondary.ExpectBegin()
	secondary.ExpectExec(debit).WithArgs(30, 1).WillReturnResult(sqlmock.NewResult(0, 1))
	secondary.ExpectExec(credit).WithArgs(30, 2).WillReturnResult(sqlmock.NewResult(0, 1))
	secondary.ExpectCommit()

	if err := transfer(db, 1, 2, 30); err != nil {
		t.Error(err)
	}
	if err := primary.ExpectationsWereMet(); err != nil {
		t.Error("primary:", err)
	}
	if err := secondary.ExpectationsWereMet(); err != nil {
		t.Error("secondary:", err)
	}
}

func TestDocNotEnough(t *testing.T) {
	db, primary, secondary := openMockPair(t)

	primary.ExpectBegin()
	primary.ExpectQuery(readBalance).WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"balance"}).AddRow(10))
	primary.ExpectRollback()
	// The secondary gets nothing: the transaction has only read.

	if err := transfer(db, 1, 2, 30); err == nil {
		t.Error("no error")
	}
	if err := errors.Join(primary.ExpectationsWereMet(), secondary.ExpectationsWereMet()); err != nil {
		t.Error(err)
	}
}

func TestDocDivergence(t *testing.T) {
	db, primary, secondary := openMockPair(t)

	primary.ExpectBegin()
	primary.ExpectExec("delete from account").WillReturnResult(sqlmock.NewResult(0, 2))
	primary.ExpectRollback()
	secondary.ExpectBegin()
	secondary.ExpectExec("delete from account").WillReturnResult(sqlmock.NewResult(0, 3))
	secondary.ExpectRollback()

	_, err := db.Exec("delete from account")
	var divergence *dualsql.DivergenceError
	if !errors.As(err, &divergence) || divergence.Primary != 2 || divergence.Secondary != 3 {
		t.Error(err)
	}
	if err := errors.Join(primary.ExpectationsWereMet(), secondary.ExpectationsWereMet()); err != nil {
		t.Error(err)
	}
}

func TestDocUnreachable(t *testing.T) {
	own, primary, err := sqlmock.NewWithDSN("reachable", sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close() })
	// There is no sqlmock of the name that the secondary has: connecting to it fails.
	db, err := sql.Open("dualsql", "primary.driver=sqlmock primary=reachable secondary.driver=sqlmock secondary=unreachable journal='"+
		filepath.ToSlash(t.TempDir())+"'")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	primary.ExpectBegin()
	primary.ExpectRollback()
	_, err = db.Exec("delete from account")
	var side *dualsql.SideError
	if !errors.As(err, &side) || side.Side != "secondary" {
		t.Error(err)
	}

	primary.ExpectQuery("select 1").WillReturnRows(sqlmock.NewRows([]string{"n"}).AddRow(1))
	var n int
	if err := db.QueryRow("select 1").Scan(&n); err != nil {
		t.Error("reads must go on:", err)
	}
}

func TestDocSecondaryFails(t *testing.T) {
	db, primary, secondary := openMockPair(t)

	primary.ExpectBegin()
	primary.ExpectExec("delete from account").WillReturnResult(sqlmock.NewResult(0, 1))
	primary.ExpectRollback()
	secondary.ExpectBegin()
	secondary.ExpectExec("delete from account").WillReturnError(errors.New("disk full"))
	secondary.ExpectRollback()

	_, err := db.Exec("delete from account")
	var side *dualsql.SideError
	if !errors.As(err, &side) || side.Side != "secondary" {
		t.Error(err)
	}
	if err := errors.Join(primary.ExpectationsWereMet(), secondary.ExpectationsWereMet()); err != nil {
		t.Error(err)
	}
}

func TestDocInDoubt(t *testing.T) {
	db, primary, secondary := openMockPair(t)

	primary.ExpectBegin()
	primary.ExpectExec("delete from account").WillReturnResult(sqlmock.NewResult(0, 1))
	primary.ExpectCommit().WillReturnError(errors.New("connection reset"))
	secondary.ExpectBegin()
	secondary.ExpectExec("delete from account").WillReturnResult(sqlmock.NewResult(0, 1))
	secondary.ExpectRollback()

	_, err := db.Exec("delete from account")
	var doubt *dualsql.InDoubtError
	if !errors.As(err, &doubt) {
		t.Fatal(err)
	}
	connector, err := dualsql.FromDB(db)
	if err != nil {
		t.Fatal(err)
	}
	pending, err := connector.Pending()
	if err != nil || len(pending) != 1 || pending[0].TxID != doubt.TxID {
		t.Error(pending, err)
	}
}

func TestDocHalfDone(t *testing.T) {
	db, primary, secondary := openMockPair(t)

	primary.ExpectBegin()
	primary.ExpectExec("delete from account").WillReturnResult(sqlmock.NewResult(0, 1))
	primary.ExpectCommit()
	secondary.ExpectBegin()
	secondary.ExpectExec("delete from account").WillReturnResult(sqlmock.NewResult(0, 1))
	secondary.ExpectCommit().WillReturnError(errors.New("connection reset"))

	_, err := db.Exec("delete from account")
	var half *dualsql.HalfDoneError
	if !errors.As(err, &half) || half.Committed != "primary" || half.Pending != "secondary" {
		t.Error(err)
	}
}

// TestDocSnippets: what docs/testing.md shows stands in this file, but for the indentation.
func TestDocSnippets(t *testing.T) {
	source, err := os.ReadFile("testing_doc_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("docs", "testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(page), "```go\n")
	if len(parts) < 5 {
		t.Fatalf("%d snippets", len(parts)-1)
	}
	for _, part := range parts[1:] {
		snippet, _, closed := strings.Cut(part, "```")
		if !closed || !strings.Contains(unindented(string(source)), unindented(snippet)) {
			t.Errorf("this snippet is in no test:\n%s", snippet)
		}
	}
}

func unindented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
