package tsql

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// transactionState is the session's transaction; count is @@TRANCOUNT.
type transactionState struct {
	count      int
	descriptor uint64
	name       string
	saves      []string
	sent       bool // PostgreSQL knows of it: BEGIN goes out with the first statement
	gone       bool // PostgreSQL has rolled it back, and the client has yet to
	doomed     bool // only a rollback is allowed: XACT_STATE() is -1
}

var descriptors atomic.Uint64

// transaction is BEGIN, COMMIT, ROLLBACK or SAVE TRANSACTION.
type transaction struct {
	verb    string
	name    code
	delayed bool
}

func (t *transaction) run(f *frame) error {
	name := ""
	if t.name != nil {
		v, err := f.text(operand{code: t.name})
		if err != nil {
			return err
		}
		name = v
	}
	err := f.transact(t.verb, name, t.delayed)
	if err == nil {
		f.done(tds.Done{})
	}
	return err
}

func (f *frame) transact(verb, name string, delayed bool) error {
	switch verb {
	case "BEGIN":
		f.beginTransaction(name)
		return nil
	case "COMMIT":
		return f.commit(delayed)
	case "ROLLBACK":
		return f.rollback(name)
	}
	return f.save(name)
}

func (f *frame) beginTransaction(name string) {
	t := &f.s.tran
	if t.count++; t.count == 1 {
		t.descriptor, t.name = descriptors.Add(1), name
		f.out.Tran(tds.TranBegun, t.descriptor)
	}
}

const doomedText = "The current transaction cannot be committed and cannot support operations that write to the log file. " +
	"Roll back the transaction."

// commit only counts down but for the outermost transaction ("COMMIT TRANSACTION").
func (f *frame) commit(delayed bool) error {
	t := &f.s.tran
	switch {
	case t.count == 0:
		return fail(3902, 1, 16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")
	case t.doomed:
		return fail(3930, 1, 16, doomedText)
	case t.count > 1:
		t.count--
		return nil
	}
	text := "commit"
	if delayed {
		text = "set local synchronous_commit = off; commit"
	}
	return f.endTransaction(text, tds.TranCommitted)
}

func (f *frame) rollback(name string) error {
	t := &f.s.tran
	switch {
	case t.count == 0:
		return fail(3903, 1, 16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.")
	case name == "" || name == t.name:
		return f.endTransaction("rollback", tds.TranRolledBack)
	case !slices.Contains(t.saves, name):
		return fail(6401, 1, 16, "Cannot roll back %s. No transaction or savepoint of that name was found.", name)
	case t.doomed:
		return fail(3931, 1, 16, "The current transaction cannot be committed and cannot be rolled back to a savepoint. Roll back the "+
			"entire transaction.")
	}
	f.s.sentTimeout = unknownTimeout
	return f.control("rollback to savepoint " + savepoint(name))
}

func (f *frame) save(name string) error {
	t := &f.s.tran
	switch {
	case t.count == 0:
		return fail(628, 1, 16, "Cannot issue SAVE TRANSACTION when there is no active transaction.")
	case t.doomed:
		return fail(3930, 1, 16, doomedText)
	}
	if err := f.control("savepoint " + savepoint(name)); err != nil {
		return err
	}
	t.saves = append(t.saves, name)
	return nil
}

// savepoint: no name of a client's is that of the mark of a statement.
func savepoint(name string) string { return ident("save " + name) }

// control sends a text that is no statement of the client's, within its transaction.
func (f *frame) control(text string) error {
	if !f.s.tran.sent {
		text = f.s.beginText() + "; " + text
	}
	_, err := f.s.ask(context.Background(), text)
	f.s.tran.sent = true
	return err
}

// endTransaction ends the outermost transaction, and its application locks with it.
func (f *frame) endTransaction(text string, event tds.TranEvent) error {
	s := f.s
	unlock := s.forgetApplocks(true)
	if s.tran.sent && !s.tran.gone {
		if unlock != "" {
			text += "; " + unlock
		}
		unlock = ""
	} else {
		text = ""
	}
	descriptor := s.tran.descriptor
	var err error
	if text != "" || unlock != "" {
		_, err = s.ask(context.Background(), text+unlock)
	}
	var pe *pgconn.PgError
	if err != nil && (!errors.As(err, &pe) || s.pg.TxStatus() != 'I') {
		return err
	}
	s.tran = transactionState{}
	s.sentTimeout = unknownTimeout
	if err == nil {
		f.out.Tran(event, descriptor)
		return nil
	}
	f.out.Tran(tds.TranRolledBack, descriptor)
	fl, err := f.translate(pe, &command{verb: "COMMIT"})
	if err != nil {
		return err
	}
	fl.reach = endsTransaction
	return fl
}
