package tsql

import "github.com/dualsql/dualsql/internal/testdb/tds"

// argument is one of a procedure's call.
type argument struct {
	name   string // "" where it has none
	value  operand
	output string // the variable that gets the value back
}

// execute parses EXEC behind that word ("EXECUTE").
func (p *parser) execute() statement {
	if p.at("(") {
		s := &execText{}
		p.parenthesized(func() { s.text = p.scalar() })
		return s
	}
	if t := p.peek(); t.kind == tokVariable && p.ahead(1).up == "=" {
		p.pos += 2
		c := p.call()
		c.result = t.text
		return c
	}
	return p.call()
}

func (p *parser) call() *call {
	if p.peek().kind == tokVariable {
		p.unknown("EXEC of a procedure whose name a variable holds")
	}
	c := &call{name: p.name()}
	for p.accept(".") {
		if !p.at(".") {
			c.schema, c.name = c.name, p.name()
		}
	}
	for !p.at(";") && !p.atEnd() {
		c.args = append(c.args, p.argument())
		if !p.accept(",") {
			break
		}
	}
	return c
}

// atEnd reports whether what comes next cannot be an argument.
func (p *parser) atEnd() bool {
	t := p.peek()
	return t.kind == tokEnd || t.kind == tokWord && reserved[t.up] && t.up != "NULL" && t.up != "DEFAULT"
}

func (p *parser) argument() argument {
	var a argument
	if t := p.peek(); t.kind == tokVariable && p.ahead(1).up == "=" {
		a.name = t.text
		p.pos += 2
	}
	if p.at("DEFAULT") {
		p.unknown("the argument DEFAULT")
	}
	t := p.peek()
	if t.kind == tokWord && !reserved[t.up] { // a word without quotes is a string
		p.next()
		v := stringValue(t.text)
		a.value = operand{code: sql(v.literal()), plain: &v}
		return a
	}
	a.value = p.unary()
	if p.acceptOne("OUTPUT", "OUT") != "" {
		if t.kind != tokVariable {
			p.fail()
		}
		a.output = t.text
	}
	return a
}

// parameter is one of a procedure's definition.
type parameter struct {
	name   string
	typ    tds.Type
	value  operand
	given  bool // it has a default
	output bool
}

// createProcedure keeps the text: its body is parsed when it is called. It must be the last of its batch.
func (p *parser) createProcedure(replace bool) statement {
	t := p.table()
	c := &createProcedure{table: t, text: p.source(p.pos, len(p.toks)-1), replace: replace}
	if _, err := parseProcedure(c.text); err != nil {
		panic(err)
	}
	p.pos = len(p.toks) - 1
	return c
}

// procedure is a parsed text of createProcedure.
type procedure struct {
	parameters []parameter
	body       sequence
}

func parseProcedure(text string) (proc *procedure, err error) {
	defer catchFailure(&err)
	p := newParser(text)
	proc = &procedure{}
	open := p.accept("(")
	if p.peek().kind == tokVariable {
		p.list(func() { proc.parameters = append(proc.parameters, p.parameter()) })
	}
	if open {
		p.expect(")")
	}
	if p.at("WITH") {
		p.unknown("CREATE PROCEDURE ... WITH")
	}
	p.expect("AS")
	for p.peek().kind != tokEnd {
		if !p.accept(";") {
			proc.body = append(proc.body, p.statement())
		}
	}
	return proc, nil
}

func (p *parser) parameter() parameter {
	t := p.next()
	if t.kind != tokVariable {
		p.fail()
	}
	p.accept("AS")
	one := parameter{name: t.text, typ: p.typeName(1)}
	if p.accept("=") {
		one.value = p.unary()
		one.given = true
	}
	one.output = p.acceptOne("OUTPUT", "OUT") != ""
	return one
}

// parseDeclarations parses the parameters of sp_executesql: @a int, @b nvarchar(10) output.
func parseDeclarations(text string) (all []parameter, err error) {
	defer catchFailure(&err)
	p := newParser(text)
	if p.peek().kind != tokEnd {
		p.list(func() { all = append(all, p.parameter()) })
	}
	if p.peek().kind != tokEnd {
		p.fail()
	}
	return all, nil
}
