package tsql

import "github.com/dualsql/dualsql/internal/testdb/tds"

func (p *parser) setStatement() statement {
	if t := p.peek(); t.kind == tokVariable {
		p.next()
		op := p.acceptOne("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=")
		if op == "" {
			p.fail()
		}
		o := p.scalar()
		if op != "=" {
			o = operand{code: sql(variable(t), " ", op[:1], " (", o.code, ")")}
		}
		return &assign{t.text, o}
	}
	return p.option()
}

// levels of SET TRANSACTION ISOLATION LEVEL.
var levels = map[string]tds.Isolation{
	"READ UNCOMMITTED": tds.ReadUncommitted, "READ COMMITTED": tds.ReadCommitted, "REPEATABLE READ": tds.RepeatableRead,
	"SERIALIZABLE": tds.Serializable, "SNAPSHOT": tds.Snapshot,
}

// switches are options that are ON or OFF. Those that nothing here depends on must have the value that ANSI and ODBC clients set.
var switches = map[string]string{
	"XACT_ABORT": "", "NOCOUNT": "", "ANSI_NULLS": "ON", "ANSI_PADDING": "ON", "ANSI_WARNINGS": "ON", "ANSI_NULL_DFLT_ON": "ON",
	"ANSI_DEFAULTS": "ON", "ARITHABORT": "", "QUOTED_IDENTIFIER": "ON", "CONCAT_NULL_YIELDS_NULL": "ON", "NUMERIC_ROUNDABORT": "OFF",
	"IMPLICIT_TRANSACTIONS": "OFF", "CURSOR_CLOSE_ON_COMMIT": "OFF", "FMTONLY": "OFF", "NOEXEC": "OFF", "PARSEONLY": "OFF",
}

func (p *parser) option() statement {
	if p.accept("TRANSACTION", "ISOLATION", "LEVEL") {
		word := p.next().up
		if word != "SERIALIZABLE" && word != "SNAPSHOT" {
			word += " " + p.next().up
		}
		if levels[word] == 0 {
			p.fail()
		}
		return isolation(levels[word])
	}
	if p.accept("IDENTITY_INSERT") {
		s := &identityInsert{table: p.table()}
		s.on = p.onOff() == "ON"
		return s
	}
	var all sequence
	p.list(func() { all = append(all, step{p.option1(), p.peek().line}) })
	if len(all) == 1 {
		return all[0].statement
	}
	value := p.onOff() // SET ANSI_NULLS, QUOTED_IDENTIFIER ON
	for _, one := range all {
		s, ok := one.statement.(*switched)
		if !ok {
			p.fail()
		}
		p.checkSwitch(s.name, value)
		s.on = value == "ON"
	}
	return all
}

func (p *parser) option1() statement {
	t := p.next()
	switch t.up {
	case "LOCK_TIMEOUT":
		return &lockTimeout{p.unary()}
	case "DEADLOCK_PRIORITY":
		p.accept("-")
		p.next()
		return sequence(nil)
	case "TEXTSIZE":
		p.accept("-")
		p.number()
		return sequence(nil)
	}
	_, ok := switches[t.up]
	if !ok {
		panic(unknown(t.line, "SET "+t.text))
	}
	s := &switched{name: t.up}
	if p.at(",") || p.toks[p.pos-2].up == "," {
		return s
	}
	value := p.onOff()
	p.checkSwitch(t.up, value)
	s.on = value == "ON"
	return s
}

func (p *parser) checkSwitch(name, value string) {
	if want := switches[name]; want != "" && want != value {
		p.unknown("SET " + name + " " + value)
	}
}

func (p *parser) onOff() string {
	v := p.acceptOne("ON", "OFF")
	if v == "" {
		p.fail()
	}
	return v
}
