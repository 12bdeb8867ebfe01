package ddl

import (
	"regexp"
	"strings"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// condition is an expression where T-SQL wants a condition: it has no boolean values.
func (w *serverWriter) condition(e *expr) string {
	switch e.op {
	case and, or:
		word := " and "
		if e.op == or {
			word = " or "
		}
		return w.operand(e.args[0]) + word + w.operand(e.args[1])
	case not:
		return "not (" + w.condition(e.args[0]) + ")"
	case compare, isNull, isNotNull, in, notIn, between, notBetween:
		return comparison(e, w.types, w.values)
	case like, notLike:
		word := " like "
		if e.op == notLike {
			word = " not like "
		}
		if e.args[1].op != stringLiteral {
			refuse(e.at, "LIKE with a pattern that is no string")
		}
		return w.value(e.args[0]) + word + national(strings.ReplaceAll(e.args[1].text, "[", `\[`)) + ` escape N'\'`
	case columnRef:
		if t, known := w.types[e.text]; known && t.kind != boolean {
			refuse(e.at, "the column %q as a condition", e.text)
		}
		return bracket(e.text) + " = 1"
	case boolLiteral:
		if e.text == "true" {
			return "1 = 1"
		}
		return "1 = 0"
	}
	refuse(e.at, "a value as a condition")
	return ""
}

// operand puts AND and OR within AND and OR in parentheses.
func (w *serverWriter) operand(e *expr) string {
	if e.op == and || e.op == or {
		return "(" + w.condition(e) + ")"
	}
	return w.condition(e)
}

var isoTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$`)

func (w *serverWriter) values(args []*expr) []string {
	all := make([]string, len(args))
	for i, a := range args {
		all[i] = w.value(a)
	}
	return all
}

func (w *serverWriter) value(e *expr) string {
	switch e.op {
	case columnRef:
		return bracket(e.text)
	case stringLiteral:
		return national(e.text)
	case numberLiteral:
		return e.text
	case boolLiteral:
		return bit(e)
	case nullLiteral:
		return "null"
	case negative:
		return "-(" + w.value(e.args[0]) + ")"
	case arithmetic:
		return "(" + w.value(e.args[0]) + " " + e.text + " " + w.value(e.args[1]) + ")"
	case length:
		if t, known := w.types[e.args[0].text]; known && !t.stringy() {
			refuse(e.at, "the length of what is no string")
		}
		return "(datalength(" + bracket(e.args[0].text) + ") / 2)"
	case now, localNow, utcNow, today, newUUID:
		refuse(e.at, "a condition that depends on the clock or on chance")
	}
	refuse(e.at, "a condition as a value: T-SQL has none")
	return ""
}

func bit(e *expr) string {
	if e.text == "true" {
		return "1"
	}
	return "0"
}

var (
	hexBytes  = regexp.MustCompile(`^\\x([0-9a-fA-F]{2})*$`)
	plainUUID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	plainDate = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	plainTime = regexp.MustCompile(`^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$`)
	offset    = regexp.MustCompile(`^(.*\d\d:\d\d.*)(Z|[+-]\d\d:\d\d)$`)
	someDate  = regexp.MustCompile(`^\s*\d+\s*[-/.]\s*\w+\s*[-/.]\s*\d+`)
	// simpleDocument has one form as JSON, also where PostgreSQL writes it anew.
	simpleDocument = regexp.MustCompile(`^(\{\}|\[\]|null|true|false|0|[1-9][0-9]{0,17})$`)
)

// serverDefault is a default's value. t is nil where the column's type is not known.
func serverDefault(e *expr, t *typ) string {
	switch e.op {
	case numberLiteral:
		switch {
		case t != nil && (t.kind == single || t.kind == double):
			return e.text + "e0" // from a decimal it might be rounded otherwise
		case t == nil || t.kind == decimal || t.numeric() && whole.MatchString(e.text):
			return e.text
		}
	case boolLiteral:
		if t == nil || t.kind == boolean {
			return bit(e)
		}
	case stringLiteral:
		return serverString(e, t)
	case now, localNow, utcNow, today:
		return serverMoment(e, t)
	case newUUID:
		if t == nil || t.kind == uuid || t.kind == text && t.length == 0 {
			return "newid()"
		}
	}
	refuse(e.at, "a default that is not plainly a value of its column's type")
	return ""
}

func serverString(e *expr, t *typ) string {
	if t == nil {
		if sqltext.MentionsClock(e.text) || strings.HasPrefix(e.text, `\x`) || someDate.MatchString(e.text) && !isoTime.MatchString(e.text) {
			refuse(e.at, "a string that may stand for another value, as the column's type is not known here")
		}
		return national(e.text)
	}
	switch {
	case t.kind == boolean:
		return bit(truth(e))
	case t.kind == bytes && hexBytes.MatchString(e.text):
		return "0x" + e.text[2:]
	case t.numeric() && number.MatchString(e.text):
		return serverDefault(&expr{op: numberLiteral, text: e.text, at: e.at}, t)
	case !sameString(e.text, t):
		refuse(e.at, "a default that is not written as both sides read it in the same way")
	}
	return national(e.text)
}

// sameString reports whether both engines read a string as the same value of a type.
func sameString(s string, t *typ) bool {
	switch t.kind {
	case text:
		return true
	case document:
		return simpleDocument.MatchString(s)
	case uuid:
		return plainUUID.MatchString(s)
	case date:
		return plainDate.MatchString(s)
	case timeOfDay:
		return plainTime.MatchString(s)
	case timestamp:
		return isoTime.MatchString(s)
	case timestampZone: // without an offset it would be that of the session
		m := offset.FindStringSubmatch(s)
		return m != nil && isoTime.MatchString(m[1])
	}
	return false
}

// serverMoment: what the primary hands over is not computed again; this is for rows that come from nowhere else.
func serverMoment(e *expr, t *typ) string {
	if t != nil && !t.dated() {
		refuse(e.at, "the clock as the default of a column that is no time")
	}
	switch {
	case t != nil && t.kind == date, e.op == today:
		return "convert(date, sysdatetime())"
	case e.op == utcNow && t != nil && t.kind == timestampZone:
		refuse(e.at, "a time without an offset as the default of a column that has one")
	case e.op == utcNow:
		return "sysutcdatetime()"
	case e.op == localNow, t != nil && t.kind != timestampZone:
		return "sysdatetime()"
	}
	return "sysdatetimeoffset()"
}
