package tsql

import "context"

// tableShape is what INSERT must know of a table.
type tableShape struct {
	columns  []string // that a value is given for: without the identity column
	identity string
}

// shape looks a table up, and keeps what it has found until somebody changes a schema. A table that is not there has no columns.
func (s *session) shape(t *table) (tableShape, error) {
	if at := s.server.changes.Load(); s.shapes == nil || s.shapesAt != at {
		s.shapes, s.shapesAt = map[string]tableShape{}, at
	}
	if known, ok := s.shapes[t.display()]; ok {
		return known, nil
	}
	rows, err := s.ask(context.Background(), "select attname, attidentity <> '' from pg_attribute where attrelid = to_regclass("+
		literal(t.code())+") and attnum > 0 and not attisdropped and attgenerated = '' order by attnum")
	if err != nil {
		return tableShape{}, err
	}
	var shape tableShape
	for _, row := range rows {
		if string(row[1]) == "t" {
			shape.identity = string(row[0])
		} else {
			shape.columns = append(shape.columns, string(row[0]))
		}
	}
	if t.schema != "pg_temp" && len(rows) > 0 {
		s.shapes[t.display()] = shape
	}
	return shape, nil
}
