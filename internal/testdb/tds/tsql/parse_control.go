package tsql

import (
	"strconv"
)

func (p *parser) control(verb string) statement {
	switch verb {
	case "IF":
		s := &ifElse{condition: p.condition()}
		s.yes = p.statement()
		if p.accept("ELSE") {
			no := p.statement()
			s.no = &no
		}
		return s
	case "WHILE":
		return &while{condition: p.condition(), body: p.statement()}
	case "BREAK":
		return jump{errBreak}
	case "CONTINUE":
		return jump{errContinue}
	}
	s := &returned{}
	if t := p.peek(); t.kind == tokNumber || t.kind == tokVariable || t.up == "-" || t.up == "(" || t.up == "@@ERROR" {
		s.value = p.scalar()
		s.given = true
	}
	return s
}

// condition is the test of IF and WHILE, with what it has to lock.
func (p *parser) condition() condition {
	var locks []code
	outer := p.locks
	p.locks = &locks
	from := p.pos
	c := condition{code: p.expr().code}
	c.local = p.localTest(from)
	c.before, p.locks = locks, outer
	return c
}

// localTest recognizes a comparison of what only the session knows with an integer, which needs no round trip: @@trancount > 0.
func (p *parser) localTest(from int) func(f *frame) (bool, error) {
	t := p.toks[from:p.pos]
	n := 1
	if len(t) >= 3 && t[1].up == "(" && t[2].up == ")" {
		n = 3
	}
	if len(t) < n+2 {
		return nil
	}
	g := sessionFunctions[upper(t[0].text)].text
	op, rest := t[n].up, t[n+1:]
	sign := ""
	if rest[0].up == "-" {
		sign, rest = "-", rest[1:]
	}
	if g == nil || comparisons[op] == "" || len(rest) != 1 || rest[0].kind != tokNumber {
		return nil
	}
	right, err := strconv.ParseInt(sign+rest[0].text, 10, 32)
	if err != nil {
		return nil
	}
	return func(f *frame) (bool, error) {
		text, err := g(f)
		if err != nil {
			return false, err
		}
		left, err := strconv.ParseInt(text, 10, 64)
		switch comparisons[op] {
		case "=":
			return left == right, err
		case "<>":
			return left != right, err
		case "<":
			return left < right, err
		case ">":
			return left > right, err
		case "<=":
			return left <= right, err
		}
		return left >= right, err
	}
}

// begin parses BEGIN TRANSACTION, BEGIN TRY ... END CATCH and BEGIN ... END.
func (p *parser) begin() statement {
	p.expect("BEGIN")
	switch {
	case p.at("DISTRIBUTED"):
		p.unknown("BEGIN DISTRIBUTED TRANSACTION")
	case p.accept("TRANSACTION"), p.accept("TRAN"):
		s := &transaction{verb: "BEGIN", name: p.transactionName()}
		if p.at("WITH", "MARK") {
			p.unknown("BEGIN TRANSACTION ... WITH MARK")
		}
		return s
	case p.accept("TRY"):
		s := &try{body: p.until("END", "TRY")}
		p.accept(";")
		p.expect("BEGIN", "CATCH")
		s.catch = p.until("END", "CATCH")
		return s
	}
	return p.until("END")
}

// until parses statements up to these words.
func (p *parser) until(end ...string) sequence {
	var s sequence
	for !p.accept(end...) {
		if p.accept(";") {
			continue
		}
		s = append(s, p.statement())
	}
	return s
}

func (p *parser) declare() statement {
	var s sequence
	p.list(func() {
		t := p.next()
		if t.kind != tokVariable {
			p.pos--
			p.fail()
		}
		p.accept("AS")
		if p.at("TABLE") {
			p.unknown("a table variable")
		}
		if p.at("CURSOR") {
			p.unknown("a cursor")
		}
		if p.declared[t.text] {
			panic(refusal(134, t.line, "The variable name '"+t.text+"' has already been declared. Variable names must be unique within a "+
				"query batch or stored procedure."))
		}
		p.declared[t.text] = true
		d := &declare{name: t.text, typ: p.typeName(1)}
		if p.accept("=") {
			d.value = p.scalar()
			d.given = true
		}
		s = append(s, step{d, t.line})
	})
	return s
}
