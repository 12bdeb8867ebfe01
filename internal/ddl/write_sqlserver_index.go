package ddl

import (
	"fmt"
	"strings"
)

// createIndex writes CREATE INDEX ("CREATE INDEX", filtered indexes).
func (w *serverWriter) createIndex(s createIndex) {
	var columns, names []string
	for _, c := range s.columns {
		names = append(names, c.name)
		column := bracket(c.name)
		if c.desc {
			column += " desc"
		}
		columns = append(columns, column)
	}
	w.keyable(s.table, names)
	head := "create index "
	if s.unique {
		head = "create unique index "
	}
	head += bracket(s.index) + " on " + s.table.server() + " (" + strings.Join(columns, ", ") + ")"
	if len(s.include) > 0 {
		head += " include (" + brackets(s.include) + ")"
	}
	distinct := s.unique && !s.equal
	switch {
	case s.where != nil && distinct:
		w.add("%s where %s and %s", head, w.filter(s.where), present(names))
	case s.where != nil:
		w.add("%s where %s", head, w.filter(s.where))
	case distinct:
		w.ifNullable(s.table, names, head+" where "+present(names), head)
	default:
		w.add("%s", head)
	}
}

// ifNullable runs one statement where any of the columns may be NULL, and the other else: only an index without a condition can be
// referred to.
func (w *serverWriter) ifNullable(t name, columns []string, yes, no string) {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = national(c)
	}
	w.lines = append(w.lines, fmt.Sprintf("if exists (select 1 from sys.columns where object_id = %s and name in (%s) and is_nullable = 1)\n%s\nelse\n%s",
		t.id(), strings.Join(quoted, ", "), yes, no))
}

// keyable gives strings without a bound one, as an index of SQL Server needs it. It fails where a longer one is there.
func (w *serverWriter) keyable(t name, columns []string) {
	for _, c := range columns {
		alter := fmt.Sprintf("alter table %s alter column %s nvarchar(%d) collate %s", t.server(), bracket(c), keyLength, collation)
		w.lines = append(w.lines, w.block(fmt.Sprintf("if exists (select 1 from sys.columns c join sys.types y on y.user_type_id = c.user_type_id where c.object_id = %s and c.name = %s and c.max_length = -1 and y.name = N'nvarchar')",
			t.id(), national(c)), func() { w.ifNullable(t, []string{c}, alter+" null", alter+" not null") }))
	}
}

// filter is the condition of an index: SQL Server takes comparisons with constants, joined by AND.
func (w *serverWriter) filter(e *expr) string {
	if e.op == and {
		return w.filter(e.args[0]) + " and " + w.filter(e.args[1])
	}
	ok := false
	switch e.op {
	case columnRef:
		ok = true
	case not:
		ok = e.args[0].op == columnRef
	case isNull, isNotNull:
		ok = e.args[0].op == columnRef
	case compare, in:
		ok = e.args[0].op == columnRef
		for _, a := range e.args[1:] {
			ok = ok && (a.op == numberLiteral || a.op == stringLiteral || a.op == boolLiteral)
		}
	}
	if !ok {
		refuse(e.at, "an index's condition of this form: SQL Server takes comparisons of a column with constants, joined by AND")
	}
	if e.op == not { // of a boolean column
		return bracket(e.args[0].text) + " = 0"
	}
	return w.condition(e)
}

// dropIndex looks the index's table up.
func (w *serverWriter) dropIndex(n name, exists bool) {
	query := "select N'drop index ' + quotename(i.name) + N' on ' + quotename(schema_name(o.schema_id)) + N'.' + quotename(o.name) as statement" + w.indexNamed(n)
	if exists {
		w.run(query)
		return
	}
	w.runOne(query, "there is no index "+n.String()+", or more than one")
}

func (w *serverWriter) indexNamed(n name) string {
	return " from sys.indexes i join sys.objects o on o.object_id = i.object_id where i.name = " + national(n.name) + " and o.schema_id = " + n.schemaID()
}

func (w *serverWriter) renameIndex(s renameIndex) {
	query := "select N'exec sp_rename N''' + replace(quotename(schema_name(o.schema_id)) + N'.' + quotename(o.name) + N'.' + quotename(i.name), N'''', N'''''') + " +
		national("', "+national(s.to)+", N'INDEX'") + " as statement" + w.indexNamed(s.index)
	if s.ifExists {
		w.run(query)
		return
	}
	w.runOne(query, "there is no index "+s.index.String()+", or more than one")
}
