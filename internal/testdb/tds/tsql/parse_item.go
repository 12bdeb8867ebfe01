package tsql

// item is one column of a select list, with its name.
func (p *parser) item(main bool, s *selection) code {
	if p.accept("*") {
		return sql("*")
	}
	if t := p.peek(); main && t.kind == tokVariable && p.ahead(1).up == "=" {
		p.pos += 2
		s.assigns = append(s.assigns, t.text)
		return sql("(", p.item0().code, ")::", typeOf(t))
	}
	if p.atName() && p.ahead(1).up == "=" {
		alias := p.name()
		p.next()
		return sql(p.item0().code, " as ", ident(alias))
	}
	if p.atName() && p.ahead(1).up == "." && (p.ahead(2).up == "*" || p.ahead(3).up == "." && p.ahead(4).up == "*") {
		return p.allOf()
	}
	o := p.item0()
	return sql(o.code, " as ", ident(p.alias(o.column)))
}

// item0: a column that is only NULL is an int.
func (p *parser) item0() operand {
	o := p.scalar()
	if o.null {
		o.code = sql("null::int4")
	}
	return o
}

// allOf is t.*, of a table that an alias may stand for.
func (p *parser) allOf() code {
	p.seen.columns++
	c := sql(p.qualify(p.name()))
	for p.accept(".") {
		if p.accept("*") {
			return sql(c, ".*")
		}
		c.add(".", ident(p.name()))
	}
	return c
}

// alias is the name that a column of a result gets: what it has, if nothing is said.
func (p *parser) alias(own string) string {
	as := p.accept("AS")
	if t := p.peek(); t.kind == tokString {
		p.next()
		return t.text
	}
	if as || p.atName() && !p.atStatement() {
		return p.name()
	}
	if own == "" {
		return noName
	}
	return own
}

// columnNames is (a, b, ...), or nothing.
func (p *parser) columnNames() code {
	if !p.at("(") {
		return nil
	}
	return sql(" (", join(p.nameList(), ", "), ")")
}

func (p *parser) nameList() []code {
	var all []code
	p.parenthesized(func() { p.list(func() { all = append(all, sql(ident(p.name()))) }) })
	return all
}

// orderBy: NULL is the lowest value ("ORDER BY clause").
func (p *parser) orderBy() code {
	if !p.accept("ORDER", "BY") {
		return nil
	}
	var all []code
	p.withoutKeys(func() {
		p.list(func() {
			item := sql(p.scalar().code)
			if p.accept("DESC") {
				item.add(" desc nulls last")
			} else {
				p.accept("ASC")
				item.add(" asc nulls first")
			}
			all = append(all, item)
		})
	})
	return sql(" order by ", join(all, ", "))
}
