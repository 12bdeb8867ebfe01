package ddl

import (
	"strings"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// sqlServer reads a statement of T-SQL's ("Transact-SQL reference").
func (r *reader) sqlServer() statement {
	var s statement
	switch at := r.at(); {
	case r.accept("CREATE", "SCHEMA"):
		s = createSchema{schema: r.schemaName()}
	case r.accept("CREATE", "TABLE"):
		s = r.serverTable()
	case r.accept("CREATE"):
		unique := r.accept("UNIQUE")
		r.acceptOne("CLUSTERED", "NONCLUSTERED")
		if !r.accept("INDEX") {
			r.unknownObject("CREATE")
		}
		s = r.serverIndex(at, unique)
	case r.accept("ALTER", "TABLE"):
		s = r.serverAlter()
	case r.accept("DROP"):
		s = r.serverDrop()
	case r.accept("GRANT"):
		s = r.rights(false)
	case r.accept("REVOKE"):
		s = r.rights(true)
	case r.accept("TRUNCATE", "TABLE"):
		s = truncate{[]name{r.object()}}
	default:
		r.unknown()
	}
	r.end()
	return s
}

func (r *reader) serverTable() statement {
	s := createTable{table: r.object()}
	r.parenthesized(func() {
		r.list(func() {
			if r.is(")") && len(s.columns) > 0 {
				return // a comma behind the last one is allowed
			}
			if r.is("INDEX") {
				refuse(r.at(), "an index in CREATE TABLE; create it by itself")
			}
			if name, kind := r.constraintStart(); kind {
				s.constraints = append(s.constraints, r.serverConstraint(name, ""))
				return
			}
			c, own := r.serverColumn()
			s.columns = append(s.columns, c)
			s.constraints = append(s.constraints, own...)
		})
	})
	r.storage()
	return s
}

// storage takes where SQL Server keeps a table by default.
func (r *reader) storage() {
	for r.is("ON") || r.is("TEXTIMAGE_ON") {
		at := r.at()
		r.pos++
		if r.peek(0).Kind != sqltext.NameToken || !strings.EqualFold(r.peek(0).Value, "primary") {
			refuse(at, "a filegroup")
		}
		r.pos++
	}
	if r.is("WITH") {
		refuse(r.at(), "WITH and options")
	}
}

func (r *reader) serverConstraint(name, column string) constraint {
	k := constraint{name: name, at: r.at()}
	if column != "" {
		k.columns = []string{column}
	}
	switch {
	case r.accept("PRIMARY", "KEY"):
		k.kind = primaryKey
		r.serverKey(&k)
	case r.accept("UNIQUE"):
		k.kind, k.equal = unique, true // NULLs are equal
		r.serverKey(&k)
	case r.accept("CHECK"):
		k.kind, k.columns = check, nil
		r.parenthesized(func() { k.check = r.condition() })
	case r.is("FOREIGN", "KEY"), column != "" && r.is("REFERENCES"):
		k.kind = foreignKey
		if r.accept("FOREIGN", "KEY") && column == "" {
			k.columns = r.columnList()
		}
		r.expect("REFERENCES")
		r.references(&k)
	default:
		r.unknown()
	}
	sameColumns(k.at, k.columns)
	return k
}

func (r *reader) serverKey(k *constraint) {
	r.acceptOne("CLUSTERED", "NONCLUSTERED")
	if len(k.columns) == 0 {
		r.parenthesized(func() {
			r.list(func() {
				k.columns = append(k.columns, r.identifier())
				r.acceptOne("ASC", "DESC")
			})
		})
	}
	r.storage()
}

func (r *reader) serverColumn() (column, []constraint) {
	c := column{at: r.at(), name: r.identifier()}
	if r.is("AS") {
		refuse(r.at(), "a computed column: the other side may not compute it in the same way")
	}
	c.typ = r.serverType()
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
		case r.accept("DEFAULT"): // whose name PostgreSQL has no place for
			c.value = r.defaultValue()
			r.accept("WITH", "VALUES")
		case r.accept("IDENTITY"):
			c.identity, c.notNull = &identity{1, 1}, true
			if r.is("(") {
				r.parenthesized(func() {
					c.identity.start = r.number(-1<<62, 1<<62)
					r.expect(",")
					c.identity.increment = r.number(-1<<30, 1<<30)
				})
			}
		case r.is("COLLATE"):
			refuse(at, "a collation")
		case r.is("PRIMARY", "KEY"), r.is("UNIQUE"), r.is("CHECK"), r.is("REFERENCES"), r.is("FOREIGN", "KEY"):
			all = append(all, r.serverConstraint(name, c.name))
		case name != "":
			r.unknown()
		default:
			return c, all
		}
	}
}

func (r *reader) serverIndex(at int, unique bool) statement {
	s := createIndex{unique: unique, equal: true, at: at, index: r.identifier()}
	r.expect("ON")
	s.table = r.object()
	var names []string
	r.parenthesized(func() {
		r.list(func() {
			c := indexColumn{name: r.identifier()}
			c.desc = r.acceptOne("ASC", "DESC") == "DESC"
			s.columns = append(s.columns, c)
			names = append(names, c.name)
		})
	})
	sameColumns(at, names)
	if r.accept("INCLUDE") {
		s.include = r.columnList()
	}
	if r.accept("WHERE") {
		s.where = r.condition()
	}
	r.storage()
	return s
}

func (r *reader) serverAlter() statement {
	s := alterTable{table: r.object()}
	switch at := r.at(); {
	case r.accept("WITH", "CHECK", "ADD"), r.accept("ADD"):
		r.list(func() {
			if r.is("DEFAULT") || r.is("CONSTRAINT") && r.peek(2).Upper == "DEFAULT" {
				s.actions = append(s.actions, r.serverDefault())
			} else if name, yes := r.constraintStart(); yes {
				s.actions = append(s.actions, addConstraint{r.serverConstraint(name, "")})
			} else {
				a := addColumn{}
				a.column, a.constraints = r.serverColumn()
				if a.value != nil && !a.notNull && r.tokens[r.pos-1].Upper != "VALUES" {
					refuse(a.at, "a column with a default that the rows that are there do not get; add WITH VALUES, or add the default by itself behind it")
				}
				s.actions = append(s.actions, a)
			}
		})
	case r.accept("DROP", "COLUMN"):
		r.list(func() {
			r.accept("COLUMN")
			s.actions = append(s.actions, dropColumn{ifExists: r.ifExists(), name: r.identifier()})
		})
	case r.accept("DROP"):
		r.accept("CONSTRAINT")
		r.list(func() { s.actions = append(s.actions, dropConstraint{ifExists: r.ifExists(), name: r.identifier()}) })
	case r.accept("ALTER", "COLUMN"):
		column := r.identifier()
		a := setType{column, r.serverType()}
		notNull := r.accept("NOT", "NULL")
		if !notNull {
			r.accept("NULL")
		}
		s.actions = append(s.actions, a, setNull{column, notNull})
	default:
		refuse(at, "ALTER TABLE ... %.40s", r.peek(0).Upper)
	}
	return s
}

// serverDefault reads what adds a default to a column that is there.
func (r *reader) serverDefault() action {
	if r.accept("CONSTRAINT") {
		r.identifier()
	}
	r.expect("DEFAULT")
	value := r.defaultValue()
	r.expect("FOR")
	return setDefault{r.identifier(), value}
}

func (r *reader) serverDrop() statement {
	switch {
	case r.accept("TABLE"):
		s := dropTable{ifExists: r.ifExists()}
		r.list(func() { s.tables = append(s.tables, r.object()) })
		return s
	case r.accept("VIEW"):
		return r.dropView()
	case r.accept("INDEX"):
		s := dropIndex{ifExists: r.ifExists(), indexes: []name{{name: r.identifier()}}}
		r.expect("ON")
		s.table = r.object()
		return s
	case r.accept("SCHEMA"):
		s := dropSchema{ifExists: r.ifExists()}
		s.schemas = []string{r.schemaName()}
		return s
	}
	r.unknownObject("DROP")
	return nil
}
