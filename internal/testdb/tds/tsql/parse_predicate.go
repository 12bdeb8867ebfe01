package tsql

// keyPart is a column that a WHERE holds equal to something that is known before the statement runs.
type keyPart struct {
	qualifier, column string
	value             code
}

func (p *parser) markKeys() int {
	if p.keys == nil {
		return 0
	}
	return len(*p.keys)
}

func (p *parser) forgetKeys(mark int) {
	if p.keys != nil {
		*p.keys = (*p.keys)[:mark]
	}
}

func (p *parser) withoutKeys(parse func()) {
	keys := p.keys
	p.keys = nil
	parse()
	p.keys = keys
}

var comparisons = map[string]string{"=": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!<": ">=", "!>": "<="}

func (p *parser) predicate() operand {
	if p.accept("EXISTS") {
		return operand{code: sql("exists ", p.subquery())}
	}
	before := p.seen.columns
	left := p.scalar()
	between := p.seen.columns
	if op, ok := comparisons[p.peek().up]; ok {
		p.next()
		if q := p.acceptOne("ANY", "SOME", "ALL"); q != "" {
			return operand{code: sql(left.code, " ", op, " ", q, " ", p.subquery())}
		}
		right := p.scalar()
		if op == "=" && p.keys != nil {
			if left.column != "" && p.seen.columns == between && !right.null {
				*p.keys = append(*p.keys, keyPart{left.qualifier, left.column, right.code})
			} else if right.column != "" && between == before && !left.null {
				*p.keys = append(*p.keys, keyPart{right.qualifier, right.column, left.code})
			}
		}
		return operand{code: sql(left.code, " ", op, " ", right.code)}
	}
	if p.accept("IS") {
		if p.accept("NOT") {
			p.expect("NULL")
			return operand{code: sql(left.code, " is not null")}
		}
		p.expect("NULL")
		return operand{code: sql(left.code, " is null")}
	}
	not := ""
	if p.at("NOT", "IN") || p.at("NOT", "BETWEEN") || p.at("NOT", "LIKE") {
		p.next()
		not = "not "
	}
	switch p.acceptOne("IN", "BETWEEN", "LIKE") {
	case "IN":
		return operand{code: sql(left.code, " ", not, "in ", p.inList())}
	case "BETWEEN":
		low := p.scalar()
		p.expect("AND")
		return operand{code: sql(left.code, " ", not, "between ", low.code, " and ", p.scalar().code)}
	case "LIKE":
		return p.like(not, left)
	}
	return left
}

func (p *parser) inList() code {
	if p.atSubquery() {
		return p.subquery()
	}
	var items []code
	p.parenthesized(func() { p.list(func() { items = append(items, p.scalar().code) }) })
	return sql("(", join(items, ", "), ")")
}

func (p *parser) like(not string, left operand) operand {
	pattern, escape := p.scalar(), sql("null")
	if p.accept("ESCAPE") {
		escape = p.scalar().code
	}
	return operand{code: sql(not, "is_like((", left.code, ")::tsql.nvarchar, (", pattern.code, ")::tsql.nvarchar, (", escape,
		")::tsql.nvarchar)")}
}

// atSubquery reports whether a parenthesis with a query in it comes next.
func (p *parser) atSubquery() bool {
	n := 0
	for p.ahead(n).up == "(" {
		n++
	}
	return n > 0 && (p.ahead(n).up == "SELECT" || p.ahead(n).up == "WITH")
}

// subquery is a query with its parentheses. What it compares is not the surrounding WHERE's business.
func (p *parser) subquery() code {
	var c code
	p.withoutKeys(func() {
		p.parenthesized(func() { c = sql("(", p.query(false).code, ")") })
	})
	p.seen.columns++ // it may depend on anything
	return c
}
