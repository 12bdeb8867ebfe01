package dualsql

import (
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

// bufferedRows are the rows of a mirrored statement, read to the end before the caller sees the first: only then has the
// statement succeeded on the primary, and a single statement's transaction can be committed before anybody acts upon a row
// it returned. Rows of plain reads are never wrapped.
type bufferedRows struct {
	sets []rowSet
	next int
}

type rowSet struct {
	columns []column
	names   []string
	rows    [][]driver.Value
}

type column struct {
	typeName         string
	length           int64
	hasLength        bool
	nullable         bool
	hasNullable      bool
	precision, scale int64
	hasPrecision     bool
	scanType         reflect.Type
}

// noRows is the answer of a statement that has none.
func noRows() driver.Rows { return &bufferedRows{sets: make([]rowSet, 1)} }

// readAll reads and closes rows.
func readAll(rows driver.Rows) (*bufferedRows, error) {
	b := &bufferedRows{}
	for {
		set, err := readSet(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		b.sets = append(b.sets, set)
		next, ok := rows.(driver.RowsNextResultSet)
		if !ok || !next.HasNextResultSet() {
			break
		}
		if err := next.NextResultSet(); err == io.EOF {
			break
		} else if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
	}
	return b, rows.Close()
}

func readSet(rows driver.Rows) (rowSet, error) {
	set := rowSet{names: rows.Columns()}
	for {
		values := make([]driver.Value, len(set.names))
		err := rows.Next(values)
		if err == io.EOF {
			break
		}
		if err != nil {
			return set, err
		}
		for i, v := range values {
			// A driver may use its buffers again for the next row.
			if raw, ok := v.([]byte); ok {
				values[i] = append([]byte{}, raw...)
			}
		}
		set.rows = append(set.rows, values)
	}
	set.columns = describe(rows, len(set.names))
	return set, nil
}

func describe(rows driver.Rows, n int) []column {
	columns := make([]column, n)
	for i := range columns {
		c := &columns[i]
		if r, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
			c.typeName = r.ColumnTypeDatabaseTypeName(i)
		}
		if r, ok := rows.(driver.RowsColumnTypeLength); ok {
			c.length, c.hasLength = r.ColumnTypeLength(i)
		}
		if r, ok := rows.(driver.RowsColumnTypeNullable); ok {
			c.nullable, c.hasNullable = r.ColumnTypeNullable(i)
		}
		if r, ok := rows.(driver.RowsColumnTypePrecisionScale); ok {
			c.precision, c.scale, c.hasPrecision = r.ColumnTypePrecisionScale(i)
		}
		c.scanType = reflect.TypeFor[any]()
		if r, ok := rows.(driver.RowsColumnTypeScanType); ok {
			c.scanType = r.ColumnTypeScanType(i)
		}
	}
	return columns
}

// countRows reads rows to the end, closes them, and returns how many there were.
func countRows(rows driver.Rows) (int64, error) {
	b, err := readAll(rows)
	if err != nil {
		return 0, err
	}
	return b.count(), nil
}

func (b *bufferedRows) count() int64 {
	var n int64
	for _, s := range b.sets {
		n += int64(len(s.rows))
	}
	return n
}

// strip takes away the last n columns of the first set.
func (b *bufferedRows) strip(n int) {
	s := &b.sets[0]
	width := len(s.names) - n
	s.names, s.columns = s.names[:width], s.columns[:width]
	for i := range s.rows {
		s.rows[i] = s.rows[i][:width]
	}
}

func (b *bufferedRows) set() *rowSet { return &b.sets[0] }

func (b *bufferedRows) Columns() []string { return b.set().names }

func (b *bufferedRows) Close() error { return nil }

func (b *bufferedRows) Next(dest []driver.Value) error {
	s := b.set()
	if b.next == len(s.rows) {
		return io.EOF
	}
	copy(dest, s.rows[b.next])
	s.rows[b.next] = nil
	b.next++
	return nil
}

func (b *bufferedRows) HasNextResultSet() bool { return len(b.sets) > 1 }

func (b *bufferedRows) NextResultSet() error {
	if len(b.sets) == 1 {
		return io.EOF
	}
	b.sets, b.next = b.sets[1:], 0
	return nil
}

func (b *bufferedRows) ColumnTypeDatabaseTypeName(i int) string { return b.set().columns[i].typeName }

func (b *bufferedRows) ColumnTypeLength(i int) (int64, bool) {
	c := b.set().columns[i]
	return c.length, c.hasLength
}

func (b *bufferedRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	c := b.set().columns[i]
	return c.nullable, c.hasNullable
}

func (b *bufferedRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := b.set().columns[i]
	return c.precision, c.scale, c.hasPrecision
}

func (b *bufferedRows) ColumnTypeScanType(i int) reflect.Type { return b.set().columns[i].scanType }

// affected returns how many rows res says were affected, or -1 when the driver cannot tell.
func affected(res driver.Result) int64 {
	n, err := res.RowsAffected()
	if err != nil {
		return -1
	}
	return n
}
