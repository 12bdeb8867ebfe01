package capture

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dualsql/dualsql/internal/engine"
)

// plain writes to a secondary of another engine, with the values that a program would pass for the same.
type plain struct {
	*vendor
	target   string
	columns  []*engine.Column
	inserted []int // the captured columns that are written
	set, key []int
}

// vendor is what differs between the engines.
type vendor struct {
	name   string
	params int // that a statement may have
	rows   int // that an INSERT may have; zero: no bound of its own
	mark   func(n int) string
	// groups: a row of values can be looked for among others.
	groups bool
	// given stands before and behind an INSERT that gives a column its number where the engine might draw one itself; nil: nothing.
	given  func(target string) (before, behind string)
	values map[string]value // by the type's name in PostgreSQL's catalog
}

// value makes what the driver gets of PostgreSQL's text; null is what stands for NULL.
type value struct {
	read func(string) (driver.Value, error)
	null driver.Value
}

// Not among the types are those whose values the other engine could round, pad or take for something else.
var vendors = map[engine.Engine]*vendor{
	// sqlite.org/limits.html, SQLITE_MAX_VARIABLE_NUMBER
	engine.SQLite: {name: "SQLite", params: 32766, groups: true, mark: func(int) string { return "?" }, values: withCommon(nil)},
	// learn.microsoft.com: "Maximum capacity specifications for SQL Server", and "Table Value Constructor"
	engine.SQLServer: {name: "SQL Server", params: 2000, rows: 1000, mark: func(n int) string { return "@p" + strconv.Itoa(n) }, values: withCommon(map[string]value{
		"json": {read: same}, "jsonb": {read: same}, "numeric": {read: number}, "time": {read: clock},
	}), given: identityInsert},
}

// identityInsert: a column that SQL Server counts is given a value only under a setting, for which there has to be such a column
// ("SET IDENTITY_INSERT").
func identityInsert(target string) (before, behind string) {
	set := "if exists (select 1 from sys.identity_columns where object_id = object_id(N'" + strings.ReplaceAll(target, "'", "''") + "')) set identity_insert " + target
	return set + " on; ", "; " + set + " off"
}

func withCommon(own map[string]value) map[string]value {
	all := map[string]value{
		"int2": {read: integer}, "int4": {read: integer}, "int8": {read: integer},
		"float4": {read: float(32)}, "float8": {read: float(64)},
		"bool": {read: func(s string) (driver.Value, error) { return s == "true", nil }},
		"text": {read: same}, "varchar": {read: same}, "uuid": {read: same},
		"bytea":       {read: binary, null: []byte(nil)},
		"date":        {read: moment("2006-01-02")},
		"timestamp":   {read: moment("2006-01-02 15:04:05")},
		"timestamptz": {read: moment("2006-01-02 15:04:05-07", "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05-07:00:00")},
	}
	maps.Copy(all, own)
	return all
}

func newPlain(v *vendor, t *engine.Table, columns []*engine.Column) (*plain, error) {
	w := &plain{vendor: v, target: quote(t.Name), columns: columns}
	if t.Schema != "public" {
		w.target = quote(t.Schema) + "." + w.target
	}
	for i, c := range columns {
		if c.Generated && slices.Contains(t.Key, c.Name) {
			return nil, fmt.Errorf("table %s: the key's column %s is generated, and %s may not compute it in the same way", t.Name, c.Name, v.name)
		}
		if c.Generated {
			continue
		}
		if v.valueOf(c).read == nil {
			return nil, fmt.Errorf("table %s: %s has no value that is certainly the same as one of column %s (%s)", t.Name, v.name, c.Name, c.Type)
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

// valueOf is the zero value for a type that is not carried over.
func (v *vendor) valueOf(c *engine.Column) value {
	name := strings.Join(c.Made, " ")
	if name == "numeric" && !c.Bounded {
		return value{}
	}
	return v.values[name]
}

func binary(s string) (driver.Value, error) {
	digits, ok := strings.CutPrefix(s, `\x`)
	if !ok {
		return nil, errors.New("bytea_output must be hex")
	}
	return hex.DecodeString(digits)
}

func number(s string) (driver.Value, error) {
	if s == "NaN" || strings.HasSuffix(s, "Infinity") {
		return nil, errors.New("it is no number there")
	}
	return s, nil
}

func clock(s string) (driver.Value, error) {
	if strings.HasPrefix(s, "24") {
		return nil, errors.New("a day has no hour 24 there")
	}
	return s, nil
}

func same(s string) (driver.Value, error) { return s, nil }

func integer(s string) (driver.Value, error) { return strconv.ParseInt(s, 10, 64) }

func float(bits int) func(string) (driver.Value, error) {
	return func(s string) (driver.Value, error) {
		f, err := strconv.ParseFloat(s, bits)
		if err == nil && math.IsNaN(f) {
			err = errors.New("it is no number there")
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
		return nil, errors.New("it is no time that its driver can write")
	}
}

// args takes some columns of a row.
func (w *plain) args(to []driver.NamedValue, row []driver.Value, columns []int) ([]driver.NamedValue, error) {
	for _, i := range columns {
		c := w.columns[i]
		v := w.valueOf(c)
		a := driver.NamedValue{Ordinal: len(to) + 1, Value: v.null}
		if s, ok := row[i].(string); ok {
			var err error
			if a.Value, err = v.read(s); err != nil {
				return nil, fmt.Errorf("the value of column %s (%s) cannot be carried over to %s: %w", c.Name, c.Type, w.name, err)
			}
		}
		to = append(to, a)
	}
	return to, nil
}

// nothing takes part in the transaction and changes nothing.
func (w *plain) nothing() []Statement {
	return []Statement{{Text: "delete from " + w.target + " where 1 = 0"}}
}

func (w *plain) insert(rows [][]driver.Value) ([]Statement, error) {
	before, behind := "", ""
	if w.given != nil && slices.ContainsFunc(w.columns, numbered) {
		before, behind = w.given(w.target)
	}
	return w.batches(rows, w.inserted, before+"insert into "+w.target+" ("+w.names(w.inserted)+") values ", behind)
}

// numbered reports whether PostgreSQL counts a column's values: then the other engine may count them, too.
func numbered(c *engine.Column) bool {
	return c.Identity != "" || c.Default != nil && strings.Contains(*c.Default, "nextval(")
}

func (w *plain) remove(rows [][]driver.Value) ([]Statement, error) {
	if !w.groups {
		return w.each(rows, "delete from "+w.target, nil)
	}
	return w.batches(rows, w.key, "delete from "+w.target+" where ("+w.names(w.key)+") in (values ", ")")
}

func (w *plain) update(rows [][]driver.Value) ([]Statement, error) {
	set := make([]string, len(w.set))
	for n, i := range w.set {
		set[n] = quote(w.columns[i].Name) + " = " + w.mark(n+1)
	}
	if len(set) == 0 {
		first := quote(w.columns[w.key[0]].Name)
		set = append(set, first+" = "+first)
	}
	return w.each(rows, "update "+w.target+" set "+join(set), w.set)
}

func (w *plain) upsert(inserted, changed [][]driver.Value) ([]Statement, error) {
	all, err := w.insert(inserted)
	if err != nil {
		return nil, err
	}
	more, err := w.update(changed)
	return append(all, more...), err
}

func (w *plain) names(columns []int) string {
	names := make([]string, len(columns))
	for n, i := range columns {
		names[n] = quote(w.columns[i].Name)
	}
	return join(names)
}

// batches makes statements with as many rows in parentheses as the parameters allow.
func (w *plain) batches(rows [][]driver.Value, columns []int, head, tail string) ([]Statement, error) {
	if len(rows) == 0 {
		return w.nothing(), nil
	}
	size := max(1, w.params/len(columns))
	if w.rows > 0 {
		size = min(size, w.rows)
	}
	var all []Statement
	for chunk := range slices.Chunk(rows, size) {
		s := Statement{Rows: int64(len(chunk))}
		groups := make([]string, len(chunk))
		for n, row := range chunk {
			marks := make([]string, len(columns))
			for k := range marks {
				marks[k] = w.mark(len(s.Args) + k + 1)
			}
			groups[n] = "(" + join(marks) + ")"
			var err error
			if s.Args, err = w.args(s.Args, row, columns); err != nil {
				return nil, err
			}
		}
		s.Text = head + join(groups) + tail
		all = append(all, s)
	}
	return all, nil
}

// each makes a statement for each row, found by its key: it has to hit that one. head takes the columns before.
func (w *plain) each(rows [][]driver.Value, head string, before []int) ([]Statement, error) {
	if len(rows) == 0 {
		return w.nothing(), nil
	}
	sep := " where "
	for n, i := range w.key {
		head += sep + quote(w.columns[i].Name) + " = " + w.mark(len(before)+n+1)
		sep = " and "
	}
	var all []Statement
	for _, row := range rows {
		args, err := w.args(nil, row, before)
		if err == nil {
			args, err = w.args(args, row, w.key)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Statement{Text: head, Args: args, Rows: 1})
	}
	return all, nil
}
