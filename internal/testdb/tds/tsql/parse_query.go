package tsql

import "fmt"

// noName is the name that PostgreSQL gives a column which has none in T-SQL.
const noName = "(no column name)"

// query is a translated SELECT.
type query struct {
	code
	assigns []string // variables that SELECT @v = expr assigns its columns to, in their order
	into    *table   // of SELECT INTO
	release bool     // its row locks are not to be kept: READCOMMITTEDLOCK alone
}

// selection is one SELECT ... of a query, before what ORDER BY and TOP add at its end.
type selection struct {
	code
	top     code // the limit that TOP sets
	ties    bool
	locks   []rowLock
	grouped bool
	items   []code
	assigns []string
	into    *table
}

// query parses [WITH ...] SELECT ... [UNION ...] [ORDER BY ...] [OFFSET ...] ("SELECT"). main is one that is a statement.
func (p *parser) query(main bool) query {
	with := p.with()
	q := p.queryBody(main)
	q.code = sql(with, q.code)
	return q
}

func (p *parser) queryBody(main bool) query {
	first := p.term(main)
	var q query
	q.assigns, q.into = first.assigns, first.into
	for {
		op := p.acceptOne("UNION", "EXCEPT", "INTERSECT")
		if op == "" {
			break
		}
		if p.accept("ALL") {
			op += " all"
		}
		first = selection{code: sql(first.closed(), " ", op, " ", p.term(false).closed())}
	}
	q.code = sql(first.code, p.orderBy())
	limit, offset := first.top, code(nil)
	if p.accept("OFFSET") {
		offset = p.scalar().code
		if p.acceptOne("ROW", "ROWS") == "" {
			p.fail()
		}
		if p.accept("FETCH") {
			if p.acceptOne("NEXT", "FIRST") == "" {
				p.fail()
			}
			limit = p.scalar().code
			if p.acceptOne("ROW", "ROWS") == "" {
				p.fail()
			}
			p.expect("ONLY")
		}
	}
	if offset != nil {
		q.add(" offset (", offset, ")")
	}
	if limit != nil && first.ties {
		q.add(" fetch first ", limit, " rows with ties")
	} else if limit != nil {
		q.add(" limit ", limit)
	}
	q.release = len(first.locks) > 0
	for _, l := range first.locks {
		q.add(l.clause())
		q.release = q.release && l.release
	}
	if p.at("FOR", "XML") || p.at("FOR", "JSON") {
		p.unknown("FOR " + p.ahead(1).up)
	}
	if p.accept("OPTION") {
		p.skipParenthesis()
	}
	return q
}

// closed is the selection as a member of a UNION.
func (s selection) closed() code {
	if s.top == nil {
		return s.code
	}
	return sql("(", s.code, " limit ", s.top, ")")
}

func (p *parser) term(main bool) selection {
	if p.accept("(") {
		c := p.query(false).code
		p.expect(")")
		return selection{code: sql("(", c, ")")}
	}
	return p.selection(main)
}

func (p *parser) selection(main bool) selection {
	p.expect("SELECT")
	var s selection
	head := "select "
	if p.accept("DISTINCT") {
		head, s.grouped = "select distinct ", true
	} else {
		p.accept("ALL")
	}
	s.top, s.ties = p.top()
	aggregates := p.seen.aggregates
	p.list(func() { s.items = append(s.items, p.item(main, &s)) })
	if p.accept("INTO") {
		s.into = p.table()
	}
	var from code
	var sources []source
	if p.accept("FROM") {
		from, sources = p.from()
	}
	where := p.where(sources)
	var rest code
	if p.accept("GROUP", "BY") {
		s.grouped = true
		var by []code
		p.list(func() { by = append(by, p.scalar().code) })
		rest.add(" group by ", join(by, ", "))
	}
	if p.accept("HAVING") {
		s.grouped = true
		rest.add(" having ", p.expr().code)
	}
	s.grouped = s.grouped || p.seen.aggregates > aggregates
	p.seen.aggregates = aggregates
	s.locks = rowLocks(sources)
	if s.grouped && len(s.locks) > 0 {
		from, where = p.lockBelow(from, where, sources, s.locks), nil
		s.locks = nil
	}
	s.code = sql(head, join(s.items, ", "), clause(" from ", from), clause(" where ", where), rest)
	return s
}

// lockBelow moves the row locks of a query with groups, which PostgreSQL does not let have any, into a query below it.
func (p *parser) lockBelow(from, where code, sources []source, locks []rowLock) code {
	if len(sources) != 1 {
		p.unknown("a locking hint on one of several tables of a query with groups")
	}
	c := sql("(select *", clause(" from ", from), clause(" where ", where))
	for _, l := range locks {
		c.add(l.clause())
	}
	return sql(c, ") as ", ident(sources[0].alias))
}

// top is the limit of TOP.
func (p *parser) top() (limit code, ties bool) {
	if !p.accept("TOP") {
		return nil, false
	}
	if p.at("(") {
		p.parenthesized(func() { limit = sql("(", p.scalar().code, ")") })
	} else {
		limit = p.primary().code
	}
	if p.accept("PERCENT") {
		p.unknown("TOP ... PERCENT")
	}
	return limit, p.accept("WITH", "TIES")
}

// with parses WITH name [(columns)] AS (query), ...
func (p *parser) with() code {
	if !p.accept("WITH") {
		return nil
	}
	c := sql("with recursive ")
	first := true
	p.list(func() {
		if !first {
			c.add(", ")
		}
		first = false
		name := p.name()
		p.ctes[name] = true
		c.add(ident(name), p.columnNames())
		p.expect("AS")
		c.add(" as ", p.subquery())
	})
	return sql(c, " ")
}

// skipParenthesis takes a parenthesis that says only how a query is to be executed.
func (p *parser) skipParenthesis() {
	p.expect("(")
	for depth := 1; depth > 0; {
		switch t := p.next(); {
		case t.up == "(":
			depth++
		case t.up == ")":
			depth--
		case t.kind == tokEnd:
			panic(refusal(102, t.line, fmt.Sprintf("Incorrect syntax near '%s'.", t.text)))
		}
	}
}
