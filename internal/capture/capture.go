// Package capture is row mode: it finds out whether the text of a write means the same on both sides, and where it does not,
// has the primary hand back the rows that the write has made, and says what brings just those rows to the secondary.
//
// It relies on the catalog of a PostgreSQL primary ([engine.Cataloged]) and knows nothing of transactions. What it cannot do
// exactly it says before anything runs.
package capture

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// Plan says how one text can be mirrored, in one state of the catalog.
type Plan struct {
	// Differs is why the text may do different things on the two sides; "" if it does the same.
	Differs string
	// Rows mirrors what it does as rows; nil if that cannot be done exactly, and Why says why.
	Rows *Rows
	Why  error
	// Seen is what all this relies on.
	Seen engine.Seen
}

// Read makes the plan of a statement that is one INSERT, UPDATE or DELETE, for a secondary of that engine.
func Read(ctx context.Context, cat engine.Cataloged, st *sqltext.Statement, secondary engine.Engine) (*Plan, error) {
	dml, err := st.ReadDML()
	if err != nil {
		return &Plan{Differs: err.Error(), Why: err}, nil
	}
	table, err := cat.Table(ctx, dml.Schema, dml.Table)
	if err != nil {
		return nil, err
	}
	if table == nil {
		why := fmt.Errorf("the primary has no table %s", dml.Table)
		return &Plan{Differs: why.Error(), Why: why}, nil
	}
	r := &reader{dml: dml, table: table}
	if err := r.lookUp(ctx, cat); err != nil {
		return nil, err
	}
	p := &Plan{Differs: r.differs(), Seen: r.seen()}
	if secondary != engine.Postgres {
		p.Differs = "the sides are of different engines"
	}
	if p.Why = r.refused(); p.Why == nil {
		p.Rows, p.Why = newRows(st.Text, dml, table, secondary)
	}
	return p, nil
}

// reader is what is known of one statement.
type reader struct {
	dml       *sqltext.DML
	table     *engine.Table
	functions []engine.Function
}

// fires reports whether the statement fires the trigger.
func (r *reader) fires(g *engine.Trigger) bool {
	if r.table.Kind == "p" {
		return true // an UPDATE that moves a row is a DELETE and an INSERT for the partitions
	}
	switch r.dml.Verb {
	case "INSERT":
		return g.Insert || g.Update && r.dml.Conflict == sqltext.ConflictUpdate
	case "UPDATE":
		return g.Update
	}
	return g.Delete
}

// inserts reports whether rows may come into being.
func (r *reader) inserts() bool { return r.dml.Verb == "INSERT" }

// changes reports whether rows may change or go that were there before.
func (r *reader) changes() bool {
	return r.dml.Verb != "INSERT" || r.dml.Conflict == sqltext.ConflictUpdate
}

// lookUp asks the catalog for all functions that the statement may call: in its text, in defaults and in triggers.
func (r *reader) lookUp(ctx context.Context, cat engine.Cataloged) error {
	calls := slices.Clone(r.dml.Calls)
	if r.inserts() || r.dml.Default {
		for i := range r.table.Columns {
			if d := r.table.Columns[i].Default; d != nil {
				_, more := sqltext.ReadExpression(*d)
				calls = append(calls, more...)
			}
		}
	}
	for i := range r.table.Triggers {
		if g := &r.table.Triggers[i]; r.fires(g) && g.Language == "plpgsql" {
			calls = append(calls, sqltext.Parse(g.Source, sqltext.Postgres).Calls...)
		}
	}
	if len(calls) == 0 {
		return nil
	}
	var err error
	r.functions, err = cat.Functions(ctx, calls)
	return err
}

func (r *reader) seen() engine.Seen {
	stamps := map[string]int64{}
	for _, f := range r.functions {
		stamps[f.Name] = f.Stamp
	}
	seen := engine.Seen{Table: r.table.OID, Stamp: r.table.Stamp}
	var names [][]driver.Value
	for _, name := range slices.Sorted(maps.Keys(stamps)) {
		names = append(names, []driver.Value{name})
		seen.FunctionStamp += stamps[name]
	}
	if len(names) > 0 {
		seen.Functions = array(names, 0)
	}
	return seen
}

// steady reports whether all functions that calls may mean give the same results on both sides, and which one may not.
func (r *reader) steady(calls []sqltext.Function) (string, bool) {
	for _, c := range calls {
		for _, f := range r.functions {
			if f.Name != c.Name || c.Schema != "" && c.Schema != f.Schema || f.Volatility == "i" && f.Kind == "f" {
				continue
			}
			if f.Schema != "pg_catalog" || !steady[f.Name] || f.Volatility == "v" {
				return c.Name, false
			}
		}
	}
	return "", true
}

// steady are stable functions of PostgreSQL whose results follow from their arguments and from settings that both sessions
// have alike.
var steady = map[string]bool{
	"array_to_json": true, "array_to_string": true, "concat": true, "concat_ws": true, "date_bin": true, "date_part": true,
	"date_trunc": true, "extract": true, "format": true, "generate_series": true, "interval": true, "json_build_array": true,
	"json_build_object": true, "json_object": true, "jsonb_build_array": true, "jsonb_build_object": true, "make_timestamptz": true,
	"quote_literal": true, "quote_nullable": true, "row_to_json": true, "timezone": true, "to_char": true, "to_date": true,
	"to_json": true, "to_jsonb": true, "to_timestamp": true, "to_tsvector": true,
}

// differs says why the text may do different things on the two sides, which have the same rows; "" if it does the same.
//
// A statement that reads no other rows than it changes is safe beside other transactions too: the rows that it has changed on
// the primary stay locked there, so on the secondary it meets at least them, and the numbers of rows are compared. One that
// reads others may find them newer there.
func (r *reader) differs() string {
	t := r.table
	switch {
	case t.Kind != "r" && t.Kind != "p" || t.Rules || t.Inherits || t.Foreign:
		return "what is written through " + t.Name + " goes to other tables"
	case t.RowSecurity:
		return "which rows of " + t.Name + " a session sees depends on row security policies"
	case r.changes() && t.CascadesInto != "":
		return "it may change " + t.CascadesInto + " along, which has triggers or defaults of its own"
	case r.dml.Reads:
		return "it reads other rows than those that it changes"
	case r.dml.Varies != "":
		return r.dml.Varies + " is not the same for every session and moment"
	}
	for i := range t.Triggers {
		if r.fires(&t.Triggers[i]) {
			return "the trigger " + t.Triggers[i].Name + " has its own hand in it"
		}
	}
	if f, ok := r.steady(r.dml.Calls); !ok {
		return f + "() is not immutable"
	}
	for _, name := range r.dml.Dotted {
		if r.column(name) == nil && name != t.Name {
			return name + " is no column of " + t.Name
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if !r.defaulted(i) {
			continue
		}
		if c.Identity != "" {
			return "the identity column " + c.Name + " gets its value from a sequence"
		}
		if c.Default == nil {
			continue
		}
		varies, calls := sqltext.ReadExpression(*c.Default)
		if _, ok := r.steady(calls); !ok || varies != "" {
			return "the column " + c.Name + " has the default " + *c.Default
		}
	}
	return ""
}

// defaulted reports whether column i of the table may get its default.
func (r *reader) defaulted(i int) bool {
	name := r.table.Columns[i].Name
	if !r.inserts() {
		return r.dml.Default && slices.Contains(r.dml.Set, name)
	}
	switch d := r.dml; {
	case d.Default || d.DefaultValues || d.OverridingUser:
		return true
	case d.Columns != nil:
		return !slices.Contains(d.Columns, name)
	default:
		return i >= d.Values
	}
}

func (r *reader) column(name string) *engine.Column {
	if i := slices.IndexFunc(r.table.Columns, func(c engine.Column) bool { return c.Name == name }); i >= 0 {
		return &r.table.Columns[i]
	}
	return nil
}

// errNoKey is what most tables that are refused lack.
var errNoKey = errors.New("it has no primary key, and no unique index over columns that are NOT NULL, by which the secondary's rows could be found: give it one")
