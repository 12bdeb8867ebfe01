package engine

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
)

// Bind leaves a primary's arguments to the driver: it takes ReturnStatus away and remembers where an sql.Out goes. On a
// secondary nobody looks at what comes out, and the driver, which may be at work on an earlier statement, must remember nothing.
func (s *mssqlSession) Bind(st driver.Stmt, args []driver.NamedValue) ([]driver.NamedValue, error) {
	if s.o.Role == Primary {
		return s.session.Bind(st, args)
	}
	kept := args[:0]
	for _, a := range args {
		switch v := a.Value.(type) {
		case *mssql.ReturnStatus:
			continue
		case sql.Out:
			rv := reflect.ValueOf(v.Dest)
			if rv.Kind() != reflect.Pointer || rv.IsNil() {
				return nil, fmt.Errorf("argument %s: the destination of sql.Out is no pointer", argName(a))
			}
			a.Value = Neutral(rv.Elem().Interface())
			if plain, err := driver.DefaultParameterConverter.ConvertValue(a.Value); err == nil {
				a.Value = plain
			}
		}
		if fmt.Sprintf("%T", a.Value) == "*sqlexp.ReturnMessage" {
			return nil, fmt.Errorf("argument %s: a message queue is for reads on the primary alone", argName(a))
		}
		kept = append(kept, a)
	}
	return s.session.Bind(st, kept)
}

// Neutral gives values whose Value method speaks to SQL Server alone a form that every side reads: a UniqueIdentifier's bytes are
// in SQL Server's own order.
func Neutral(v any) any {
	switch v := v.(type) {
	case mssql.UniqueIdentifier:
		return v.String()
	case *mssql.UniqueIdentifier:
		if v != nil {
			return v.String()
		}
	case mssql.NullUniqueIdentifier:
		if v.Valid {
			return v.UUID.String()
		}
	case *mssql.NullUniqueIdentifier:
		if v != nil && v.Valid {
			return v.UUID.String()
		}
	case sql.Null[mssql.UniqueIdentifier]:
		if v.Valid {
			return v.V.String()
		}
	default:
		return v
	}
	return nil
}

// Plain gives values of go-mssqldb's own types as those that every side and the journal take, so that all get the same.
func Plain(v any) (any, bool) {
	switch v := v.(type) {
	case mssql.NVarCharMax:
		return string(v), true
	case mssql.NChar:
		return string(v), true
	case mssql.DateTimeOffset:
		return time.Time(v), true
	case float32:
		return float64(v), true
	}
	return v, false
}
