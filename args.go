package dualsql

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"

	"github.com/dualsql/dualsql/internal/engine"
)

// resolve calls each Valuer once, so that both sides get one value, and turns the plain Go types into database/sql's own.
// What is left as it came is bound by each side itself; plain is false then.
func resolve(args []driver.NamedValue) (out []driver.NamedValue, plain bool, err error) {
	out, plain = make([]driver.NamedValue, len(args)), true
	for i, a := range args {
		out[i] = a
		var ok bool
		if out[i].Value, ok, err = resolveValue(a.Value); err != nil {
			return nil, false, fmt.Errorf("dualsql: argument %d: %w", i+1, err)
		}
		if !ok && i >= engine.LeadingOptions(args) {
			plain = false
		}
	}
	return out, plain, nil
}

func resolveValue(v any) (_ any, plain bool, err error) {
	if valuer, ok := v.(driver.Valuer); ok {
		if v, err = callValuer(valuer); err != nil {
			return nil, false, err
		}
	}
	v, plain = plainValue(v)
	return v, plain, nil
}

// callValuer gives NULL for a nil pointer whose Valuer is the value's, as database/sql does.
func callValuer(v driver.Valuer) (driver.Value, error) {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() &&
		rv.Type().Elem().Implements(reflect.TypeFor[driver.Valuer]()) {
		return nil, nil
	}
	return v.Value()
}

// plainValue converts without loss. Named types are left to the sides: pgx gives some of them a meaning of their own.
func plainValue(v any) (any, bool) {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v, true
	case []byte:
		if v == nil {
			return v, true // NULL, of which SQL Server wants to know that it is no text
		}
		return append([]byte{}, v...), true // the lane may send it after the caller has gone on
	case time.Time:
		// Without the monotonic clock reading: SQLite's driver would write it.
		return v.Round(0), true
	case int:
		return int64(v), true
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint:
		if uint64(v) < 1<<63 {
			return int64(v), true
		}
	case uint64:
		if v < 1<<63 {
			return int64(v), true
		}
	case *string, *bool, *int, *int16, *int32, *int64, *float64, *time.Time:
		rv := reflect.ValueOf(v)
		if rv.IsNil() {
			return nil, true
		}
		return plainValue(rv.Elem().Interface())
	}
	return engine.Plain(v)
}
