package tsql

import (
	"context"
	"fmt"
	"strings"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// What SQL Server refuses in changes of the schema and PostgreSQL does not (support/09_definition.sql).

func checkReferences(t *table) code {
	if t.schema == "pg_temp" {
		return nil
	}
	return sql("select check_references(", literal(t.code()), "::regclass)")
}

func refuseKey(t *table, columns []string) code {
	if len(columns) == 0 || t.schema == "pg_temp" {
		return nil
	}
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = literal(c)
	}
	return sql("select refuse_key(", literal(t.code()), "::regclass, array[", strings.Join(quoted, ", "), "]::text[])")
}

func refuseAlter(t *table, column string, to tds.Type) code {
	size := -1
	if lengthy(to.Kind) {
		if size = to.Size + 4; to.Size == tds.Max {
			size = maxLength + 4
		}
	}
	typ, _, _ := strings.Cut(pgType(to), "(")
	return sql("select refuse_alter(", literal(t.code()), "::regclass, ", literal(column), ", ", literal(typ), "::regtype, ", fmt.Sprint(size), ")")
}

// collation takes COLLATE with a collation like the one that everything has.
func (p *parser) collation() {
	if !p.accept("COLLATE") {
		return
	}
	if name := upper(p.next().text); !hasSuffixAny(name, "_BIN", "_BIN2", "_BIN2_UTF8", "DATABASE_DEFAULT") {
		p.unknown("a collation that is not binary: " + name)
	}
}

// filter parses the condition of an index, which is narrower than others ("CREATE INDEX", filtered indexes).
func (p *parser) filter(t *table, index string) code {
	from := p.pos
	c := p.expr().code
	for i := from; i < p.pos; i++ {
		switch p.toks[i].up {
		case "NOT":
			if i+1 < p.pos && p.toks[i+1].up == "NULL" {
				continue
			}
		case "OR", "BETWEEN", "LIKE", "+", "-", "*", "CASE":
		default:
			continue
		}
		panic(refusal(10735, p.toks[i].line, fmt.Sprintf("Incorrect WHERE clause for filtered index '%s' on table '%s'.", index, t.written)))
	}
	return c
}

// addDefault parses what adds a default to a column that is there; nil if it is something else.
func (p *parser) addDefault(t *table) code {
	from := p.pos
	if p.accept("CONSTRAINT") {
		p.name()
	}
	if !p.accept("DEFAULT") {
		p.pos = from
		return nil
	}
	value := p.scalar()
	p.expect("FOR")
	column := p.name()
	typ := gap(func(f *frame) (string, error) {
		rows, err := f.s.ask(context.Background(), "select format_type(atttypid, atttypmod), atthasdef from pg_attribute where attrelid = to_regclass("+literal(t.code())+
			") and attname = "+literal(column)+" and not attisdropped")
		switch {
		case err != nil:
			return "", err
		case len(rows) == 0:
			return "", fail(1752, 0, 16, "Column '%s' in table '%s' is invalid for creating a default constraint.", column, t.written)
		case string(rows[0][1]) == "t":
			return "", fail(1781, 1, 16, "Column already has a DEFAULT bound to it.")
		}
		return string(rows[0][0]), nil
	})
	return sql("alter column ", ident(column), " set default ((", value.code, ")::", typ, ")")
}

// dropConstraint: a default is a constraint in SQL Server.
func dropConstraint(t *table, name, exists string) gap {
	return func(f *frame) (string, error) {
		rows, err := f.s.ask(context.Background(), "select a.attname from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum join pg_class c on c.oid = d.adrelid"+
			" where d.adrelid = to_regclass("+literal(t.code())+") and tsql.default_name(d.oid, c.relname, a.attname) = "+literal(name))
		if err != nil {
			return "", err
		}
		if len(rows) > 0 {
			return "alter column " + ident(string(rows[0][0])) + " drop default", nil
		}
		return "drop constraint " + exists + ident(name), nil
	}
}

// rename is sp_rename: the name as it is written, the new one, and what it is that of.
func (f *frame) rename(args []actual) error {
	if len(args) != 3 {
		return unknown(f.line, "sp_rename without the type of the object")
	}
	kind := upper(args[2].value.text)
	if kind != "COLUMN" && kind != "INDEX" && kind != "OBJECT" {
		return unknown(f.line, "sp_rename of "+kind)
	}
	c := &command{verb: "ALTER TABLE", ddl: true, table: &table{written: args[0].value.text}}
	_, err := f.perform(work{main: "do $do$ begin perform tsql.rename(" + literal(args[0].value.text) + ", " + literal(args[1].value.text) + ", " + literal(kind) + "); end $do$", command: c})
	if err != nil {
		return err
	}
	f.s.server.changes.Add(1)
	f.out.Message(tds.Message{Number: 15477, State: 1, Class: 0, Text: "Caution: Changing any part of an object name could break scripts and stored procedures.", Line: f.line})
	f.out.Done(tds.Done{})
	return nil
}
