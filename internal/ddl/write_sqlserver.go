package ddl

import (
	"fmt"
	"slices"
	"strings"
)

// serverWriter writes one batch of T-SQL. What depends on what is in the database (a default's name, the table of an index) the batch
// looks up as it runs. It uses nothing that SQL Server 2017 does not have.
type serverWriter struct {
	lines     []string
	variables int
	types     map[string]typ // of the table's columns; nil where they are not known
}

// sqlServer writes a statement in T-SQL ("Transact-SQL reference").
func sqlServer(s statement) string {
	w := &serverWriter{}
	switch s := s.(type) {
	case createSchema:
		condition := ""
		if s.ifAbsent {
			condition = "if schema_id(" + national(s.schema) + ") is null\n"
		}
		w.add("%sexec(%s)", condition, national("create schema "+bracket(s.schema))) // which has to be alone in its batch
	case dropSchema:
		for _, schema := range s.schemas {
			w.add("drop schema %s%s", ifExists(s.ifExists), bracket(schema))
		}
	case createTable:
		w.createTable(s)
	case dropTable:
		w.dropTable(s)
	case dropView:
		for _, v := range s.views {
			w.add("drop view %s%s", ifExists(s.ifExists), v.server())
		}
	case grant:
		s.write(w.add, name.server, bracket)
	case truncate:
		for _, t := range s.tables {
			w.add("delete from %s", t.server()) // TRUNCATE TABLE would begin the identity anew, and refuse what a foreign key refers to
		}
	case createIndex:
		w.unless(s.ifAbsent, fmt.Sprintf("exists (select 1 from sys.indexes where object_id = %s and name = %s)", s.table.id(), national(s.index)), func() { w.createIndex(s) })
	case dropIndex:
		for _, i := range s.indexes {
			w.dropIndex(i, s.ifExists)
		}
	case renameIndex:
		w.renameIndex(s)
	case alterTable:
		w.unless(s.ifExists, fmt.Sprintf("object_id(%s, N'U') is null", national(s.table.server())), func() {
			for _, a := range s.actions {
				w.alter(s.table, a)
			}
		})
	}
	return strings.Join(w.lines, ";\n")
}

// add adds a statement.
func (w *serverWriter) add(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// unless puts what write adds behind a condition, if there is one.
func (w *serverWriter) unless(conditional bool, condition string, write func()) {
	if !conditional {
		write()
		return
	}
	w.lines = append(w.lines, w.block("if not ("+condition+")", write))
}

// block is a condition and the statements that write adds, between BEGIN and END.
func (w *serverWriter) block(condition string, write func()) string {
	outer := w.lines
	w.lines = nil
	write()
	text := condition + "\nbegin\n" + strings.Join(w.lines, ";\n") + ";\nend"
	w.lines = outer
	return text
}

// variable is a new one's name.
func (w *serverWriter) variable() string {
	w.variables++
	return fmt.Sprintf("@text%d", w.variables)
}

// run runs the statements that a query makes, one a row.
func (w *serverWriter) run(query string) {
	v := w.variable()
	w.add("declare %s nvarchar(max) = (select string_agg(convert(nvarchar(max), made.statement), N'; ') from (\n%s\n) made)", v, query)
	w.add("exec(%s)", v)
}

// runOne runs the statement that a query makes, and fails where it makes none or several.
func (w *serverWriter) runOne(query, otherwise string) {
	v := w.variable()
	w.add("declare %s nvarchar(max) = (select case when count(*) = 1 then max(made.statement) end from (\n%s\n) made)", v, query)
	w.lines = append(w.lines, w.block("if "+v+" is null", func() { w.throw(otherwise) }))
	w.add("exec(%s)", v)
}

// throw is T-SQL's; the semicolon before it is part of its grammar.
func (w *serverWriter) throw(message string) {
	w.lines = append(w.lines, "; throw 50000, "+national(message)+", 1")
}

// createTable: the indexes that stand for unique constraints come behind it.
func (w *serverWriter) createTable(s createTable) {
	w.types = map[string]typ{}
	keys := map[string]bool{}
	nullable := map[string]bool{}
	counted := false
	for _, c := range s.columns {
		if c.identity != nil && counted {
			refuse(c.at, "a second column that counts: SQL Server takes one in a table")
		}
		counted = counted || c.identity != nil
		if _, twice := w.types[c.name]; twice {
			refuse(c.at, "the column %q is there twice", c.name)
		}
		w.types[c.name] = c.typ
		nullable[c.name] = !c.notNull
	}
	for _, k := range s.constraints {
		if k.kind == check {
			continue
		}
		for _, c := range k.columns {
			if _, known := w.types[c]; !known {
				refuse(k.at, "the constraint %q names the column %q, which the table does not have", k.name, c)
			}
			keys[c] = true
		}
	}
	w.unless(s.ifAbsent, fmt.Sprintf("object_id(%s, N'U') is not null", national(s.table.server())), func() {
		var parts []string
		for _, c := range s.columns {
			parts = append(parts, w.column(c, keys[c.name], ""))
		}
		var behind []constraint
		for _, k := range s.constraints {
			if k.kind == unique && !k.equal && slices.ContainsFunc(k.columns, func(c string) bool { return nullable[c] }) {
				behind = append(behind, k)
			} else {
				parts = append(parts, w.constraint(k))
			}
		}
		w.add("create table %s (\n\t%s\n)", s.table.server(), strings.Join(parts, ",\n\t"))
		for _, k := range behind {
			w.add("%s", uniqueIndex(s.table, k.name, k.columns))
		}
	})
}

// uniqueIndex stands for a unique constraint over columns that may be NULL: SQL Server takes NULLs for equal, PostgreSQL does not.
func uniqueIndex(t name, index string, columns []string) string {
	return fmt.Sprintf("create unique index %s on %s (%s) where %s", bracket(index), t.server(), brackets(columns), present(columns))
}

func present(columns []string) string {
	conditions := make([]string, len(columns))
	for i, c := range columns {
		conditions[i] = bracket(c) + " is not null"
	}
	return strings.Join(conditions, " and ")
}

// column is a column's definition. fills is what fills the rows that are there.
func (w *serverWriter) column(c column, key bool, fills string) string {
	text := bracket(c.name) + " " + c.typ.serverName(key)
	if c.identity != nil {
		if c.identity.increment == 0 {
			refuse(c.at, "an identity that does not count")
		}
		text += fmt.Sprintf(" identity(%d,%d)", c.identity.start, c.identity.increment)
	}
	if c.notNull {
		text += " not null"
	} else {
		text += " null"
	}
	if c.value != nil {
		text += " default " + serverDefault(c.value, &c.typ) + fills
	}
	return text
}

// constraint is a table's. A key of strings is not clustered: that would take 900 bytes only.
func (w *serverWriter) constraint(k constraint) string {
	text := "constraint " + bracket(k.name) + " "
	switch k.kind {
	case primaryKey:
		text += "primary key "
		if slices.ContainsFunc(k.columns, func(c string) bool { t, known := w.types[c]; return !known || t.stringy() || t.kind == bytes }) {
			text += "nonclustered "
		}
		text += "(" + brackets(k.columns) + ")"
	case unique:
		text += "unique nonclustered (" + brackets(k.columns) + ")"
	case check:
		text += "check (" + w.condition(k.check) + ")"
	case foreignKey:
		text += k.foreignKey(k.table.server(), brackets)
	}
	return text
}

// dropTable: PostgreSQL drops several tables that refer to each other, and with CASCADE the foreign keys of others.
func (w *serverWriter) dropTable(s dropTable) {
	var ids, names []string
	for _, t := range s.tables {
		ids = append(ids, t.id())
		names = append(names, t.server())
	}
	if s.cascade || len(s.tables) > 1 {
		w.run("select N'alter table ' + quotename(schema_name(k.schema_id)) + N'.' + quotename(object_name(k.parent_object_id)) + N' drop constraint ' + quotename(k.name) as statement" +
			" from sys.foreign_keys k where k.referenced_object_id in (" + strings.Join(ids, ", ") + ") and k.parent_object_id <> k.referenced_object_id")
	}
	w.add("drop table %s%s", ifExists(s.ifExists), strings.Join(names, ", "))
}

func ifExists(yes bool) string {
	if yes {
		return "if exists "
	}
	return ""
}

// server is a name as T-SQL has it.
func (n name) server() string {
	if n.schema != "" {
		return bracket(n.schema) + "." + bracket(n.name)
	}
	return bracket(n.name)
}

func (n name) id() string { return "object_id(" + national(n.server()) + ")" }

// schemaID is that of a name's schema, or of the session's own.
func (n name) schemaID() string {
	if n.schema != "" {
		return "schema_id(" + national(n.schema) + ")"
	}
	return "schema_id()"
}

func bracket(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

func brackets(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = bracket(n)
	}
	return strings.Join(quoted, ", ")
}

// national is a string of T-SQL's.
func national(s string) string { return "N'" + strings.ReplaceAll(s, "'", "''") + "'" }
