package tsql

// operand is a translated expression and what its surroundings need to know of it.
type operand struct {
	code
	column    string // of an expression that is nothing but a column
	qualifier string // its table's name or alias, if it was given
	null      bool   // the expression is NULL
	plain     *value // of a literal
	variable  string // of an expression that is nothing but a variable
}

// expr is an expression or a search condition ("Search condition", "Operator precedence"). PostgreSQL's operators take
// precedence in the same order, but for those on bits, which get parentheses.
func (p *parser) expr() operand {
	mark := p.markKeys()
	o := p.conjunction()
	for p.accept("OR") {
		o = operand{code: sql(o.code, " or ", p.conjunction().code)}
		p.forgetKeys(mark)
	}
	return o
}

func (p *parser) conjunction() operand {
	o := p.negation()
	for p.accept("AND") {
		o = operand{code: sql(o.code, " and ", p.negation().code)}
	}
	return o
}

func (p *parser) negation() operand {
	if !p.accept("NOT") {
		return p.predicate()
	}
	var o operand
	p.withoutKeys(func() { o = operand{code: sql("not ", p.negation().code)} })
	return o
}

func (p *parser) scalar() operand {
	o := p.product()
	for {
		switch op := p.acceptOne("+", "-", "&", "|", "^"); op {
		case "":
			return o
		case "+", "-":
			o = operand{code: sql(o.code, " ", op, " ", p.product().code)}
		default:
			if op == "^" {
				op = "#"
			}
			o = operand{code: sql("(", o.code, " ", op, " ", p.product().code, ")")}
		}
	}
}

func (p *parser) product() operand {
	o := p.unary()
	for {
		op := p.acceptOne("*", "/", "%")
		if op == "" {
			return o
		}
		o = operand{code: sql(o.code, " ", op, " ", p.unary().code)}
	}
}

func (p *parser) unary() operand {
	switch op := p.acceptOne("-", "+", "~"); op {
	case "":
		return p.collated()
	case "+":
		return operand{code: p.unary().code}
	default:
		o := p.unary()
		if op == "-" && o.plain != nil && !lengthy(o.plain.Kind) {
			o.plain.text = "-" + o.plain.text
			o.code = sql(o.plain.literal())
			return o
		}
		return operand{code: sql("(", op, o.code, ")")}
	}
}

// collated takes COLLATE with a collation like the one that everything has.
func (p *parser) collated() operand {
	o := p.primary()
	for p.accept("COLLATE") {
		if name := upper(p.next().text); name != "DATABASE_DEFAULT" && !hasSuffixAny(name, "_BIN", "_BIN2", "_BIN2_UTF8") {
			p.unknown("a collation that is not binary: " + name)
		}
		o.column = ""
	}
	return o
}

func (p *parser) primary() operand {
	t := p.peek()
	switch t.kind {
	case tokString, tokNumber, tokBinary:
		p.next()
		return p.literal(t)
	case tokVariable:
		p.next()
		return operand{code: sql(variable(t)), variable: t.text}
	}
	switch {
	case p.atSubquery():
		return operand{code: p.subquery()}
	case p.at("("):
		p.next()
		o := p.expr()
		p.expect(")")
		o.code = sql("(", o.code, ")")
		return o
	case p.accept("NULL"):
		return operand{code: sql("null"), null: true}
	case p.accept("CASE"):
		var o operand
		p.withoutKeys(func() { o = operand{code: p.caseOf()} })
		return o
	}
	if c, ok := p.special(); ok {
		return operand{code: c}
	}
	return p.column()
}

func (p *parser) caseOf() code {
	c := sql("case")
	if !p.at("WHEN") {
		c.add(" ", p.scalar().code)
	}
	for p.accept("WHEN") {
		c.add(" when ", p.expr().code)
		p.expect("THEN")
		c.add(" then ", p.scalar().code)
	}
	if p.accept("ELSE") {
		c.add(" else ", p.scalar().code)
	}
	p.expect("END")
	return sql(c, " end")
}

// column is a name of up to three parts; a qualifier may stand for another one.
func (p *parser) column() operand {
	parts := []string{p.name()}
	for p.at(".") && p.ahead(1).up != "*" {
		p.next()
		parts = append(parts, p.name())
	}
	if p.at("(") {
		p.unknown("function " + parts[len(parts)-1])
	}
	p.seen.columns++
	o := operand{column: parts[len(parts)-1]}
	if len(parts) > 1 {
		o.qualifier = parts[len(parts)-2]
	}
	for i, part := range parts {
		switch {
		case i == 0 && len(parts) == 2:
			o.code.add(p.qualify(part))
		case i == 0:
			o.code.add(ident(part))
		default:
			o.code.add(".", ident(part))
		}
	}
	return o
}

// qualify is the qualifier of a column in PostgreSQL.
func (p *parser) qualify(name string) string {
	if alias, ok := p.aliases[upper(name)]; ok {
		return alias
	}
	return ident(name)
}
