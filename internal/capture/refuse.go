package capture

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// refused says why the statement cannot be mirrored as rows; nil if it can.
func (r *reader) refused() error {
	t := r.table
	err := r.refusedTable()
	if err == nil && r.changes() {
		err = r.refusedChange()
	}
	for i := range t.Triggers {
		if err == nil && r.fires(&t.Triggers[i]) {
			err = r.refusedTrigger(&t.Triggers[i])
		}
	}
	if err != nil {
		return fmt.Errorf("table %s: %w", t.Name, err)
	}
	for _, f := range r.functions {
		if engine.WritesBeyond(f) {
			return fmt.Errorf("it may call %s.%s(), which is volatile and could write what nobody sees; call it in a statement of its own, and pass its result",
				f.Schema, f.Name)
		}
	}
	return nil
}

func (r *reader) refusedTable() error {
	t := r.table
	switch {
	case t.Kind != "r" && t.Kind != "p":
		return errors.New("it is no ordinary table; write to the tables behind it")
	case t.Rules:
		return errors.New("it has rules, which may turn the statement into another; drop them")
	case t.Foreign:
		return errors.New("it has partitions that are foreign tables; write to the others by their names")
	case t.Inherits:
		return errors.New("it inherits or is inherited from; use partitions")
	case t.RowSecurity:
		return errors.New("with row level security, handing rows back may change which rows are written")
	case !strings.HasPrefix(t.DateStyle, "ISO"):
		return fmt.Errorf("the session's datestyle is %s, in which times are not exact; set it to ISO", t.DateStyle)
	case t.Intervals == "sql_standard":
		return errors.New("the session's intervalstyle is sql_standard, in which signs are not plain; set it to postgres")
	case t.FloatDigits < 1:
		return fmt.Errorf("the session's extra_float_digits is %d, with which floating point numbers are not exact; set it to 1", t.FloatDigits)
	case !t.ArrayNulls:
		return errors.New("the session's array_nulls is off, with which an array's NULL is not told from a text; set it to on")
	case !slices.ContainsFunc(t.Columns, func(c engine.Column) bool { return !c.Generated }):
		return errors.New("it has no columns that can be written")
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Padded || c.OwnCast || slices.ContainsFunc(c.Made, inexact) {
			return fmt.Errorf("the values of column %s (%s) cannot be carried over exactly", c.Name, c.Type)
		}
	}
	return nil
}

// inexact: money's text depends on a setting, object numbers and transaction numbers are the database's own, and the cast of "char"
// takes one byte.
func inexact(typeName string) bool {
	switch typeName {
	case "money", "oid", "xid", "xid8", "cid", "tid", "char", "pg_lsn", "pg_snapshot", "txid_snapshot", "aclitem":
		return true
	}
	return strings.HasPrefix(typeName, "reg")
}

// refusedChange: rows that were there are found by their key.
func (r *reader) refusedChange() error {
	t := r.table
	switch {
	case len(t.Key) == 0:
		return errNoKey
	case t.CascadesInto != "":
		return fmt.Errorf("a foreign key's action may change %s along, which has triggers or a default of its own", t.CascadesInto)
	case t.Kind == "p" && r.dml.Conflict == sqltext.ConflictUpdate:
		return errors.New("ON CONFLICT DO UPDATE on a partitioned table does not tell what it has inserted; name the partition")
	}
	for _, name := range t.Key {
		if c := r.column(name); c != nil && c.Generated && r.dml.Verb != "DELETE" {
			return fmt.Errorf("the key's column %s is generated, and may change with the row", name)
		}
	}
	for _, name := range r.dml.Set {
		switch c := r.column(name); {
		case c == nil: // PostgreSQL cuts names off at 63 bytes
			return fmt.Errorf("it has no column %s", name)
		case slices.Contains(t.Key, name):
			return fmt.Errorf("the statement sets %s, which is part of the key by which the secondary's rows are found; delete the row and insert another", name)
		case c.Identity == "a":
			return fmt.Errorf("the statement sets the identity column %s", name)
		}
	}
	return nil
}

// plainTriggers are triggers' functions that change nothing but the row, and are not written in PL/pgSQL.
var plainTriggers = []string{"tsvector_update_trigger_byid", "tsvector_update_trigger_bycolumn", "suppress_redundant_updates_trigger"}

// writing are the words of PL/pgSQL by which more than the row may change.
var writing = map[string]bool{"INSERT": true, "UPDATE": true, "DELETE": true, "MERGE": true, "TRUNCATE": true, "COPY": true, "EXECUTE": true,
	"PERFORM": true, "CALL": true, "NOTIFY": true, "CREATE": true, "DROP": true, "ALTER": true, "LOCK": true, "OPEN": true, "SET": true, "DO": true}

// refusedTrigger: what a BEFORE trigger makes of the row is in the rows that come back. What any trigger does beyond that is
// done on both sides, by each in its own way.
func (r *reader) refusedTrigger(g *engine.Trigger) error {
	switch {
	case !g.Before || !g.Row:
		return fmt.Errorf("its trigger %s runs on both sides, and what it does is not carried over; move what it does into the program", g.Name)
	case g.Language == "plpgsql":
		if word := sqltext.FirstWord(g.Source, writing); word != "" {
			return fmt.Errorf("its trigger %s may change more than the row: it says %s", g.Name, word)
		}
	case g.Builtin && slices.Contains(plainTriggers, g.Source):
	default:
		return fmt.Errorf("its trigger %s is not in PL/pgSQL, and what it does cannot be read", g.Name)
	}
	return nil
}
