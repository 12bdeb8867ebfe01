package capture

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// Rows mirrors what a statement does as rows. Safe for concurrent use.
type Rows struct {
	// Text is what the primary runs in the statement's place: it hands back, behind the caller's own columns, Extra more.
	Text  string
	Extra int

	verb    string
	upsert  bool
	oid     string // of the table that the name has to mean when the text runs; "": not checked
	columns int    // that are handed back of the table
	writer  writer
}

// Statement is one statement for the secondary.
type Statement struct {
	Text  string
	Args  []driver.NamedValue
	Rows  int64 // that it must affect or, with Query, return
	Query bool
}

// writer makes the statements for one kind of secondary. Each takes the captured columns of all rows, and returns at least one
// statement, also for none: the secondary has its part in the transaction.
type writer interface {
	insert(rows [][]driver.Value) ([]Statement, error)
	update(rows [][]driver.Value) ([]Statement, error)
	remove(rows [][]driver.Value) ([]Statement, error)
	upsert(inserted, changed [][]driver.Value) ([]Statement, error)
}

func newRows(text string, dml *sqltext.DML, t *engine.Table, secondary engine.Engine) (*Rows, error) {
	r := &Rows{verb: dml.Verb, upsert: dml.Conflict == sqltext.ConflictUpdate}
	triggered := slices.ContainsFunc(t.Triggers, func(g engine.Trigger) bool { return g.Update || t.Kind == "p" })
	var columns []*engine.Column
	for i := range t.Columns {
		c := &t.Columns[i]
		key := slices.Contains(t.Key, c.Name)
		if r.verb == "INSERT" || key || r.verb == "UPDATE" && (triggered || c.Generated || slices.Contains(dml.Set, c.Name)) {
			columns = append(columns, c)
		}
	}
	var b strings.Builder
	b.WriteString(text[:dml.End])
	sep := " RETURNING "
	if dml.Returning {
		sep = ", "
	}
	for _, c := range columns {
		b.WriteString(sep + dml.Ref + "." + quote(c.Name) + "::text")
		sep = ", "
	}
	r.columns = len(columns)
	r.Extra = r.columns
	if r.upsert {
		// A row that the statement has locked before it changed it carries the lock's transaction (PostgreSQL, heap_update).
		b.WriteString(sep + "(" + dml.Ref + ".xmax = 0)::text")
		r.Extra++
	}
	if t.Kind == "r" { // the rows of a partitioned table are its partitions'
		r.oid = strconv.FormatUint(uint64(t.OID), 10)
		b.WriteString(sep + dml.Ref + ".tableoid::text")
		r.Extra++
	}
	r.Text = b.String()
	if secondary == engine.Postgres {
		r.writer = newPostgres(t, columns)
		return r, nil
	}
	w, err := newPlain(vendors[secondary], t, columns)
	if err != nil {
		return nil, err
	}
	r.writer = w
	return r, nil
}

// quote quotes an identifier for PostgreSQL and SQLite.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Statements returns what brings the rows to the secondary, in order. rows are those that the primary has handed back; each
// ends with the Extra columns.
func (r *Rows) Statements(rows [][]driver.Value) ([]Statement, error) {
	var inserted, changed [][]driver.Value
	for _, row := range rows {
		extra := row[len(row)-r.Extra:]
		if r.oid != "" && extra[r.Extra-1] != r.oid {
			return nil, engine.ErrStale
		}
		values := extra[:r.columns]
		for i, v := range values {
			if _, ok := v.(string); v != nil && !ok {
				return nil, fmt.Errorf("column %d of the rows came as a %T and not as text", i+1, v)
			}
		}
		if r.verb == "INSERT" && (!r.upsert || extra[r.columns] == "true") {
			inserted = append(inserted, values)
		} else {
			changed = append(changed, values)
		}
	}
	switch {
	case r.verb == "DELETE":
		return r.writer.remove(changed)
	case r.verb == "UPDATE" || len(inserted) == 0 && len(changed) > 0:
		return r.writer.update(changed)
	case len(changed) > 0:
		return r.writer.upsert(inserted, changed)
	}
	return r.writer.insert(inserted)
}
