package tsql

// transaction parses COMMIT, ROLLBACK and SAVE behind that word.
func (p *parser) transaction(verb string) statement {
	word := p.acceptOne("TRANSACTION", "TRAN", "WORK")
	if verb == "SAVE" && (word == "" || word == "WORK") {
		p.fail()
	}
	s := &transaction{verb: verb}
	if word == "TRANSACTION" || word == "TRAN" {
		s.name = p.transactionName()
	}
	if verb == "SAVE" && s.name == nil {
		p.fail()
	}
	if verb == "COMMIT" && p.accept("WITH", "(") {
		p.expect("DELAYED_DURABILITY", "=")
		s.delayed = p.acceptOne("ON", "OFF") == "ON"
		p.expect(")")
	}
	return s
}

// transactionName is a name or a variable that holds one, or nothing.
func (p *parser) transactionName() code {
	if p.peek().kind == tokVariable {
		return sql(variable(p.next()))
	}
	if !p.atName() || p.atStatement() {
		return nil
	}
	return sql(literal(p.name()))
}

func (p *parser) alterDatabase() statement {
	current := p.accept("CURRENT")
	name := ""
	if !current {
		name = p.name()
	}
	p.expect("SET")
	option := p.next()
	s := &databaseOption{name: name}
	switch option.up {
	case "DELAYED_DURABILITY":
		p.expect("=")
		s.durability = p.acceptOne("DISABLED", "ALLOWED", "FORCED")
		if s.durability == "" {
			p.fail()
		}
	case "READ_COMMITTED_SNAPSHOT", "ALLOW_SNAPSHOT_ISOLATION":
		if !p.accept("ON") {
			p.unknown(option.text + " OFF")
		}
	default:
		panic(unknown(option.line, "ALTER DATABASE ... SET "+option.text))
	}
	if p.accept("WITH") {
		if p.acceptOne("NO_WAIT") == "" {
			p.expect("ROLLBACK", "IMMEDIATE")
		}
	}
	return s
}

func (p *parser) order(verb string) statement {
	switch verb {
	case "DECLARE":
		return p.declare()
	case "SET":
		return p.setStatement()
	case "USE":
		return &use{p.name()}
	case "PRINT":
		return &printed{p.scalar()}
	case "RAISERROR":
		return p.raiserror()
	case "THROW":
		return p.throw()
	case "WAITFOR":
		p.expect("DELAY")
		return &wait{p.primary()}
	}
	return p.execute()
}

func (p *parser) raiserror() statement {
	s := &raiserror{}
	p.parenthesized(func() {
		s.text = p.scalar()
		p.expect(",")
		s.class = p.scalar()
		p.expect(",")
		s.state = p.scalar()
		for p.accept(",") {
			s.args = append(s.args, p.scalar())
		}
	})
	if p.accept("WITH") {
		p.list(func() {
			if p.acceptOne("NOWAIT", "LOG", "SETERROR") == "" {
				p.fail()
			}
		})
	}
	return s
}

func (p *parser) throw() statement {
	s := &throw{}
	if t := p.peek(); t.kind == tokNumber || t.kind == tokVariable {
		s.number = p.scalar()
		p.expect(",")
		s.text = p.scalar()
		p.expect(",")
		s.state = p.scalar()
		s.given = true
	}
	return s
}
