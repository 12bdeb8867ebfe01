package capture

import (
	"database/sql/driver"
	"errors"
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
	stamp   string
	columns []int // of the table, as they are handed back
	texts   texts
}

// Statement is one statement for the secondary.
type Statement struct {
	Text  string
	Args  []driver.NamedValue
	Rows  int64 // that it must affect or, with Query, return
	Query bool
}

// texts are the secondary's, in its own style; insert, update and remove take the captured rows.
type texts struct {
	insert, update, remove string
}

func newRows(text string, dml *sqltext.DML, t *engine.Table) *Rows {
	r := &Rows{verb: dml.Verb, upsert: dml.Conflict == sqltext.ConflictUpdate}
	triggered := slices.ContainsFunc(t.Triggers, func(g engine.Trigger) bool { return g.Update || t.Kind == "p" })
	for i := range t.Columns {
		c := &t.Columns[i]
		key := slices.Contains(t.Key, c.Name)
		if r.verb == "INSERT" || key || r.verb == "UPDATE" && (triggered || c.Generated || slices.Contains(dml.Set, c.Name)) {
			r.columns = append(r.columns, i)
		}
	}
	var b strings.Builder
	b.WriteString(text[:dml.End])
	sep := " RETURNING "
	if dml.Returning {
		sep = ", "
	}
	for _, i := range r.columns {
		b.WriteString(sep + dml.Ref + "." + quote(t.Columns[i].Name) + "::text")
		sep = ", "
	}
	r.Extra = len(r.columns) + 1
	if r.upsert {
		// A row that the statement has locked before it changed it carries the lock's transaction (PostgreSQL, heap_update).
		b.WriteString(sep + "(" + dml.Ref + ".xmax = 0)::text")
		r.Extra++
	}
	oid := strconv.FormatUint(uint64(t.OID), 10)
	r.stamp = t.Stamp
	from := "''"
	if t.Kind == "r" {
		from = dml.Ref + ".tableoid::text"
		r.stamp = oid + r.stamp
	}
	b.WriteString(sep + "concat(" + from + ", " + engine.TableStamp(oid) + ")")
	r.Text = b.String()
	r.texts = postgresTexts(t, r.columns)
	return r
}

// quote quotes an identifier for PostgreSQL and SQLite.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// ErrStale says that the table is not any more what the plan was made for.
var ErrStale = errors.New("the table has been changed meanwhile by somebody else; try the transaction again")

// Statements returns what brings the rows to the secondary, in order. rows are those that the primary has handed back; each
// ends with the Extra columns.
func (r *Rows) Statements(rows [][]driver.Value) ([]Statement, error) {
	var inserted, changed [][]driver.Value
	for _, row := range rows {
		extra := row[len(row)-r.Extra:]
		if stamp, _ := extra[r.Extra-1].(string); stamp != r.stamp {
			return nil, ErrStale
		}
		values := extra[:len(r.columns)]
		for i, v := range values {
			if _, ok := v.(string); v != nil && !ok {
				return nil, fmt.Errorf("column %d of the rows came as a %T and not as text", i+1, v)
			}
		}
		if r.verb == "INSERT" && (!r.upsert || extra[len(r.columns)] == "true") {
			inserted = append(inserted, values)
		} else {
			changed = append(changed, values)
		}
	}
	var all []Statement
	switch {
	case r.verb == "DELETE":
		all = append(all, r.statement(r.texts.remove, changed, false))
	case r.verb == "UPDATE":
		all = append(all, r.statement(r.texts.update, changed, true))
	default:
		if len(inserted) > 0 || len(changed) == 0 {
			all = append(all, r.statement(r.texts.insert, inserted, true))
		}
		if len(changed) > 0 {
			all = append(all, r.statement(r.texts.update, changed, true))
		}
	}
	return all, nil
}

// statement binds all rows at once, one array for each column: so the text is the same for any number of rows, and what is
// checked at a statement's end, such as a foreign key within the rows, is checked as on the primary.
func (r *Rows) statement(text string, rows [][]driver.Value, query bool) Statement {
	s := Statement{Text: text, Rows: int64(len(rows)), Query: query}
	for i := range r.columns {
		s.Args = append(s.Args, driver.NamedValue{Ordinal: i + 1, Value: array(rows, i)})
	}
	return s
}

// array writes column i of the rows as PostgreSQL's array of text (manual, 8.15.6).
func array(rows [][]driver.Value, i int) string {
	var b strings.Builder
	b.WriteByte('{')
	for n, row := range rows {
		if n > 0 {
			b.WriteByte(',')
		}
		v, ok := row[i].(string)
		if !ok {
			b.WriteString("NULL")
			continue
		}
		b.WriteByte('"')
		for j := 0; j < len(v); j++ {
			if v[j] == '"' || v[j] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(v[j])
		}
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}
