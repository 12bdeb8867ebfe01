package tsql

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// definition collects what CREATE TABLE or ALTER TABLE ... ADD says of a table.
type definition struct {
	table *table
	parts []code
	keys  []string // the columns of primary keys and unique constraints
	adds  bool     // it is ALTER TABLE, and there may be rows
	late  []code   // the defaults that the rows that are there do not get
	count int      // of constraints, for their names
}

func (p *parser) createTable() *command {
	d := definition{table: p.table()}
	p.parenthesized(func() {
		p.list(func() {
			if !p.at(")") { // a comma behind the last one is allowed
				p.element(&d)
			}
		})
	})
	p.storage()
	kind := "create table "
	if d.table.schema == "pg_temp" {
		kind = "create temporary table "
	}
	return &command{verb: "CREATE TABLE", table: d.table, ddl: true,
		main: sql(kind, d.table.code(), " (", join(d.parts, ", "), ")"), after: []code{refuseKey(d.table, d.keys), watch(d.table), checkReferences(d.table)}}
}

// watch has the inserts of a table lock their keys (support/07_locks.sql). Nobody else sees a temporary one.
func watch(t *table) code {
	if t.schema == "pg_temp" {
		return nil
	}
	return sql("select watch(", literal(t.code()), "::regclass)")
}

// storage takes what says only where and how a table or an index is stored.
func (p *parser) storage() {
	for {
		switch {
		case p.at("WITH", "("):
			p.next()
			p.skipParenthesis()
		case p.at("ON") && p.ahead(1).kind == tokName, p.at("TEXTIMAGE_ON"):
			p.pos += 2
		default:
			return
		}
	}
}

func (p *parser) element(d *definition) {
	if p.at("CONSTRAINT") || p.at("PRIMARY", "KEY") || p.at("UNIQUE") || p.at("CHECK") || p.at("FOREIGN", "KEY") {
		name := ""
		if p.accept("CONSTRAINT") {
			name = p.name()
		}
		d.parts = append(d.parts, p.constraint(d, name, ""))
		return
	}
	if p.at("INDEX") {
		p.unknown("an index in CREATE TABLE")
	}
	d.parts = append(d.parts, p.columnDefinition(d))
}

func (p *parser) columnDefinition(d *definition) code {
	name := p.name()
	if p.at("AS") {
		p.unknown("a computed column")
	}
	t := p.typeName(1)
	c := sql(ident(name), " ", pgType(t))
	if stringy(t.Kind) || t.Kind == tds.DateTimeOffset {
		c.add(` collate "C"`)
	}
	var value code
	notNull, fills := false, false
	for {
		constraint := ""
		if p.accept("CONSTRAINT") {
			constraint = p.name()
		}
		switch {
		case p.accept("NOT", "NULL"):
			c.add(" not null")
			notNull = true
		case p.accept("NULL"), p.accept("ROWGUIDCOL"):
		case p.at("COLLATE"):
			p.collation()
		case p.at("IDENTITY"):
			c.add(p.identity(t))
		case p.accept("DEFAULT"):
			value = sql(" default (", p.defaultFor(t), ")")
			fills = p.accept("WITH", "VALUES")
		case constraint != "" || p.at("PRIMARY") || p.at("UNIQUE") || p.at("CHECK") || p.at("REFERENCES") || p.at("FOREIGN"):
			c.add(" ", p.constraint(d, constraint, name))
		default:
			if value != nil && d.adds && !notNull && !fills {
				d.late = append(d.late, sql("alter column ", ident(name), " set", value))
				return c
			}
			return sql(c, value)
		}
	}
}

// defaultFor: PostgreSQL takes no default that only an assignment converts, so it is written out.
func (p *parser) defaultFor(t tds.Type) code {
	o := p.scalar()
	return sql("(", o.code, ")::", pgType(t))
}

func (p *parser) identity(t tds.Type) code {
	p.expect("IDENTITY")
	start, increment := 1, 1
	if p.accept("(") {
		start = p.signed()
		p.expect(",")
		increment = p.signed()
		p.expect(")")
	}
	if t.Kind != tds.SmallInt && t.Kind != tds.Int && t.Kind != tds.BigInt {
		p.unknown("IDENTITY of a type other than smallint, int and bigint")
	}
	limit := ""
	if increment > 0 && start < 1 {
		limit = fmt.Sprintf(" minvalue %d", start)
	} else if increment < 0 && start > -1 {
		limit = fmt.Sprintf(" maxvalue %d", start)
	}
	return sql(fmt.Sprintf(" not null generated always as identity (start with %d increment by %d%s)", start, increment, limit))
}

func (p *parser) signed() int {
	if p.accept("-") {
		return -p.number()
	}
	return p.number()
}

// constraint parses a constraint, of the column if one is given. One without a name gets one as SQL Server makes them.
func (p *parser) constraint(d *definition, name, column string) code {
	kind := p.acceptOne("PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "REFERENCES")
	prefix := map[string]string{"PRIMARY": "PK", "UNIQUE": "UQ", "CHECK": "CK", "FOREIGN": "FK", "REFERENCES": "FK"}[kind]
	if prefix == "" {
		p.fail()
	}
	if d.count++; name == "" {
		h := fnv.New32a()
		fmt.Fprint(h, d.table.display(), prefix, column, d.count, p.text)
		name = fmt.Sprintf("%s__%s__%08X", prefix, cut(d.table.name, 40), h.Sum32())
	}
	c := sql("constraint ", ident(name), " ")
	switch kind {
	case "PRIMARY", "UNIQUE":
		word := "unique nulls not distinct"
		if kind == "PRIMARY" {
			p.expect("KEY")
			word = "primary key"
		}
		p.acceptOne("CLUSTERED", "NONCLUSTERED")
		if column == "" {
			columns, keys := p.indexColumns(false)
			word += " (" + strings.Join(columns, ", ") + ")"
			d.keys = append(d.keys, keys...)
		} else {
			d.keys = append(d.keys, column)
		}
		c.add(word)
		p.storage()
	case "CHECK":
		p.parenthesized(func() { c.add("check (", p.expr().code, ")") })
	case "FOREIGN":
		p.expect("KEY")
		if column == "" {
			c.add("foreign key (", join(p.nameList(), ", "), ") ")
		}
		p.expect("REFERENCES")
		c.add(p.references())
	case "REFERENCES":
		c.add(p.references())
	}
	return c
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

func (p *parser) references() code {
	c := sql("references ", p.table().code(), p.columnNames())
	for p.accept("ON") {
		event := p.acceptOne("DELETE", "UPDATE")
		if event == "" {
			p.fail()
		}
		for _, action := range [][]string{{"NO", "ACTION"}, {"CASCADE"}, {"SET", "NULL"}, {"SET", "DEFAULT"}} {
			if p.accept(action...) {
				c.add(" on ", event, " ", strings.Join(action, " "))
			}
		}
	}
	return c
}

// indexColumns are the columns of an index with their order, and by their names alone.
func (p *parser) indexColumns(ordered bool) (all, names []string) {
	p.parenthesized(func() {
		p.list(func() {
			name := p.name()
			names = append(names, name)
			c := ident(name)
			if p.accept("DESC") && ordered {
				c += " desc"
			}
			p.accept("ASC")
			all = append(all, c)
		})
	})
	return all, names
}
