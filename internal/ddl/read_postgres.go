package ddl

import (
	"github.com/dualsql/dualsql/internal/sqltext"
)

// postgres reads a statement of PostgreSQL's (manual, part VI).
func (r *reader) postgres() statement {
	var s statement
	switch at := r.at(); {
	case r.accept("CREATE"):
		s = r.postgresCreate(at)
	case r.accept("ALTER", "TABLE"):
		s = r.postgresAlter()
	case r.accept("ALTER", "INDEX"):
		i := renameIndex{ifExists: r.ifExists(), index: r.object()}
		r.expect("RENAME", "TO")
		i.to = r.identifier()
		s = i
	case r.accept("DROP"):
		s = r.postgresDrop()
	case r.accept("GRANT"):
		s = r.rights(false)
	case r.accept("REVOKE"):
		s = r.rights(true)
	case r.accept("TRUNCATE"):
		r.accept("TABLE")
		t := truncate{}
		r.list(func() {
			r.accept("ONLY")
			t.tables = append(t.tables, r.object())
		})
		r.accept("CONTINUE", "IDENTITY")
		r.accept("RESTRICT")
		s = t
	default:
		r.unknown()
	}
	r.end()
	return s
}

func (r *reader) postgresCreate(at int) statement {
	switch {
	case r.accept("SCHEMA"):
		s := createSchema{ifAbsent: r.ifNotExists()}
		s.schema = r.schemaName()
		return s
	case r.accept("TABLE"):
		return r.postgresTable()
	case r.accept("UNIQUE", "INDEX"):
		return r.postgresIndex(at, true)
	case r.accept("INDEX"):
		return r.postgresIndex(at, false)
	case r.is("TEMP"), r.is("TEMPORARY"):
		refuse(r.at(), "a temporary table belongs to one session, and is of no use on the other side")
	case r.is("UNLOGGED"):
		refuse(r.at(), "UNLOGGED: SQL Server has no such tables")
	}
	r.unknownObject("CREATE")
	return nil
}

// unknownObject names what CREATE, ALTER or DROP works on.
func (r *reader) unknownObject(verb string) {
	if t := r.peek(0); t.Kind == sqltext.WordToken {
		refuse(t.Start, "%s %.40s", verb, t.Upper)
	}
	r.unknown()
}

func (r *reader) schemaName() string {
	s := r.identifier()
	switch {
	case r.dialect == sqltext.Postgres && s == "public":
		s = "dbo"
	case r.dialect == sqltext.SQLServer && s == "dbo":
		s = "public"
	}
	return s
}

func (r *reader) postgresTable() statement {
	s := createTable{ifAbsent: r.ifNotExists(), table: r.object()}
	r.table = s.table.name
	if r.is("AS") || r.is("OF") || r.is("PARTITION") {
		refuse(r.at(), "CREATE TABLE ... %s", r.peek(0).Upper)
	}
	r.parenthesized(func() {
		if r.is(")") {
			refuse(r.at(), "a table without columns")
		}
		r.list(func() {
			if r.is("LIKE") {
				refuse(r.at(), "LIKE in CREATE TABLE")
			}
			if name, kind := r.constraintStart(); kind {
				s.constraints = append(s.constraints, r.postgresConstraint(name))
				return
			}
			c, own := r.postgresColumn()
			s.columns = append(s.columns, c)
			s.constraints = append(s.constraints, own...)
		})
	})
	if t := r.peek(0); t.Kind == sqltext.WordToken {
		refuse(t.Start, "%.40s behind the columns of a table", t.Upper)
	}
	s.finish(r)
	return s
}

// finish names what has no name, in PostgreSQL's order, and makes the columns of the primary key NOT NULL, as the engines do.
func (s *createTable) finish(r *reader) {
	for i := range s.constraints {
		k := &s.constraints[i]
		r.named(k)
		if k.kind != primaryKey {
			continue
		}
		for j := range s.columns {
			for _, name := range k.columns {
				s.columns[j].notNull = s.columns[j].notNull || s.columns[j].name == name
			}
		}
	}
}

// named gives a constraint the name that PostgreSQL gives it.
func (r *reader) named(k *constraint) {
	if k.name != "" {
		r.takeName(k.name)
		return
	}
	switch k.kind {
	case primaryKey:
		k.name = r.constraintName(k.at, nil, "pkey")
	case unique:
		k.name = r.constraintName(k.at, k.columns, "key")
	case foreignKey:
		k.name = r.constraintName(k.at, k.columns, "fkey")
	case check:
		columns := k.check.columns()
		if len(columns) != 1 {
			columns = nil
		}
		k.name = r.constraintName(k.at, columns, "check")
	}
}

// constraintStart takes the name of a table's constraint, and reports whether there is one.
func (r *reader) constraintStart() (name string, yes bool) {
	if r.accept("CONSTRAINT") {
		return r.identifier(), true
	}
	switch {
	case r.is("PRIMARY", "KEY"), r.is("UNIQUE"), r.is("CHECK"), r.is("FOREIGN", "KEY"), r.is("EXCLUDE"):
		return "", true
	}
	return "", false
}

func (r *reader) postgresConstraint(name string) constraint {
	k := constraint{name: name, at: r.at()}
	switch {
	case r.accept("PRIMARY", "KEY"):
		k.kind = primaryKey
		k.columns = r.columnList()
	case r.accept("UNIQUE"):
		k.kind = unique
		k.equal = r.nulls()
		k.columns = r.columnList()
	case r.accept("CHECK"):
		k.kind = check
		r.parenthesized(func() { k.check = r.condition() })
	case r.accept("FOREIGN", "KEY"):
		k.kind = foreignKey
		k.columns = r.columnList()
		r.expect("REFERENCES")
		r.references(&k)
	default:
		r.unknown()
	}
	sameColumns(k.at, k.columns)
	r.deferral()
	return k
}

// nulls takes NULLS [NOT] DISTINCT, and reports whether NULLs are equal.
func (r *reader) nulls() bool {
	if r.accept("NULLS", "NOT", "DISTINCT") {
		return true
	}
	r.accept("NULLS", "DISTINCT")
	return false
}

// deferral takes what says that a constraint is looked at by each statement: SQL Server knows nothing else.
func (r *reader) deferral() {
	for {
		switch {
		case r.accept("NOT", "DEFERRABLE"), r.accept("INITIALLY", "IMMEDIATE"):
		case r.is("DEFERRABLE"), r.is("INITIALLY"), r.is("NOT", "VALID"), r.is("NO", "INHERIT"), r.is("NOT", "ENFORCED"):
			refuse(r.at(), "a constraint that is %s %s: SQL Server has none", r.peek(0).Upper, r.peek(1).Upper)
		default:
			return
		}
	}
}

func (r *reader) references(k *constraint) {
	k.table = r.object()
	if r.is("(") {
		k.referred = r.columnList()
	}
	for {
		at := r.at()
		switch {
		case r.accept("ON", "DELETE"):
			k.onDelete = r.referential()
		case r.accept("ON", "UPDATE"):
			k.onUpdate = r.referential()
		case r.accept("MATCH", "SIMPLE"):
		case r.is("MATCH"):
			refuse(at, "MATCH but for SIMPLE")
		default:
			return
		}
		if r.is("(") {
			refuse(r.at(), "an action for some of the columns")
		}
	}
}

// referential takes an action. SQL Server has no RESTRICT; as each constraint is looked at by the statement, NO ACTION is the same.
func (r *reader) referential() string {
	switch {
	case r.accept("NO", "ACTION"), r.accept("RESTRICT"):
		return ""
	case r.accept("CASCADE"):
		return "cascade"
	case r.accept("SET", "NULL"):
		return "set null"
	case r.accept("SET", "DEFAULT"):
		return "set default"
	}
	r.unknown()
	return ""
}

var serials = map[string]kind{"SMALLSERIAL": smallInteger, "SERIAL2": smallInteger, "SERIAL": integer, "SERIAL4": integer, "BIGSERIAL": bigInteger,
	"SERIAL8": bigInteger}

// postgresColumn reads a column and the constraints that it has of its own.
func (r *reader) postgresColumn() (column, []constraint) {
	c := column{at: r.at(), name: r.identifier()}
	if serial, ok := serials[r.peek(0).Upper]; ok && r.peek(0).Kind == sqltext.WordToken {
		c.typ = typ{kind: serial, at: r.at()}
		c.identity = &identity{1, 1}
		c.notNull = true
		r.pos++
	} else {
		c.typ = r.postgresType()
	}
	var all []constraint
	for {
		at, name := r.at(), ""
		if r.accept("CONSTRAINT") {
			name = r.identifier()
		}
		switch {
		case r.accept("NOT", "NULL"):
			c.notNull = true
		case r.accept("NULL"):
		case r.accept("DEFAULT"):
			c.value = r.defaultValue()
		case r.is("GENERATED"):
			r.generated(&c)
		case r.is("COLLATE"):
			refuse(at, "a collation: every text on SQL Server has a binary one")
		case r.is("PRIMARY", "KEY"), r.is("UNIQUE"), r.is("CHECK"), r.is("REFERENCES"):
			all = append(all, r.ownConstraint(name, c.name))
		case name != "":
			r.unknown()
		default:
			r.deferral()
			return c, all
		}
	}
}

func (r *reader) ownConstraint(name, column string) constraint {
	k := constraint{name: name, columns: []string{column}, at: r.at()}
	switch {
	case r.accept("PRIMARY", "KEY"):
		k.kind = primaryKey
	case r.accept("UNIQUE"):
		k.kind = unique
		k.equal = r.nulls()
	case r.accept("CHECK"):
		k.kind, k.columns = check, nil
		r.parenthesized(func() { k.check = r.condition() })
	case r.accept("REFERENCES"):
		k.kind = foreignKey
		r.references(&k)
	}
	r.deferral()
	return k
}

// defaultValue: NULL is none.
func (r *reader) defaultValue() *expr {
	e := r.sum()
	if e.op == nullLiteral {
		return nil
	}
	return e
}

func (r *reader) generated(c *column) {
	at := r.at()
	r.expect("GENERATED")
	if r.accept("ALWAYS", "AS", "(") {
		refuse(at, "a generated column: the other side may not compute it in the same way")
	}
	if !r.accept("ALWAYS") {
		r.expect("BY", "DEFAULT")
	}
	r.expect("AS", "IDENTITY")
	c.identity, c.notNull = &identity{1, 1}, true
	if r.accept("(") {
		for !r.accept(")") {
			switch {
			case r.accept("START"):
				r.accept("WITH")
				c.identity.start = r.number(-1<<62, 1<<62)
			case r.accept("INCREMENT"):
				r.accept("BY")
				c.identity.increment = r.number(-1<<30, 1<<30)
			default:
				r.unknown()
			}
		}
	}
}
