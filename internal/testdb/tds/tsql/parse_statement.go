package tsql

import "strings"

// atStatement reports whether a statement begins with a word that is not reserved, and so could be taken for an alias.
func (p *parser) atStatement() bool {
	return p.at("THROW") || p.at("USING") || p.at("OUTPUT") || p.at("OFFSET") || p.at("WAITFOR")
}

// statement parses one, and the semicolon behind it.
func (p *parser) statement() step {
	line := p.peek().line
	s := p.statement0()
	p.accept(";")
	return step{s, line}
}

func (p *parser) statement0() statement {
	t := p.peek()
	switch t.up {
	case "SELECT", "(":
		return p.selectStatement()
	case "WITH", "INSERT", "UPDATE", "DELETE", "MERGE":
		return p.change()
	case "CREATE", "ALTER", "DROP", "TRUNCATE":
		p.next()
		return p.define(t.up)
	case "BEGIN":
		return p.begin()
	case "COMMIT", "ROLLBACK", "SAVE":
		p.next()
		return p.transaction(t.up)
	case "DECLARE", "SET", "USE", "PRINT", "RAISERROR", "THROW", "WAITFOR", "EXEC", "EXECUTE":
		p.next()
		return p.order(t.up)
	case "IF", "WHILE", "BREAK", "CONTINUE", "RETURN":
		p.next()
		return p.control(t.up)
	}
	if t.kind == tokWord && !reserved[t.up] && p.pos == 0 {
		return p.call() // a procedure's name alone, at the beginning of a batch
	}
	if p.accept("DBCC", "CHECKIDENT") {
		return p.reseed()
	}
	if t.kind == tokWord && reserved[t.up] && (t.up == "GRANT" || t.up == "DENY" || t.up == "REVOKE" || t.up == "KILL" || t.up == "DBCC") {
		p.unknown(t.text)
	}
	p.fail()
	return nil
}

// reseed parses DBCC CHECKIDENT behind these words, in the one form that changes an identity and says nothing.
func (p *parser) reseed() statement {
	p.expect("(")
	name := p.next()
	if name.kind != tokString {
		p.fail()
	}
	p.expect(",", "RESEED", ",")
	from := p.pos
	p.accept("-")
	p.number()
	value := p.source(from, p.pos)
	p.expect(")")
	if !p.accept("WITH", "NO_INFOMSGS") {
		p.unknown("DBCC CHECKIDENT without NO_INFOMSGS")
	}
	t := newParser(name.text).table()
	return &command{verb: "DBCC", ddl: true, main: sql("do $$ begin perform tsql.reseed(" + literal(t.code()) + "::regclass, " + value + "); end $$")}
}

// change parses what may begin with WITH.
func (p *parser) change() statement {
	return p.collect(func() command {
		with := p.with()
		switch {
		case p.at("INSERT"):
			return p.insert(with)
		case p.at("UPDATE"):
			return p.update(with)
		case p.at("DELETE"):
			return p.delete(with)
		case p.at("MERGE"):
			return p.merge(with)
		}
		q := p.queryBody(true)
		if q.into != nil {
			p.unknown("WITH ... SELECT INTO")
		}
		return command{verb: "SELECT", main: sql(with, q.code), assigns: q.assigns, release: q.release, reads: true}
	})
}

func (p *parser) define(verb string) statement {
	if verb == "DROP" {
		return p.drop()
	}
	if verb == "TRUNCATE" {
		p.expect("TABLE")
		t := p.table()
		return &command{verb: "TRUNCATE TABLE", table: t, ddl: true, main: sql("truncate table ", t.code(), " restart identity")}
	}
	replace := verb == "CREATE" && p.accept("OR", "ALTER") || verb == "ALTER" && (p.at("PROC") || p.at("PROCEDURE") || p.at("VIEW"))
	unique := p.accept("UNIQUE")
	p.acceptOne("CLUSTERED", "NONCLUSTERED")
	what := p.next()
	switch key := what.up; {
	case key == "PROC" || key == "PROCEDURE":
		return p.createProcedure(replace)
	case key == "VIEW":
		return p.createView(replace)
	case verb == "CREATE" && key == "TABLE":
		return p.createTable()
	case verb == "CREATE" && key == "INDEX":
		return p.createIndex(unique)
	case verb == "CREATE" && key == "SCHEMA":
		t := &table{name: p.name()}
		t.written = t.name
		if p.accept("AUTHORIZATION") {
			p.name()
		}
		return &command{verb: "CREATE SCHEMA", table: t, ddl: true, main: sql("create schema ", ident(t.name))}
	case verb == "ALTER" && key == "TABLE":
		return p.alterTable()
	case verb == "ALTER" && key == "DATABASE":
		return p.alterDatabase()
	}
	panic(unknown(what.line, verb+" "+what.text))
}

func (p *parser) createView(replace bool) statement {
	return p.collect(func() command {
		t := p.table()
		names := p.columnNames()
		p.expect("AS")
		word := "create view "
		if replace {
			word = "create or replace view "
		}
		return command{verb: "CREATE VIEW", table: t, ddl: true, main: sql(word, t.code(), names, " as ", p.query(false).code)}
	})
}

// merge parses MERGE, which PostgreSQL has too ("MERGE").
func (p *parser) merge(with code) command {
	p.expect("MERGE")
	p.accept("INTO")
	target := p.source1()
	p.expect("USING")
	source := p.source1()
	p.expect("ON")
	keys := &[]keyPart{}
	p.keys = keys
	on := p.expr().code
	p.keys = nil
	p.lockKeys(target, *keys, false)
	c := sql(with, "merge into ", target.code, " using ", source.code, " on ", on)
	for p.accept("WHEN") {
		not := p.accept("NOT")
		p.expect("MATCHED")
		if p.accept("BY") && !p.accept("TARGET") {
			p.unknown("WHEN NOT MATCHED BY SOURCE")
		}
		c.add(" when ")
		if not {
			c.add("not ")
		}
		c.add("matched")
		if p.accept("AND") {
			c.add(" and ", p.expr().code)
		}
		p.expect("THEN")
		c.add(" then ", p.mergeAction())
	}
	if p.at("OUTPUT") {
		p.unknown("MERGE ... OUTPUT")
	}
	return command{verb: "MERGE", table: target.table, main: c}
}

func (p *parser) mergeAction() code {
	switch {
	case p.accept("DELETE"):
		return sql("delete")
	case p.accept("UPDATE", "SET"):
		var sets []code
		p.list(func() { sets = append(sets, p.set()) })
		return sql("update set ", join(sets, ", "))
	}
	p.expect("INSERT")
	return sql("insert", p.columnNames(), " ", p.values())
}

func lower(s string) string { return strings.ToLower(s) }
