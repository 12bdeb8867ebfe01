package sides

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Difference is what comparing one table of the two sides has found.
type Difference struct {
	Table         string `json:"table"`
	Rows          int    `json:"rows"` // on the primary
	PrimaryOnly   int    `json:"primary_only"`
	SecondaryOnly int    `json:"secondary_only"`
	Different     int    `json:"different"`         // there on both, with different values
	Example       string `json:"example,omitempty"` // the first row that is on one side only or, if there is none, that differs
}

// Equal reports whether the table is the same on both sides.
func (d Difference) Equal() bool { return d.PrimaryOnly+d.SecondaryOnly+d.Different == 0 }

// Table is a table to compare. Its first Keys columns are integers, so that all engines sort them alike.
type Table struct {
	Name string // as Difference shows it
	Full string // in the databases
	Keys int
}

// Compare reads every row and every column of the tables from both sides.
func Compare(ctx context.Context, primary, secondary *sql.DB, list []Table) ([]Difference, error) {
	var found []Difference
	for _, t := range list {
		d, err := compareTable(ctx, primary, secondary, t)
		if err != nil {
			return nil, fmt.Errorf("compare table %s: %w", t.Name, err)
		}
		found = append(found, d)
	}
	return found, nil
}

// compareTable walks through both sides in the order of the key.
func compareTable(ctx context.Context, primary, secondary *sql.DB, t Table) (d Difference, err error) {
	d.Table = t.Name
	var sides [2]*cursor
	for i, db := range []*sql.DB{primary, secondary} {
		if sides[i], err = openCursor(ctx, db, t); err != nil {
			return d, err
		}
		defer func() { err = errors.Join(err, sides[i].rows.Close()) }()
	}
	p, s := sides[0], sides[1]
	for p.key != nil || s.key != nil {
		order := 0
		switch {
		case s.key == nil:
			order = -1
		case p.key == nil:
			order = 1
		default:
			order = slices.Compare(p.key, s.key)
		}
		switch {
		case order < 0:
			if d.PrimaryOnly++; d.PrimaryOnly+d.SecondaryOnly == 1 {
				d.Example = "on the primary only: " + p.show(t)
			}
		case order > 0:
			if d.SecondaryOnly++; d.PrimaryOnly+d.SecondaryOnly == 1 {
				d.Example = "on the secondary only: " + s.show(t)
			}
		case !slices.Equal(p.values, s.values):
			if d.Different++; d.Example == "" {
				d.Example = "on the primary: " + p.show(t) + "; on the secondary: " + s.show(t)
			}
		}
		if order <= 0 {
			d.Rows++
			if err := p.next(); err != nil {
				return d, err
			}
		}
		if order >= 0 {
			if err := s.next(); err != nil {
				return d, err
			}
		}
	}
	return d, nil
}

// cursor is a table of one side, row by row.
type cursor struct {
	rows    *sql.Rows
	columns []string
	keys    int
	key     []int64 // nil at the end
	values  []string
}

func openCursor(ctx context.Context, db *sql.DB, t Table) (*cursor, error) {
	order := "1"
	for i := 2; i <= t.Keys; i++ {
		order += fmt.Sprint(", ", i)
	}
	rows, err := db.QueryContext(ctx, "select * from "+t.Full+" order by "+order)
	if err != nil {
		return nil, err
	}
	names, err := rows.Columns()
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	c := &cursor{rows: rows, columns: names, keys: t.Keys}
	return c, c.next()
}

func (c *cursor) show(t Table) string {
	var b strings.Builder
	b.WriteString(t.Name + " (")
	for i, v := range c.values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.columns[i] + " " + v)
	}
	return b.String() + ")"
}

func (c *cursor) next() error {
	c.key, c.values = nil, nil
	if !c.rows.Next() {
		return c.rows.Err()
	}
	key, values := make([]int64, c.keys), make([]sql.NullString, len(c.columns))
	dest := make([]any, len(c.columns))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := c.rows.Scan(dest...); err != nil {
		return err
	}
	for i := range key {
		if _, err := fmt.Sscan(values[i].String, &key[i]); err != nil {
			return fmt.Errorf("key %q: %w", values[i].String, err)
		}
	}
	c.key = key
	for _, v := range values {
		if !v.Valid {
			v.String = "null"
		}
		c.values = append(c.values, v.String)
	}
	return nil
}
