package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"

	"github.com/golang-sql/civil"
	"github.com/golang-sql/sqlexp"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/shopspring/decimal"
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
		case *mssql.ReturnStatus, *sqlexp.ReturnMessage:
			continue
		case sql.Out:
			rv := reflect.ValueOf(v.Dest)
			if rv.Kind() != reflect.Pointer || rv.IsNil() {
				return nil, fmt.Errorf("argument %s: the destination of sql.Out is no pointer", argName(a))
			}
			a.Value = rv.Elem().Interface()
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
	case mssql.NullUniqueIdentifier:
		if !v.Valid {
			return nil
		}
		return v.UUID.String()
	}
	return v
}

// Portable writes the driver's own types as values of which the server makes the same.
func (s *mssqlSession) Portable(ctx context.Context, text string, args []driver.NamedValue) ([]driver.NamedValue, error) {
	out := append([]driver.NamedValue(nil), args...)
	for i := range out {
		out[i].Value = mssqlPlain(out[i].Value)
	}
	return s.session.Portable(ctx, text, out)
}

func mssqlPlain(v any) any {
	switch v := v.(type) {
	case mssql.VarChar:
		return string(v)
	case mssql.NVarCharMax:
		return string(v)
	case mssql.VarCharMax:
		return string(v)
	case mssql.NChar:
		return string(v)
	case mssql.DateTime1:
		return time.Time(v)
	case mssql.DateTimeOffset:
		return time.Time(v)
	case civil.Date:
		return v.String()
	case civil.DateTime:
		return v.Date.String() + " " + v.Time.String()
	case civil.Time:
		return v.String()
	case mssql.Money[decimal.Decimal]:
		return v.Decimal.String()
	case decimal.Decimal:
		return v.String()
	case float32:
		return float64(v)
	case int:
		return int64(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case byte:
		return int64(v)
	case driver.Valuer: // one that the driver knows by itself, with NULL in it
		if plain, err := v.Value(); err == nil && isPortable(plain) {
			return plain
		}
	}
	return v
}
