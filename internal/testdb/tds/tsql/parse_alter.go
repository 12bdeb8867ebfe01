package tsql

import "strings"

// alterTable parses ALTER TABLE ("ALTER TABLE").
func (p *parser) alterTable() *command {
	d := definition{table: p.table(), adds: true}
	c := &command{verb: "ALTER TABLE", table: d.table, ddl: true, after: []code{watch(d.table), checkReferences(d.table)}}
	alter := "alter table " + d.table.code() + " "
	if p.accept("WITH") && p.acceptOne("CHECK", "NOCHECK") == "NOCHECK" {
		p.unknown("ALTER TABLE ... WITH NOCHECK")
	}
	switch {
	case p.accept("ADD"):
		p.list(func() {
			n := len(d.parts)
			if c.main = p.addDefault(d.table); c.main != nil {
				d.parts = append(d.parts, c.main)
				return
			}
			p.element(&d)
			if word := d.parts[n][0].text; !strings.HasPrefix(word, "constraint ") {
				d.parts[n] = sql("column ", d.parts[n])
			}
			d.parts[n] = sql("add ", d.parts[n])
		})
		c.before = append(c.before, refuseKey(d.table, d.keys))
		c.main = sql(alter, join(append(d.parts, d.late...), ", "))
	case p.accept("DROP"):
		kind := "constraint "
		p.list(func() { d.parts = append(d.parts, p.dropFromTable(c, &kind)) })
		c.main = sql(alter, join(d.parts, ", "))
	case p.accept("ALTER", "COLUMN"):
		name := p.name()
		column := ident(name)
		t := p.typeName(1)
		c.before = append(c.before, refuseAlter(d.table, name, t))
		p.collation()
		null := " drop not null"
		if p.accept("NOT", "NULL") {
			null = " set not null"
		} else {
			p.accept("NULL")
		}
		c.main = sql(alter, "alter column ", column, " type ", pgType(t), ", alter column ", column, null)
	default:
		p.unknown("ALTER TABLE ... " + p.peek().text)
	}
	return c
}

// dropFromTable: COLUMN and CONSTRAINT also stand for what comes behind the next comma.
func (p *parser) dropFromTable(c *command, kind *string) code {
	if p.accept("COLUMN") {
		*kind = "column "
	} else if p.accept("CONSTRAINT") {
		*kind = "constraint "
	}
	exists := ""
	if p.accept("IF", "EXISTS") {
		exists = "if exists "
	}
	name := p.name()
	if *kind == "constraint " {
		return sql(dropConstraint(c.table, name, exists))
	}
	c.before = append(c.before, sql("select tsql.refuse_drop(", literal(c.table.code()), "::regclass, ", literal(name), ")"))
	return sql("drop ", *kind, exists, ident(name))
}

// indexName: in PostgreSQL an index shares its schema's names, in SQL Server it has its table's to itself.
func (p *parser) indexName(t *table, name string) string {
	full := t.name + "." + name
	if len(full) > 63 {
		p.unknown("a table and an index with names of more than 62 bytes together")
	}
	return full
}

func (p *parser) createIndex(unique bool) *command {
	name := p.name()
	p.expect("ON")
	t := p.table()
	c := &command{verb: "CREATE INDEX", table: t, ddl: true, after: []code{watch(t)}}
	c.main.add("create ")
	if unique {
		c.main.add("unique ")
	}
	columns, keys := p.indexColumns(true)
	c.before = append(c.before, refuseKey(t, keys))
	c.main.add("index ", ident(p.indexName(t, name)), " on ", t.code(), " (", strings.Join(columns, ", "), ")")
	if p.accept("INCLUDE") {
		c.main.add(" include (", join(p.nameList(), ", "), ")")
	}
	if unique {
		c.main.add(" nulls not distinct")
	}
	if p.accept("WHERE") {
		from := p.pos
		c.main.add(" where ", p.filter(t, name))
		c.after = append(c.after, sql("comment on index ", ident(t.schema), ".", ident(p.indexName(t, name)), " is ", literal(p.source(from, p.pos))))
	}
	p.storage()
	return c
}

// drop parses DROP of what is not in a table.
func (p *parser) drop() statement {
	kind := p.acceptOne("TABLE", "VIEW", "SCHEMA", "INDEX", "PROCEDURE", "PROC")
	if kind == "" {
		p.unknown("DROP " + p.peek().text)
	}
	exists := p.accept("IF", "EXISTS")
	var all sequence
	line := p.peek().line
	p.list(func() { all = append(all, step{p.dropOne(kind, exists), line}) })
	return all
}

func (p *parser) dropOne(kind string, exists bool) statement {
	c := &command{verb: "DROP " + kind, ddl: true}
	word := "drop " + strings.ToLower(kind) + " "
	if exists {
		word += "if exists "
	}
	switch kind {
	case "PROCEDURE", "PROC":
		return &dropProcedure{p.table(), exists}
	case "SCHEMA":
		c.table = &table{schema: "dbo", name: p.name()}
		c.table.written = c.table.name
		c.main = sql(word, ident(c.table.name))
	case "INDEX":
		index := p.name()
		p.expect("ON")
		t := p.table()
		c.table = &table{schema: t.schema, name: t.name, written: t.written + "." + index}
		c.after = []code{watch(t)}
		c.main = sql(word, ident(t.schema), ".", ident(p.indexName(t, index)))
	default:
		c.table = p.table()
		c.main = sql(word, c.table.code())
	}
	return c
}
