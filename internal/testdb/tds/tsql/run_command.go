package tsql

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

func (c *command) run(f *frame) error {
	w := work{release: c.release, reads: c.reads, command: c}
	var err error
	if w.main, err = c.main.render(f); err != nil {
		return err
	}
	if w.before, err = renderAll(f, c.before); err != nil {
		return err
	}
	if w.after, err = renderAll(f, c.after); err != nil {
		return err
	}
	rows := int64(0)
	w.take = func(r *pgconn.ResultReader) error {
		var err error
		if c.assigns != nil {
			rows, err = f.assignRows(r, c.assigns)
		} else if len(r.FieldDescriptions()) > 0 {
			rows, err = f.rows(r)
		}
		return err
	}
	tag, err := f.perform(w)
	if err != nil {
		return err
	}
	if c.ddl {
		f.s.server.changes.Add(1)
	}
	if rows == 0 {
		rows = tag.RowsAffected()
	}
	if c.ddl && c.verb != "SELECT INTO" {
		rows = 0
	}
	f.done(tds.Done{Rows: rows, Counted: !c.ddl || c.verb == "SELECT INTO", IsSelect: c.verb == "SELECT" && c.assigns == nil})
	return nil
}

// done ends a statement that has not failed.
func (f *frame) done(d tds.Done) {
	f.s.rowCount, f.s.lastError = d.Rows, 0
	d.Counted = d.Counted && !f.s.noCount
	f.out.Done(d)
}

func renderAll(f *frame, codes []code) ([]string, error) {
	var texts []string
	for _, c := range codes {
		text, err := c.render(f)
		if err != nil {
			return nil, err
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// rows passes a result on. PostgreSQL does not know how many digits a decimal expression has, so a result with one is held back
// until all its values have been seen.
func (f *frame) rows(r *pgconn.ResultReader) (int64, error) {
	columns, exact, err := f.columns(r.FieldDescriptions())
	if err != nil {
		return 0, err
	}
	var held [][][]byte
	if exact {
		f.out.Columns(columns)
	}
	n := int64(0)
	for ; r.NextRow(); n++ {
		if exact {
			if err := f.row(columns, r.Values()); err != nil {
				return n, err
			}
			continue
		}
		row := make([][]byte, len(columns))
		for i, text := range r.Values() {
			if text != nil {
				row[i] = append([]byte{}, text...)
			}
			if c := &columns[i].Type; c.Kind == tds.Decimal && r.FieldDescriptions()[i].TypeModifier < 0 {
				c.Scale = max(c.Scale, uint8(min(scaleOf(text), 37)))
			}
		}
		held = append(held, row)
	}
	if !exact {
		f.out.Columns(columns)
	}
	for _, row := range held {
		if err := f.row(columns, row); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (f *frame) columns(fields []pgconn.FieldDescription) (columns []tds.Column, exact bool, err error) {
	exact = true
	columns = make([]tds.Column, len(fields))
	for i, field := range fields {
		kind, ok := f.s.kinds[field.DataTypeOID]
		if !ok {
			return nil, false, unknown(f.line, fmt.Sprintf("the type of the column %q, in PostgreSQL %d", field.Name, field.DataTypeOID))
		}
		t, ok := describe(kind, field.TypeModifier)
		exact = exact && ok
		columns[i] = tds.Column{Name: field.Name, Type: t, Nullable: true}
		if field.Name == noName {
			columns[i].Name = ""
		}
	}
	return columns, exact, nil
}

func (f *frame) row(columns []tds.Column, texts [][]byte) error {
	values := make([]any, len(columns))
	for i, text := range texts {
		v, err := decode(columns[i].Type, text)
		if err != nil {
			return fmt.Errorf("column %q: %w", columns[i].Name, err)
		}
		values[i] = v
	}
	f.out.Row(values)
	return nil
}

// assignRows: the variables get what the last row has; without rows they stay ("SELECT @local_variable").
func (f *frame) assignRows(r *pgconn.ResultReader, names []string) (int64, error) {
	if len(names) != len(r.FieldDescriptions()) {
		return 0, refusal(141, f.line, "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.")
	}
	n := int64(0)
	for ; r.NextRow(); n++ {
		for i, text := range r.Values() {
			v, err := f.variable(names[i])
			if err != nil {
				return n, err
			}
			v.text, v.null = string(text), text == nil
		}
	}
	return n, nil
}

// evaluate gives an expression's value as a type: without asking PostgreSQL where it is a literal or a variable that fits.
func (f *frame) evaluate(o operand, t tds.Type) (value, error) {
	out := value{Type: t}
	if o.null {
		out.null = true
		return out, nil
	}
	known := o.plain
	if o.variable != "" && !strings.HasPrefix(o.variable, "@@") {
		var err error
		if known, err = f.variable(o.variable); err != nil {
			return out, err
		}
	}
	if known != nil && fits(*known, t) {
		out.text, out.null = known.text, known.null
		return out, nil
	}
	inner := o.code
	if integer(t.Kind) {
		inner = sql("whole(", o.code, ")")
	}
	main, err := sql("select (", inner, ")::", pgType(t)).render(f)
	if err != nil {
		return out, err
	}
	_, err = f.perform(work{main: main, reads: true, take: func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			out.text, out.null = string(r.Values()[0]), r.Values()[0] == nil
		}
		return nil
	}})
	return out, err
}

// fits reports whether a value is that of another type as it is.
func fits(v value, t tds.Type) bool {
	switch {
	case v.Type == t:
		return true
	case v.Kind == tds.Int:
		return t.Kind == tds.Int || t.Kind == tds.BigInt
	case v.Kind == tds.VarChar || v.Kind == tds.NVarChar:
		return (t.Kind == tds.VarChar || t.Kind == tds.NVarChar) && (t.Size == tds.Max || len(v.text) <= t.Size)
	}
	return false
}

// text is an expression's value as a string.
func (f *frame) text(o operand) (string, error) {
	v, err := f.evaluate(o, tds.Type{Kind: tds.NVarChar, Size: tds.Max})
	return v.text, err
}

// int is an expression's value as an int.
func (f *frame) int(o operand) (int64, error) {
	v, err := f.evaluate(o, tds.Type{Kind: tds.Int})
	if err != nil || v.null {
		return 0, err
	}
	n, err := decode(v.Type, []byte(v.text))
	if err != nil {
		return 0, err
	}
	return n.(int64), nil
}
