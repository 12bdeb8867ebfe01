package tsql

import (
	"github.com/dualsql/dualsql/internal/testdb/tds"
)

type switched struct {
	name string
	on   bool
}

func (s *switched) run(f *frame) error {
	switch s.name {
	case "XACT_ABORT":
		f.s.xactAbort = s.on
	case "NOCOUNT":
		f.s.noCount = s.on
	}
	f.done(tds.Done{})
	return nil
}

type lockTimeout struct{ value operand }

func (s *lockTimeout) run(f *frame) error {
	n, err := f.int(s.value)
	if err != nil {
		return err
	}
	f.s.lockTimeout = int(max(n, -1))
	f.done(tds.Done{})
	return nil
}

// isolation is SET TRANSACTION ISOLATION LEVEL. A transaction of PostgreSQL keeps the level that it has begun with.
type isolation tds.Isolation

func (s isolation) run(f *frame) error {
	if err := s.set(f); err != nil {
		return err
	}
	f.done(tds.Done{})
	return nil
}

func (s isolation) set(f *frame) error {
	if f.s.tran.sent && tds.Isolation(s) != f.s.level {
		return unknown(f.line, "SET TRANSACTION ISOLATION LEVEL in a transaction that has read or written something")
	}
	f.s.level = tds.Isolation(s)
	return nil
}

// identityInsert is SET IDENTITY_INSERT: one table at a time.
type identityInsert struct {
	table *table
	on    bool
}

func (s *identityInsert) run(f *frame) error {
	name := s.table.display()
	shape, err := f.s.shape(s.table)
	switch {
	case err != nil:
		return err
	case len(shape.columns) == 0 && shape.identity == "":
		return fail(1088, 11, 16, "Cannot find the object \"%s\" because it does not exist or you do not have permissions.", s.table.written)
	case shape.identity == "":
		return fail(8106, 1, 16, "Table '%s' does not have the identity property. Cannot perform SET operation.", s.table.written)
	case !s.on && f.s.identityInsert == name:
		f.s.identityInsert = ""
	case s.on && f.s.identityInsert != "" && f.s.identityInsert != name:
		return fail(8107, 1, 16, "IDENTITY_INSERT is already ON for table '%s.%s'. Cannot perform SET operation for table '%s'.",
			f.s.database, f.s.identityInsert, s.table.written)
	case s.on:
		f.s.identityInsert = name
	}
	f.done(tds.Done{})
	return nil
}

type use struct{ name string }

func (s *use) run(f *frame) error {
	if s.name != f.s.database {
		return fail(911, 1, 16, "Database '%s' does not exist. Make sure that the name is entered correctly.", s.name)
	}
	f.done(tds.Done{})
	return nil
}

type databaseOption struct {
	name       string // "" for CURRENT
	durability string // "" for an option that is as it should be already
}

func (s *databaseOption) run(f *frame) error {
	if s.name != "" && s.name != f.s.database {
		return fail(5011, 5, 14, "User does not have permission to alter database '%s', the database does not exist, or the database is not in "+
			"a state that allows access checks.", s.name)
	}
	if f.s.tran.count > 0 {
		return fail(226, 5, 16, "ALTER DATABASE statement not allowed within multi-statement transaction.")
	}
	if s.durability != "" {
		_, err := f.perform(work{main: "update tsql.setting set value = " + literal(s.durability) + " where name = 'delayed_durability'"})
		if err != nil {
			return err
		}
	}
	f.done(tds.Done{})
	return nil
}
