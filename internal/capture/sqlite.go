package capture

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dualsql/dualsql/internal/engine"
)

// sqlite writes to a secondary that is SQLite, with the values that a program would pass for the same.
type sqlite struct {
	target   string
	columns  []*engine.Column
	inserted []int // the captured columns that are written
	set, key []int
}

// sqliteParams is how many parameters a statement may have (sqlite.org/limits.html, SQLITE_MAX_VARIABLE_NUMBER).
const sqliteParams = 32766

func newSQLite(t *engine.Table, columns []*engine.Column) (*sqlite, error) {
	w := &sqlite{target: quote(t.Name), columns: columns}
	if t.Schema != "public" {
		w.target = quote(t.Schema) + "." + w.target
	}
	for i, c := range columns {
		value := sqliteValues[strings.Join(c.Made, " ")]
		if c.Generated {
			continue
		}
		if value == nil {
			return nil, fmt.Errorf("table %s: SQLite has no value that is certainly the same as one of column %s (%s)", t.Name, c.Name, c.Type)
		}
		w.inserted = append(w.inserted, i)
		if slices.Contains(t.Key, c.Name) {
			w.key = append(w.key, i)
		} else {
			w.set = append(w.set, i)
		}
	}
	return w, nil
}

// sqliteValues are by the type's name in the catalog. Not among them are numbers without bounds, what SQLite may take for a
// number, and text that is padded with blanks.
var sqliteValues = map[string]func(string) (driver.Value, error){
	"int2": integer, "int4": integer, "int8": integer,
	"float4": float(32), "float8": float(64),
	"bool": func(s string) (driver.Value, error) { return s == "true", nil },
	"text": plain, "varchar": plain, "uuid": plain,
	"bytea": func(s string) (driver.Value, error) {
		digits, ok := strings.CutPrefix(s, `\x`)
		if !ok {
			return nil, errors.New("bytea_output must be hex")
		}
		return hex.DecodeString(digits)
	},
	"date":        moment("2006-01-02"),
	"timestamp":   moment("2006-01-02 15:04:05"),
	"timestamptz": moment("2006-01-02 15:04:05-07", "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05-07:00:00"),
}

func plain(s string) (driver.Value, error) { return s, nil }

func integer(s string) (driver.Value, error) { return strconv.ParseInt(s, 10, 64) }

func float(bits int) func(string) (driver.Value, error) {
	return func(s string) (driver.Value, error) {
		f, err := strconv.ParseFloat(s, bits)
		if err == nil && math.IsNaN(f) {
			err = errors.New("SQLite has no NaN")
		}
		return f, err
	}
}

func moment(layouts ...string) func(string) (driver.Value, error) {
	return func(s string) (driver.Value, error) {
		for _, layout := range layouts {
			if t, err := time.Parse(layout, s); err == nil {
				return t.UTC(), nil
			}
		}
		return nil, errors.New("it is no time that SQLite's driver can write")
	}
}

// args takes some columns of a row.
func (w *sqlite) args(to []driver.NamedValue, row []driver.Value, columns []int) ([]driver.NamedValue, error) {
	for _, i := range columns {
		a := driver.NamedValue{Ordinal: len(to) + 1}
		if s, ok := row[i].(string); ok {
			c := w.columns[i]
			var err error
			if a.Value, err = sqliteValues[strings.Join(c.Made, " ")](s); err != nil {
				return nil, fmt.Errorf("the value of column %s (%s) cannot be carried over to SQLite: %w", c.Name, c.Type, err)
			}
		}
		to = append(to, a)
	}
	return to, nil
}

// nothing takes part in the transaction and changes nothing.
func (w *sqlite) nothing() []Statement {
	return []Statement{{Text: "delete from " + w.target + " where false"}}
}

func (w *sqlite) insert(rows [][]driver.Value) ([]Statement, error) {
	names := make([]string, len(w.inserted))
	for n, i := range w.inserted {
		names[n] = quote(w.columns[i].Name)
	}
	return w.batches(rows, w.inserted, "insert into "+w.target+" ("+join(names)+") values ", "")
}

func (w *sqlite) remove(rows [][]driver.Value) ([]Statement, error) {
	names := make([]string, len(w.key))
	for n, i := range w.key {
		names[n] = quote(w.columns[i].Name)
	}
	return w.batches(rows, w.key, "delete from "+w.target+" where ("+join(names)+") in (values ", ")")
}

// batches makes statements with as many rows in parentheses as the parameters allow.
func (w *sqlite) batches(rows [][]driver.Value, columns []int, head, tail string) ([]Statement, error) {
	if len(rows) == 0 {
		return w.nothing(), nil
	}
	group := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	var all []Statement
	for chunk := range slices.Chunk(rows, max(1, sqliteParams/len(columns))) {
		s := Statement{Rows: int64(len(chunk))}
		for _, row := range chunk {
			var err error
			if s.Args, err = w.args(s.Args, row, columns); err != nil {
				return nil, err
			}
		}
		s.Text = head + strings.TrimSuffix(strings.Repeat(group+", ", len(chunk)), ", ") + tail
		all = append(all, s)
	}
	return all, nil
}

// update makes a statement for each row: each has to hit one.
func (w *sqlite) update(rows [][]driver.Value) ([]Statement, error) {
	if len(rows) == 0 {
		return w.nothing(), nil
	}
	var set, where []string
	for _, i := range w.set {
		set = append(set, quote(w.columns[i].Name)+" = ?")
	}
	for _, i := range w.key {
		where = append(where, quote(w.columns[i].Name)+" = ?")
	}
	if len(set) == 0 {
		first := quote(w.columns[w.key[0]].Name)
		set = append(set, first+" = "+first)
	}
	text := "update " + w.target + " set " + join(set) + " where " + strings.Join(where, " and ")
	var all []Statement
	for _, row := range rows {
		args, err := w.args(nil, row, w.set)
		if err == nil {
			args, err = w.args(args, row, w.key)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Statement{Text: text, Args: args, Rows: 1})
	}
	return all, nil
}
