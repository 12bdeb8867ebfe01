package sqltext

import "strings"

// Setting is one piece of session state that a Session statement sets.
type Setting struct {
	// Name in lower case, unquoted: "search_path", "timezone" for TIME ZONE, "role",
	// "session authorization", "transaction" for SET TRANSACTION, T-SQL's "transaction
	// isolation level", "session characteristics", "use" for USE, "all" for RESET ALL and DISCARD ALL.
	Name string
	// Value is the text as written. Empty if Reset.
	Value string
	// Local: SET LOCAL, undone at the end of the transaction.
	Local bool
	// Reset: RESET, DISCARD ALL, or SET to DEFAULT.
	Reset bool
	// Text is the one statement that makes the setting.
	Text string
}

// settingWords are names of settings that are words of the grammar, and how
// many tokens they take.
var settingWords = []struct{ first, second, name string }{
	{"SESSION", "AUTHORIZATION", "session authorization"},
	{"SESSION", "CHARACTERISTICS", "session characteristics"},
	{"TIME", "ZONE", "timezone"},
	{"CHARACTER", "SET", "client_encoding"},
	{"XML", "OPTION", "xmloption"},
	{"TRANSACTION", "", "transaction"},
	{"CONSTRAINTS", "", "constraints"},
	{"NAMES", "", "client_encoding"},
	{"SCHEMA", "", "search_path"},
	{"ROLE", "", "role"},
}

// session reads SET, RESET, DISCARD and USE.
func (c *classifier) session(t tokens) (Kind, []Setting) {
	rest := t[1:]
	switch t[0].up {
	case "USE":
		return Session, []Setting{{Name: "use", Value: rest.text(c.src)}}
	case "DISCARD":
		if rest.at(0) == "ALL" {
			return Session, []Setting{{Name: "all", Reset: true}}
		}
		return Session, nil
	case "RESET":
		name := c.settingName(rest)
		if n, word := rest.settingWord(); n > 0 {
			name = word
		}
		return Session, []Setting{{Name: name, Reset: true}}
	}
	if c.d == SQLServer {
		if rest.kindAt(0) == tokMark {
			return Read, nil // a local variable
		}
		return Session, c.setBatch(rest)
	}
	return Session, c.set(rest)
}

// settingWord is the grammar's word at the run's start, and its tokens.
func (t tokens) settingWord() (n int, name string) {
	for _, w := range settingWords {
		if t.at(0) != w.first || w.second != "" && t.at(1) != w.second {
			continue
		}
		switch {
		case w.second != "":
			return 2, w.name
		case t.at(1) == "=" || t.at(1) == "TO" || t.at(1) == ".":
			return 0, "" // an ordinary name after all
		}
		return 1, w.name
	}
	return 0, ""
}

// set reads what stands behind SET (PostgreSQL manual, SET; MySQL's lists of
// assignments in the Generic dialect).
func (c *classifier) set(t tokens) []Setting {
	var all []Setting
	for _, part := range c.assignments(t) {
		var s Setting
		if n, _ := part.settingWord(); n == 0 && (part.at(0) == "LOCAL" || part.at(0) == "SESSION") && part.at(1) != "=" && part.at(1) != "TO" {
			s.Local = part.at(0) == "LOCAL"
			part = part[1:]
		}
		n, word := part.settingWord()
		if s.Name = word; n == 0 {
			for n < len(part) && part[n].up != "=" && part[n].up != "TO" && part[n].up != ":" {
				n++
			}
			s.Name = c.settingName(part[:n])
		}
		for n < len(part) && (part[n].up == ":" || part[n].up == "=" || part[n].up == "TO") {
			n++
		}
		value := part[n:]
		if len(value) == 1 && value[0].up == "DEFAULT" {
			s.Reset = true
		} else {
			s.Value = value.text(c.src)
		}
		all = append(all, s)
	}
	return all
}

// settingName is the name that the tokens spell. PostgreSQL looks settings up without regard to case, quoted or not.
func (c *classifier) settingName(t tokens) string {
	var b strings.Builder
	for i := range t {
		b.WriteString(asciiLower(c.name(t, i)))
	}
	return b.String()
}

// assignments cuts MySQL's a = 1, b = 2. In other dialects a comma belongs to
// the value.
func (c *classifier) assignments(t tokens) []tokens {
	if c.d != Generic {
		return []tokens{t}
	}
	var all []tokens
	start, depth, comma := 0, 0, -1
	for i := range t {
		switch t[i].up {
		case "(":
			depth++
		case ")":
			depth--
		case ",":
			if depth == 0 {
				comma = i
			}
		case "=":
			if depth == 0 && comma > start {
				all = append(all, t[start:comma])
				start = comma + 1
			}
		}
	}
	return append(all, t[start:])
}

// setBatch reads what stands behind T-SQL's SET: names, separated by commas,
// and one value for all of them.
func (c *classifier) setBatch(t tokens) []Setting {
	if t.at(0) == "TRANSACTION" {
		return []Setting{{Name: "transaction isolation level", Value: t[1:].text(c.src)}}
	}
	prefix := ""
	if t.at(0) == "STATISTICS" {
		prefix, t = "statistics ", t[1:]
	}
	var all []Setting
	for i := 0; i < len(t); i += 2 {
		all = append(all, Setting{Name: prefix + asciiLower(c.src[t[i].start:t[i].end])})
		if t.at(i+1) != "," {
			value := t[i+1:].text(c.src)
			for j := range all {
				all[j].Value = value
			}
			break
		}
	}
	return all
}
