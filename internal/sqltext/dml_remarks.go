package sqltext

import (
	"errors"
	"strings"
)

// varying are PostgreSQL's functions without parentheses that are not the same for every session and moment (manual, 9.9.5,
// 9.26).
var varying = map[string]bool{
	"CURRENT_CATALOG": true, "CURRENT_DATE": true, "CURRENT_ROLE": true, "CURRENT_SCHEMA": true, "CURRENT_TIME": true,
	"CURRENT_TIMESTAMP": true, "CURRENT_USER": true, "LOCALTIME": true, "LOCALTIMESTAMP": true, "SESSION_USER": true,
	"SYSTEM_USER": true, "USER": true,
}

// objectTypes are those whose values are a database's own object numbers (manual, 8.19).
var objectTypes = map[string]bool{
	"regclass": true, "regcollation": true, "regconfig": true, "regdictionary": true, "regnamespace": true, "regoper": true,
	"regoperator": true, "regproc": true, "regprocedure": true, "regrole": true, "regtype": true,
}

// momentTypes are those that a text such as 'now' can be made into.
var momentTypes = map[string]bool{"date": true, "time": true, "timestamp": true, "timestamptz": true, "timetz": true,
	"daterange": true, "tsrange": true, "tstzrange": true, "datemultirange": true, "tsmultirange": true, "tstzmultirange": true}

// plainTypes are those that hold no moments. One that is not known here may be made of them.
var plainTypes = func() map[string]bool {
	plain := map[string]bool{}
	for _, name := range strings.Fields(`bigint bit bool boolean box bpchar bytea char character cidr circle citext dec decimal double float float4 float8 inet int int2
		int4 int4multirange int4range int8 int8multirange int8range integer interval json jsonb jsonpath line lseg macaddr macaddr8 money name national nchar
		nummultirange numeric numrange oid path point polygon real smallint text tsquery tsvector uuid varbit varchar xml`) {
		plain[name] = true
	}
	return plain
}()

// systemColumns say where and when a row was written (manual, 5.5).
var systemColumns = map[string]bool{"ctid": true, "xmin": true, "xmax": true, "cmin": true, "cmax": true, "tableoid": true}

// whole makes sure that the text is closed: what is put behind it must be no part of it.
func (r *dmlReader) whole() error {
	var open []string
	for i := range r.t {
		switch up := r.t[i].up; up {
		case "(", "[":
			open = append(open, map[string]string{"(": ")", "[": "]"}[up])
		case ")", "]":
			if len(open) == 0 || open[len(open)-1] != up {
				return errors.New("its parentheses do not match")
			}
			open = open[:len(open)-1]
		}
	}
	if last := r.t.at(len(r.t) - 1); last == "." || last == "AS" {
		return errors.New("it has no end: a name is missing")
	}
	all, _ := scan(r.c.src[:r.d.End]+" x", r.c.d)
	if last := all[len(all)-1]; len(open) > 0 || last.kind != tokWord || last.up != "X" {
		return errors.New("it has no end: a quote or a parenthesis is not closed")
	}
	return nil
}

// remarks collects what tells whether the statement means the same elsewhere.
func (r *dmlReader) remarks() {
	from := 0 // behind the target and its columns, which look like a call
	for i := range r.t {
		if up := r.t[i].up; from == 0 && (up == "SET" || up == "VALUES" || up == "WHERE" || up == "SELECT") {
			from = i
		}
		raw := r.c.src[r.t[i].start:r.t[i].end]
		switch r.t[i].kind {
		case tokWord, tokQuoted:
			name := r.c.name(r.t, i)
			behindDot := r.t.at(i-1) == "."
			switch {
			case systemColumns[name], objectTypes[name], r.mayMakeMoment(name) && r.made(i), raw[0]|0x20 == 'u' && r.t[i].kind == tokQuoted,
				varying[r.t[i].up] && !behindDot && r.t.at(i-1) != "AS" && r.t.at(i-1) != "OVERRIDING":
				r.vary(raw)
			}
			if behindDot && r.t.at(i+1) != "(" && i >= from && from > 0 {
				r.d.Dotted = append(r.d.Dotted, name)
			}
			switch r.t[i].up {
			case "SELECT", "TABLE":
				r.d.Reads = r.d.Reads || !behindDot
			case "DEFAULT":
				r.d.Default = r.d.Default || !behindDot && r.t.at(i+1) != "VALUES"
			}
		case tokString:
			if c := raw[0] | 0x20; c == 'e' && strings.Contains(raw, `\`) || c == 'u' || MentionsClock(raw) || r.t.kindAt(i-1) == tokString {
				r.vary(raw)
			}
		}
	}
	if r.t.at(from) == "(" {
		from++
	}
	r.d.Calls = r.c.callsBut(r.t[from:], neverFunctions)
}

// mayMakeMoment: only in a DML is a type of a user's own taken for one that may, as its rows can be carried over.
func (r *dmlReader) mayMakeMoment(typeName string) bool {
	return momentTypes[typeName] || r.d.Verb != "" && !plainTypes[typeName]
}

// made reports whether the name at i is the type that something is cast to that is no literal, no parameter and no NULL: it may be a text.
func (r *dmlReader) made(i int) bool {
	if r.t.at(i+1) == "." {
		return false // the type's schema
	}
	if r.t.at(i-1) == "." {
		i -= 2
	}
	switch before := i - 2; {
	case r.t.at(i-1) == ":" && r.t.at(before) == ":":
		return !r.constant(before - 1)
	case r.t.at(i-1) == "AS" && r.inCast(i-1):
		return r.t.at(before-1) != "(" || !r.constant(before)
	}
	return false
}

func (r *dmlReader) constant(i int) bool {
	k := r.t.kindAt(i)
	return k == tokString || k == tokMark || r.t.at(i) == "NULL"
}

// inCast reports whether the token at i stands in the parentheses of a CAST.
func (r *dmlReader) inCast(i int) bool {
	depth := 0
	for i--; i > 0; i-- {
		switch r.t[i].up {
		case ")":
			depth++
		case "(":
			if depth == 0 {
				return r.t.at(i-1) == "CAST"
			}
			depth--
		}
	}
	return false
}

func (r *dmlReader) vary(word string) {
	if r.d.Varies == "" {
		r.d.Varies = word
	}
}

// MentionsClock reports whether a value, read as a date or a time, may stand for the moment at which it is read: 'now',
// 'tomorrow' (PostgreSQL manual, 8.5.1.4). A longer text is none, unless it may be a list of them.
func MentionsClock(value string) bool {
	value = strings.TrimLeft(value, " \t\r\n\v\f'")
	if len(value) > 64 && !strings.ContainsAny(value[:1], "{([") && longerThan(value, 60) {
		return false
	}
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return !('a' <= c|0x20 && c|0x20 <= 'z') }) {
		switch asciiUpper(word) {
		case "NOW", "TODAY", "TOMORROW", "YESTERDAY":
			return true
		}
	}
	return false
}

// longerThan compares a value's length without repeated spaces and signs: PostgreSQL passes over most of them, however many.
func longerThan(value string, most int) bool {
	n, sign := 0, true
	for i := 0; i < len(value) && n <= most; i++ {
		c := value[i]
		plain := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
		if plain || !sign {
			n++
		}
		sign = !plain
	}
	return n > most
}

// ReadExpression tells of an expression of PostgreSQL's, such as a column's default, the first word whose meaning varies (see
// [DML.Varies]) and the functions that it may call.
func ReadExpression(expr string) (varies string, calls []Function) {
	r := &dmlReader{c: classifier{src: expr, d: Postgres}, t: scanPlain(expr, Postgres)}
	r.remarks()
	return r.d.Varies, r.d.Calls
}

// FirstWord returns the first of a text's words, outside of quotes and comments, that is one of those; "" if none is.
func FirstWord(text string, words map[string]bool) string {
	all, _ := scan(text, Postgres)
	for _, t := range all {
		if t.kind == tokWord && words[t.up] {
			return t.up
		}
	}
	return ""
}
