package sqltext

import (
	"maps"
	"strings"
)

// Function is a name that is followed by a parenthesis: it may be a function.
// Names are unquoted and folded as the dialect folds them. Schema is empty if
// none was written.
type Function struct {
	Schema, Name string
}

// notFunctions are reserved words, and words that PostgreSQL keeps from being
// function names (manual, appendix C).
var notFunctions = map[string]bool{
	"ALL": true, "AND": true, "ANY": true, "ARRAY": true, "AS": true, "BETWEEN": true, "BY": true,
	"CASE": true, "CAST": true, "CHECK": true, "COALESCE": true, "CONSTRAINT": true, "DEFAULT": true,
	"DISTINCT": true, "ELSE": true, "EXCEPT": true, "EXISTS": true, "FOR": true, "FROM": true,
	"GREATEST": true, "GROUP": true, "GROUPING": true, "HAVING": true, "IN": true, "INTERSECT": true,
	"INTO": true, "JOIN": true, "KEY": true, "LATERAL": true, "LEAST": true, "LIMIT": true,
	"MATERIALIZED": true, "NOT": true, "NULLIF": true, "OFFSET": true, "ON": true, "ONLY": true,
	"OR": true, "ORDER": true, "OUTPUT": true, "PRIMARY": true, "REFERENCES": true, "RETURNING": true,
	"ROW": true, "SELECT": true, "SET": true, "SOME": true, "TABLE": true, "THEN": true, "UNION": true,
	"UNIQUE": true, "USING": true, "VALUES": true, "WHEN": true, "WHERE": true, "WINDOW": true, "WITH": true,
}

// neverFunctions are those of notFunctions that nobody can have given to a function.
var neverFunctions = func() map[string]bool {
	never := maps.Clone(notFunctions)
	for _, word := range []string{"BY", "JOIN", "KEY", "MATERIALIZED", "OUTPUT", "SET"} {
		delete(never, word)
	}
	return never
}()

// maxName is how many bytes of a name PostgreSQL keeps (manual, 4.1.1).
const maxName = 63

// calls collects the names before parentheses, each once, in order.
func (c *classifier) calls(t tokens) []Function { return c.callsBut(t, notFunctions) }

func (c *classifier) callsBut(t tokens, not map[string]bool) []Function {
	var all []Function
	seen := map[Function]bool{}
	for i := 1; i < len(t); i++ {
		if t[i].up != "(" || t[i-1].kind != tokWord && t[i-1].kind != tokQuoted {
			continue
		}
		f := Function{Name: c.name(t, i-1)}
		if t.at(i-2) == "." {
			if k := t.kindAt(i - 3); k == tokWord || k == tokQuoted {
				f.Schema = c.name(t, i-3)
			}
		} else if word := t[i-1].up; not[word] || t.at(i-2) == ")" && (word == "OVER" || word == "FILTER") {
			continue
		}
		if c.d == Postgres && len(f.Name) > maxName {
			f.Name = strings.ToValidUTF8(f.Name[:maxName], "")
		}
		if !seen[f] {
			seen[f] = true
			all = append(all, f)
		}
	}
	return all
}
