package tsql

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// work is what PostgreSQL is asked to do as one statement: the texts go out together, and either all of them count or none.
type work struct {
	before, after []string
	main          string
	release       bool // row locks are given up at once
	reads         bool
	kept          bool                               // the transaction outlives even a deadlock
	command       *command                           // for the errors; nil where there is none
	take          func(r *pgconn.ResultReader) error // reads the main text's result; nil drops it
}

// mark is the savepoint that undoes a statement alone.
const mark = `"~"`

// perform runs w within the session's transaction, or as a transaction of its own. An error of PostgreSQL becomes a *failure, and
// leaves the transaction as it was before, or none at all.
func (f *frame) perform(w work) (pgconn.CommandTag, error) {
	s := f.s
	if s.tran.doomed && !w.reads {
		return pgconn.CommandTag{}, fail(3930, 1, 16, "The current transaction cannot be committed and cannot support operations that "+
			"write to the log file. Roll back the transaction.")
	}
	var texts []string
	timed := s.sentTimeout != s.lockTimeout
	if timed {
		texts = append(texts, s.setTimeout())
	}
	open := s.tran.count > 0 && !s.tran.gone
	own := !open && s.level != tds.ReadCommitted && s.level != tds.ReadUncommitted
	marked := open && (!s.xactAbort || s.tries > 0 || w.release || w.kept)
	if open && !s.tran.sent || own {
		texts = append(texts, s.beginText())
	}
	if marked {
		texts = append(texts, "savepoint "+mark)
	}
	texts = append(texts, w.before...)
	main := len(texts)
	texts = append(texts, w.main)
	texts = append(texts, w.after...)
	switch {
	case marked && w.release:
		texts = append(texts, "rollback to savepoint "+mark, "release savepoint "+mark)
	case marked:
		texts = append(texts, "release savepoint "+mark)
	case own:
		texts = append(texts, "commit")
	}
	tag, err := s.send(texts, main, w.take)
	if open && s.pg.TxStatus() != 'I' {
		s.tran.sent = true
	}
	if timed {
		s.sentTimeout = s.lockTimeout
	}
	if err == nil {
		return tag, nil
	}
	return tag, f.recover(err, w, open, marked)
}

// recover brings PostgreSQL back to where it was before the statement that has failed.
func (f *frame) recover(err error, w work, open, marked bool) error {
	s := f.s
	s.sentTimeout = unknownTimeout // a SET is undone with its transaction
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Severity == "FATAL" || pe.Severity == "PANIC" {
		return err // the session is lost, or has been cancelled before; or PostgreSQL has no part in it
	}
	cancelled := pe.Code == "57014" && isClosed(s.cancelled)
	conflict := !w.kept && (pe.Code == "40001" || pe.Code == "40P01")
	switch {
	case s.pg.TxStatus() == 'I':
	case open && marked && !conflict:
		if _, err := s.ask(context.Background(), "rollback to savepoint "+mark+"; release savepoint "+mark); err != nil {
			return err
		}
	default:
		if _, err := s.ask(context.Background(), "rollback"); err != nil {
			return err
		}
	}
	gone := open && s.pg.TxStatus() == 'I'
	s.tran.gone = s.tran.gone || gone
	if cancelled {
		return errCancel
	}
	translated, err := f.translate(pe, w.command)
	if err != nil {
		return err
	}
	translated.lost = gone
	return translated
}

// send runs texts of one statement each. Only the cancel of the request ends it early.
func (s *session) send(texts []string, main int, take func(r *pgconn.ResultReader) error) (tag pgconn.CommandTag, err error) {
	if err := s.enter(); err != nil {
		return tag, err
	}
	defer s.leave()
	results := s.pg.Exec(context.Background(), strings.Join(texts, ";\n"))
	var takeErr error
	for i := 0; results.NextResult(); i++ {
		r := results.ResultReader()
		if i == main && take != nil {
			takeErr = take(r)
		}
		t, _ := r.Close() // the error is that of results too
		if i == main {
			tag = t
		}
	}
	err = results.Close()
	return tag, errors.Join(err, takeErr)
}

// unknownTimeout is the lock_timeout of a PostgreSQL session of which it is not known.
const unknownTimeout = -2

// setTimeout: 0 of SET LOCK_TIMEOUT does not wait, and 0 of PostgreSQL waits for ever ("SET LOCK_TIMEOUT").
func (s *session) setTimeout() string {
	ms := s.lockTimeout
	switch ms {
	case 0:
		ms = 1
	case -1:
		ms = 0
	}
	return "set lock_timeout = " + strconv.Itoa(ms)
}

// beginText begins a transaction of the session's isolation level. READ COMMITTED reads versions of rows (READ_COMMITTED_SNAPSHOT
// ON), as it does in PostgreSQL.
func (s *session) beginText() string {
	switch s.level {
	case tds.RepeatableRead, tds.Snapshot:
		return "begin isolation level repeatable read"
	case tds.Serializable:
		return "begin isolation level serializable"
	}
	return "begin isolation level read committed"
}
