package ddl

import (
	"slices"
	"strings"
)

func (w *postgresWriter) condition(e *expr) string {
	switch e.op {
	case and, or:
		word := " and "
		if e.op == or {
			word = " or "
		}
		return "(" + w.condition(e.args[0]) + word + w.condition(e.args[1]) + ")"
	case not:
		return "not (" + w.condition(e.args[0]) + ")"
	case compare, isNull, isNotNull, in, notIn, between, notBetween:
		return comparison(e, w.types, w.values)
	case like, notLike:
		word := " like "
		if e.op == notLike {
			word = " not like "
		}
		if e.args[1].op != stringLiteral || strings.Contains(e.args[1].text, "[") {
			refuse(e.at, "LIKE with a pattern that is no string, or has brackets")
		}
		return w.values(e.args[:1])[0] + word + literal(e.args[1].text) + " escape ''"
	}
	refuse(e.at, "a value as a condition")
	return ""
}

// values are operands. Beside a bit column 0 and 1 are a boolean in PostgreSQL.
func (w *postgresWriter) values(args []*expr) []string {
	bits := slices.ContainsFunc(args, func(a *expr) bool {
		t, known := w.types[a.text]
		return a.op == columnRef && known && t.kind == boolean
	})
	all := make([]string, len(args))
	for i, a := range args {
		if bits && a.op == numberLiteral {
			all[i] = postgresDefault(a, &typ{kind: boolean})
		} else {
			all[i] = w.value(a)
		}
	}
	return all
}

func (w *postgresWriter) value(e *expr) string {
	switch e.op {
	case columnRef:
		return quote(e.text)
	case stringLiteral:
		return literal(e.text)
	case numberLiteral:
		return e.text
	case nullLiteral:
		return "null"
	case negative:
		return "-(" + w.value(e.args[0]) + ")"
	case arithmetic:
		return "(" + w.value(e.args[0]) + " " + e.text + " " + w.value(e.args[1]) + ")"
	case now, localNow, utcNow, today, newUUID:
		refuse(e.at, "a condition that depends on the clock or on chance")
	}
	refuse(e.at, "a condition as a value")
	return ""
}

// postgresDefault is a default's value. t is nil where the column's type is not known.
func postgresDefault(e *expr, t *typ) string {
	switch e.op {
	case numberLiteral:
		switch {
		case t == nil, t.kind == single, t.kind == double, t.kind == decimal, t.numeric() && whole.MatchString(e.text):
			return e.text
		case t.kind == boolean && e.text == "0":
			return "false"
		case t.kind == boolean && e.text == "1":
			return "true"
		}
	case stringLiteral:
		if ok := t == nil && !someDate.MatchString(e.text) || t != nil && (t.kind == text || sameString(e.text, t)); ok {
			return literal(e.text)
		}
	case now:
		if t != nil && t.kind == timestampZone {
			return "now()"
		}
		return postgresLocal(e, t)
	case localNow:
		return postgresLocal(e, t)
	case utcNow:
		if t != nil && t.kind == timestampZone {
			return "now()"
		}
		if t != nil && t.kind == timestamp {
			return "(now() at time zone 'utc')"
		}
	case newUUID:
		if t == nil || t.kind == uuid || t.kind == text {
			return "gen_random_uuid()"
		}
	}
	refuse(e.at, "a default that is not plainly a value of its column's type")
	return ""
}

func postgresLocal(e *expr, t *typ) string {
	switch {
	case t != nil && t.kind == timestamp:
		return "localtimestamp"
	case t != nil && t.kind == date:
		return "current_date"
	}
	refuse(e.at, "the server's clock as the default of a column that has an offset, or is no time, or of which the type is not known here")
	return ""
}
