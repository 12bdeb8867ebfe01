package ddl

import (
	"fmt"
	"strings"
)

// alter writes one action of ALTER TABLE.
func (w *serverWriter) alter(t name, a action) {
	table := t.server()
	switch a := a.(type) {
	case addColumn:
		w.unless(a.ifAbsent, "exists ("+columnOf(t, a.name)+")", func() { w.addColumn(t, a) })
	case dropColumn:
		w.unless(a.ifExists, "not exists ("+columnOf(t, a.name)+")", func() { w.dropColumn(t, a.name) })
	case setType:
		w.setType(t, a)
	case setNull:
		w.setNull(t, a)
	case setDefault:
		w.run(defaultOf(t, a.name))
		if a.value != nil {
			w.add("alter table %s add default %s for %s", table, serverDefault(a.value, nil), bracket(a.name))
		}
	case addConstraint:
		w.addConstraint(t, a.constraint)
	case dropConstraint:
		// A unique constraint may be an index there.
		w.lines = append(w.lines, fmt.Sprintf("if exists (select 1 from sys.indexes where object_id = %s and name = %s and is_primary_key = 0 and is_unique_constraint = 0)\ndrop index %s on %s\nelse\nalter table %s drop constraint %s%s",
			t.id(), national(a.name), bracket(a.name), table, table, ifExists(a.ifExists), bracket(a.name)))
	case renameColumn:
		w.rename(table+"."+bracket(a.from), a.to, "COLUMN")
	case renameTable:
		w.rename(table, a.to, "OBJECT")
	case renameConstraint:
		index := fmt.Sprintf("if exists (select 1 from sys.indexes where object_id = %s and name = %s)", t.id(), national(a.from))
		w.lines = append(w.lines, index+"\nexec sp_rename "+national(table+"."+bracket(a.from))+", "+national(a.to)+", N'INDEX'\nelse\nexec sp_rename "+
			national(name{t.schema, a.from}.server())+", "+national(a.to)+", N'OBJECT'")
	}
}

func (w *serverWriter) rename(what, to, kind string) {
	w.add("exec sp_rename %s, %s, N'%s'", national(what), national(to), kind)
}

func columnOf(t name, column string) string {
	return fmt.Sprintf("select 1 from sys.columns where object_id = %s and name = %s", t.id(), national(column))
}

// addColumn: PostgreSQL gives the rows that are there the default.
func (w *serverWriter) addColumn(t name, a addColumn) {
	if a.identity != nil {
		refuse(a.at, "a column that numbers the rows that are there: the other side may do it in another order; add a plain column, fill it by UPDATE, and give it its default then")
	}
	a.refuseComputed()
	w.types = map[string]typ{a.name: a.typ}
	key := false
	for _, k := range a.constraints {
		key = key || k.kind != check
	}
	fills := ""
	if !a.notNull {
		fills = " with values"
	}
	w.add("alter table %s add %s", t.server(), w.column(a.column, key, fills))
	for _, k := range a.constraints {
		w.addConstraint(t, k)
	}
}

func (w *serverWriter) addConstraint(t name, k constraint) {
	add := "alter table " + t.server() + " add " + w.constraint(k)
	if k.kind != check {
		w.keyable(t, k.columns)
	}
	if k.kind == primaryKey {
		for _, c := range k.columns {
			w.setNull(t, setNull{c, true}) // as PostgreSQL does by itself
		}
	}
	if k.kind == unique && !k.equal {
		w.ifNullable(t, k.columns, uniqueIndex(t, k.name, k.columns), add)
		return
	}
	w.add("%s", add)
}

// defaultOf makes the statement that drops a column's default, whatever its name is.
func defaultOf(t name, column string) string {
	return "select N'alter table ' + " + national(t.server()+" drop constraint ") + " + quotename(d.name) as statement from sys.default_constraints d" +
		" join sys.columns c on c.object_id = d.parent_object_id and c.column_id = d.parent_column_id where c.object_id = " + t.id() + " and c.name = " + national(column)
}

// dropColumn drops what PostgreSQL drops along with a column: its default, and the table's constraints and indexes over it.
func (w *serverWriter) dropColumn(t name, column string) {
	drop := "select " + national("alter table "+t.server()+" drop constraint ") + " + quotename(k.name)"
	where := " where c.object_id = " + t.id() + " and c.name = " + national(column)
	w.run(strings.Join([]string{
		defaultOf(t, column),
		drop + " from sys.check_constraints k join sys.sql_expression_dependencies d on d.referencing_id = k.object_id and d.referenced_id = k.parent_object_id" +
			" join sys.columns c on c.object_id = k.parent_object_id and c.column_id = d.referenced_minor_id" + where,
		drop + " from sys.foreign_keys k join sys.foreign_key_columns x on x.constraint_object_id = k.object_id" +
			" join sys.columns c on c.object_id = k.parent_object_id and c.column_id = x.parent_column_id" + where,
		"select case when i.is_primary_key = 1 or i.is_unique_constraint = 1 then " + national("alter table "+t.server()+" drop constraint ") + " + quotename(i.name) else N'drop index ' + quotename(i.name) + " +
			national(" on "+t.server()) + " end from sys.indexes i join sys.index_columns x on x.object_id = i.object_id and x.index_id = i.index_id" +
			" join sys.columns c on c.object_id = i.object_id and c.column_id = x.column_id" + where,
	}, "\nunion all\n"))
	w.add("alter table %s drop column %s", t.server(), bracket(column))
}

// alike are the types of which the values stay the same, on both engines, when a column becomes one of a kind.
var alike = map[kind]string{
	smallInteger: "N'smallint', N'tinyint'", integer: "N'int', N'smallint', N'tinyint'", bigInteger: "N'bigint', N'int', N'smallint', N'tinyint'",
	decimal: "N'decimal', N'numeric', N'bigint', N'int', N'smallint', N'tinyint'", double: "N'float', N'real', N'int', N'smallint', N'tinyint'", single: "N'real'",
	text: "N'nvarchar', N'bigint', N'int', N'smallint', N'tinyint'", timestamp: "N'datetime2'", timestampZone: "N'datetimeoffset'", timeOfDay: "N'time'",
}

// setType: ALTER COLUMN says anew whether a column takes NULL.
func (w *serverWriter) setType(t name, a setType) {
	from, known := alike[a.typ.kind]
	if !known {
		refuse(a.typ.at, "a column that becomes one of this type: its values may not become the same on both sides")
	}
	w.lines = append(w.lines, w.block(fmt.Sprintf("if not exists (select 1 from sys.columns c join sys.types y on y.user_type_id = c.user_type_id where c.object_id = %s and c.name = %s and y.name in (%s))",
		t.id(), national(a.name), from), func() {
		w.throw("the values of column " + a.name + " of table " + t.String() + " may not become the same as on the primary")
	}))
	alter := func(key bool) func() {
		text := fmt.Sprintf("alter table %s alter column %s %s", t.server(), bracket(a.name), a.typ.serverName(key))
		return func() { w.ifNullable(t, []string{a.name}, text+" null", text+" not null") }
	}
	w.lines = append(w.lines, w.block(fmt.Sprintf("if not exists (select 1 from sys.columns c join sys.types y on y.user_type_id = c.user_type_id where c.object_id = %s and c.name = %s and %s)",
		t.id(), national(a.name), a.typ.catalogued()), func() {
		w.withoutIndexes(t, a.name, func(indexes string) {
			if a.typ.kind != text || a.typ.serverLength(false) != "max" {
				alter(false)()
				return
			}
			w.lines = append(w.lines, w.block("if "+indexes+" is null", alter(false)), w.block("if "+indexes+" is not null", alter(true)))
		})
	}))
}

// catalogued is the condition on sys.columns c and sys.types y by which a column is of a type already. A string without a bound may
// have got one for a key.
func (t typ) catalogued() string {
	full, _, _ := strings.Cut(t.serverName(false), " ")
	base, _, _ := strings.Cut(full, "(")
	is := "y.name = " + national(base)
	switch t.kind {
	case text:
		if n := t.serverLength(false); n == "max" {
			is += fmt.Sprintf(" and c.max_length in (-1, %d)", 2*keyLength)
		} else {
			is += " and c.max_length = 2 * " + n
		}
	case decimal:
		is += fmt.Sprintf(" and c.precision = %d and c.scale = %d", t.length, t.scale)
	case timeOfDay, timestamp, timestampZone:
		is += fmt.Sprintf(" and c.scale = %d", t.precision())
	}
	return is
}

// withoutIndexes drops the indexes over a column, and makes them anew behind what change adds: SQL Server alters hardly any column under
// an index. change gets the variable that is NULL where there are none.
func (w *serverWriter) withoutIndexes(t name, column string, change func(indexes string)) {
	drop, create := w.variable(), w.variable()
	over := " from sys.indexes i where i.object_id = " + t.id() + " and i.is_primary_key = 0 and i.is_unique_constraint = 0 and exists (select 1 from sys.index_columns x join sys.columns c" +
		" on c.object_id = x.object_id and c.column_id = x.column_id where x.object_id = i.object_id and x.index_id = i.index_id and c.name = " + national(column) + ")"
	columns := func(included int, order string) string {
		return "(select string_agg(convert(nvarchar(max), quotename(c.name) + case when x.is_descending_key = 1 then N' desc' else N'' end), N', ') within group (order by " + order + ")" +
			" from sys.index_columns x join sys.columns c on c.object_id = x.object_id and c.column_id = x.column_id" +
			fmt.Sprintf(" where x.object_id = i.object_id and x.index_id = i.index_id and x.is_included_column = %d)", included)
	}
	w.add("declare %s nvarchar(max) = (select string_agg(convert(nvarchar(max), made.statement), N'; ') from (\nselect N'drop index ' + quotename(i.name) + %s as statement%s\n) made)",
		drop, national(" on "+t.server()), over)
	w.add("declare %s nvarchar(max) = (select string_agg(convert(nvarchar(max), made.statement), N'; ') from (\nselect case when i.is_unique = 1 then N'create unique index ' else N'create index ' end + quotename(i.name) + %s + %s + N')' + isnull(N' include (' + %s + N')', N'') + isnull(N' where ' + i.filter_definition, N'') as statement%s\n) made)",
		create, national(" on "+t.server()+" ("), columns(0, "x.key_ordinal"), columns(1, "x.index_column_id"), over)
	w.add("exec(%s)", drop)
	change(create)
	w.add("exec(%s)", create)
}

// setNull: ALTER COLUMN says a column's type anew. A column that is as it should be is left alone, for a key may stand on it.
func (w *serverWriter) setNull(t name, a setNull) {
	null, was := " null", "0"
	if a.notNull {
		null, was = " not null", "1"
	}
	length := func(divided string) string {
		return "case when c.max_length = -1 then N'(max)' else N'(' + convert(nvarchar(10), c.max_length" + divided + ") + N')' end"
	}
	query := "select " + national("alter table "+t.server()+" alter column "+bracket(a.name)+" ") + " + y.name + case" +
		" when y.name = N'nvarchar' then " + length(" / 2") + " + N' collate ' + c.collation_name" +
		" when y.name = N'varbinary' then " + length("") +
		" when y.name = N'decimal' then N'(' + convert(nvarchar(10), c.precision) + N',' + convert(nvarchar(10), c.scale) + N')'" +
		" when y.name in (N'time', N'datetime2', N'datetimeoffset') then N'(' + convert(nvarchar(10), c.scale) + N')'" +
		" else N'' end + N'" + null + "' as statement from sys.columns c join sys.types y on y.user_type_id = c.user_type_id where c.object_id = " + t.id() + " and c.name = " + national(a.name) +
		" and y.name in (N'bit', N'tinyint', N'smallint', N'int', N'bigint', N'real', N'float', N'decimal', N'nvarchar', N'varbinary', N'uniqueidentifier', N'date', N'time', N'datetime2', N'datetimeoffset')"
	w.lines = append(w.lines, w.block("if exists ("+columnOf(t, a.name)+" and is_nullable = "+was+")", func() {
		w.withoutIndexes(t, a.name, func(string) {
			w.runOne(query, "column "+a.name+" of table "+t.String()+" is of a type that dualsql does not make")
		})
	}))
}
