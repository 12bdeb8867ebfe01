package tsql

// target is what UPDATE and DELETE change, and how it is found.
type target struct {
	table  *table
	alias  string
	hints  hints
	top    code
	from   []source // without the target, if all joins are inner ones
	on     []code   // their conditions
	chain  code     // FROM as it is, if not all joins are inner ones: the target is joined to it by its ctid
	where  code
	output [2]int // where the OUTPUT clause is in the text; it is parsed when the alias is known
}

// oldRow is what a row of the target was: "deleted" of UPDATE ... OUTPUT.
const oldRow = `("~old"."~row")`

func (p *parser) update(with code) command {
	p.expect("UPDATE")
	var t target
	t.top, _ = p.top()
	t.table = p.table()
	t.hints = p.hints()
	p.expect("SET")
	var sets []code
	p.list(func() { sets = append(sets, p.set()) })
	p.tail(&t)
	old := t.usesDeleted(p)
	output := p.outputOf(t, map[string]string{"INSERTED": ident(t.alias), "DELETED": oldRow})
	c := command{verb: "UPDATE", table: t.table}
	head := sql(with, "update ", t.table.code(), " as ", ident(t.alias), " set ", join(sets, ", "))
	if !old {
		c.main = sql(head, t.fromClause(" from "), t.condition(), output)
		return c
	}
	if t.from != nil || t.chain != nil {
		p.unknown("OUTPUT deleted of UPDATE ... FROM")
	}
	// The rows are locked by a statement of their own, so that the one that changes them sees what they are, and not what they
	// were when it began to wait.
	rows := sql(" from ", t.table.code(), " as ", ident(t.alias), clause(" where ", t.where))
	if t.top != nil {
		rows.add(" limit ", t.top, " for update", t.skip())
	} else {
		c.before = append(c.before, sql("select 1", rows, " for update"))
	}
	c.main = sql(head, " from (select ctid as \"~ctid\", ", ident(t.alias), " as \"~row\"", rows, ") as \"~old\" where ", ident(t.alias),
		".ctid = \"~old\".\"~ctid\"", output)
	return c
}

func (p *parser) delete(with code) command {
	p.expect("DELETE")
	var t target
	t.top, _ = p.top()
	p.accept("FROM")
	t.table = p.table()
	t.hints = p.hints()
	p.tail(&t)
	output := p.outputOf(t, map[string]string{"DELETED": ident(t.alias)})
	return command{verb: "DELETE", table: t.table, main: sql(with, "delete from ", t.table.code(), " as ", ident(t.alias),
		t.fromClause(" using "), t.condition(), output)}
}

// set is one assignment; the qualifier of its column goes without saying.
func (p *parser) set() code {
	if p.peek().kind == tokVariable {
		p.unknown("UPDATE ... SET @variable")
	}
	column := p.name()
	for p.accept(".") {
		column = p.name()
	}
	if p.at("(") {
		p.unknown("UPDATE ... SET " + column + ".WRITE")
	}
	op := p.acceptOne("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=")
	switch {
	case op == "":
		p.fail()
	case p.accept("DEFAULT"):
		return sql(ident(column), " = default")
	case op != "=":
		return sql(ident(column), " = ", ident(column), " ", op[:1], " (", p.scalar().code, ")")
	}
	return sql(ident(column), " = ", p.scalar().code)
}

// tail parses [OUTPUT ...] [FROM ...] [WHERE ...], and finds the target among the sources of FROM.
func (p *parser) tail(t *target) {
	t.alias = t.table.name
	t.output[0] = p.pos
	p.output(map[string]string{"INSERTED": "", "DELETED": ""})
	t.output[1] = p.pos
	var sources []source
	own := source{table: t.table, alias: t.alias, hints: t.hints}
	if p.accept("FROM") {
		chain, all := p.from()
		sources = p.pick(t, chain, all)
		own.alias = t.alias
	}
	if p.at("WHERE", "CURRENT") {
		p.unknown("WHERE CURRENT OF")
	}
	t.where = p.where(append(sources, own))
	if p.accept("OPTION") {
		p.skipParenthesis()
	}
}

// pick takes the target out of the sources, and returns the others.
func (p *parser) pick(t *target, chain code, all []source) []source {
	found, inner := -1, true
	for i, s := range all {
		if found < 0 && (s.alias == t.table.name || s.table != nil && s.table.display() == t.table.display()) {
			found = i
		}
		inner = inner && (i == 0 || s.join == "," || s.join == "join" || s.join == "cross join")
	}
	if found < 0 { // the target is joined to FROM by nothing but WHERE
		t.from = all
		if !inner {
			p.unknown("UPDATE or DELETE with an outer join and a target that is not part of it")
		}
		for _, s := range all {
			if s.on != nil {
				t.on = append(t.on, s.on)
			}
		}
		return all
	}
	own := all[found]
	if own.table == nil || own.table.schema == "" {
		p.unknown("UPDATE or DELETE of a derived table")
	}
	t.table, t.alias = own.table, own.alias
	t.hints |= own.hints
	var others []source
	for i, s := range all {
		if i != found {
			others = append(others, s)
		}
		if s.on != nil {
			t.on = append(t.on, s.on)
		}
	}
	if !inner {
		t.chain, t.on = chain, []code{sql(`"~target".ctid = `, ident(own.alias), ".ctid")}
		t.alias = "~target"
	} else {
		t.from = others
	}
	return others
}

// outputOf parses the OUTPUT clause that tail has passed over.
func (p *parser) outputOf(t target, aliases map[string]string) code {
	end := p.pos
	p.pos = t.output[0]
	c := p.output(aliases)
	p.pos = end
	return c
}

func (t target) usesDeleted(p *parser) bool {
	for _, token := range p.toks[t.output[0]:t.output[1]] {
		if token.up == "DELETED" {
			return true
		}
	}
	return false
}

func (t target) fromClause(word string) code {
	if t.chain != nil {
		return sql(word, t.chain)
	}
	var sources []code
	for _, s := range t.from {
		sources = append(sources, s.code)
	}
	return clause(word, join(sources, ", "))
}

// condition is WHERE with the conditions of the joins.
func (t target) condition() code {
	if t.top != nil || t.hints&readPast != 0 {
		return sql(" where ", ident(t.alias), ".ctid = any(array(select ctid from ", t.table.code(), " as ", ident(t.alias),
			clause(" where ", t.where), clause(" limit ", t.top), " for update", t.skip(), "))")
	}
	var all []code
	for _, one := range append([]code{t.where}, t.on...) {
		if one != nil {
			all = append(all, sql("(", one, ")"))
		}
	}
	return clause(" where ", join(all, " and "))
}

func (t target) skip() string {
	if t.hints&readPast != 0 {
		return " skip locked"
	}
	return ""
}
