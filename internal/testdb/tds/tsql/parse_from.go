package tsql

import "strings"

// table is a table by name: schema is "pg_temp" for a temporary one.
type table struct {
	schema, name string
	written      string // as the text has it
	line         int32
}

func (t *table) code() string {
	if t.schema == "" {
		return ident(t.name)
	}
	return ident(t.schema) + "." + ident(t.name)
}

// display is the name as errors have it.
func (t *table) display() string { return t.schema + "." + t.name }

// source is a table or a derived table of FROM.
type source struct {
	table *table // nil: a derived one
	alias string
	hints hints
	code  code // with its alias
	join  string
	on    code
}

// table parses a name: dbo is the schema of one without ("CREATE SCHEMA", default schemas), and a database must be the session's own.
func (p *parser) table() *table {
	first := p.peek()
	from := p.pos
	parts := []string{p.name()}
	for p.accept(".") {
		part := ""
		if !p.at(".") {
			part = p.name()
		}
		parts = append(parts, part)
	}
	t := &table{name: parts[len(parts)-1], schema: "dbo", written: strings.Join(parts, "."), line: first.line}
	switch n := len(parts); {
	case strings.HasPrefix(t.name, "#"):
		t.schema = "pg_temp"
	case n > 2:
		panic(unknown(first.line, "a table of another database: "+p.source(from, p.pos)))
	case n == 2:
		if t.schema = parts[0]; upper(t.schema) == "INFORMATION_SCHEMA" {
			t.schema = "INFORMATION_SCHEMA"
		}
	case p.ctes[t.name]:
		t.schema = ""
	}
	p.written[t.display()] = t.written
	return t
}

// from parses the sources behind FROM.
func (p *parser) from() (code, []source) {
	var sources []source
	c := sql()
	first := true
	p.list(func() {
		if !first {
			c.add(", ")
		}
		first = false
		n := len(sources)
		p.joined(&sources)
		if n > 0 {
			sources[n].join = ","
		}
		c.add(joinSources(sources[n:]))
	})
	return c, sources
}

// joinSources writes a chain of joins; the first one's own join is left out.
func joinSources(sources []source) code {
	c := sql()
	for i, s := range sources {
		if i > 0 {
			c.add(" ", s.join, " ")
		}
		c.add(s.code)
		if s.on != nil {
			c.add(" on ", s.on)
		}
	}
	return c
}

// joined parses a source and what is joined to it, from left to right.
func (p *parser) joined(sources *[]source) {
	*sources = append(*sources, p.source1())
	for {
		join := p.joinWord()
		if join == "" {
			return
		}
		if p.at("(") && !p.atSubquery() {
			p.unknown("a join in parentheses")
		}
		s := p.source1()
		s.join = join
		switch join {
		case "cross join", "cross join lateral":
		case "left join lateral":
			s.on = sql("true")
		default:
			p.expect("ON")
			p.withoutKeys(func() { s.on = p.expr().code })
		}
		*sources = append(*sources, s)
	}
}

func (p *parser) joinWord() string {
	switch {
	case p.accept("JOIN"), p.accept("INNER", "JOIN"):
		return "join"
	case p.accept("CROSS", "JOIN"):
		return "cross join"
	case p.accept("CROSS", "APPLY"):
		return "cross join lateral"
	case p.accept("OUTER", "APPLY"):
		return "left join lateral"
	}
	if side := p.ahead(0).up; side == "LEFT" || side == "RIGHT" || side == "FULL" {
		p.next()
		p.accept("OUTER")
		p.expect("JOIN")
		return strings.ToLower(side) + " join"
	}
	return ""
}

// source1 parses one source: a table with hints, a query or VALUES in parentheses.
func (p *parser) source1() source {
	if p.at("(") {
		return p.derived()
	}
	if p.peek().kind == tokVariable {
		p.unknown("a table variable")
	}
	t := p.table()
	s := source{table: t, alias: t.name}
	if p.at("(") && !p.hintsAhead() {
		p.unknown("a function in FROM: " + t.written)
	}
	s.hints = p.hints()
	if p.accept("AS") || p.atName() && !p.atStatement() && !p.at("CROSS") && !p.at("OUTER") {
		s.alias = p.name()
	}
	s.hints |= p.hints()
	s.code = sql(t.code())
	if s.alias != t.name {
		s.code.add(" as ", ident(s.alias))
	}
	return s
}

func (p *parser) derived() source {
	var c code
	if p.atSubquery() {
		c = p.subquery()
	} else {
		p.expect("(")
		if !p.at("VALUES") {
			p.unknown("a join in parentheses")
		}
		c = sql("(", p.values(), ")")
		p.expect(")")
	}
	p.accept("AS")
	s := source{alias: p.name()}
	s.code = sql(c, " as ", ident(s.alias), p.columnNames())
	return s
}

// values parses VALUES (...), (...).
func (p *parser) values() code {
	p.expect("VALUES")
	var rows []code
	p.list(func() {
		var row []code
		p.parenthesized(func() {
			p.list(func() {
				if p.accept("DEFAULT") {
					row = append(row, sql("default"))
				} else {
					row = append(row, p.scalar().code)
				}
			})
		})
		rows = append(rows, sql("(", join(row, ", "), ")"))
	})
	return sql("values ", join(rows, ", "))
}

// clause puts a word in front of what there may not be.
func clause(word string, c code) code {
	if c == nil {
		return nil
	}
	return sql(word, c)
}

// where parses the condition of a WHERE over these sources, and notes what must be locked before, for their hints.
func (p *parser) where(sources []source) code {
	keys := p.keys
	p.keys = &[]keyPart{}
	var c code
	if p.accept("WHERE") {
		c = p.expr().code
	}
	for _, s := range sources {
		p.lockKeys(s, *p.keys, len(sources) == 1)
	}
	p.keys = keys
	return c
}
