package ddl

import "github.com/dualsql/dualsql/internal/sqltext"

// postgresIndex reads CREATE INDEX behind that word.
func (r *reader) postgresIndex(at int, unique bool) statement {
	s := createIndex{unique: unique, at: at}
	r.accept("CONCURRENTLY") // SQL Server builds it in one statement
	s.ifAbsent = r.ifNotExists()
	if !r.is("ON") {
		s.index = r.identifier()
	}
	r.expect("ON")
	r.accept("ONLY")
	s.table = r.object()
	r.table = s.table.name
	if r.accept("USING") {
		if method := r.at(); r.acceptOne("BTREE", "HASH") == "" {
			refuse(method, "an index that is no btree; it may be on the primary alone")
		}
	}
	var names []string
	r.parenthesized(func() {
		r.list(func() {
			if r.is("(") || r.peek(1).Upper == "(" {
				refuse(r.at(), "an index over an expression: SQL Server has none")
			}
			c := indexColumn{name: r.identifier()}
			if r.is("COLLATE") || r.peek(0).Kind == sqltext.WordToken && !r.is("ASC") && !r.is("DESC") && !r.is("NULLS") {
				refuse(r.at(), "an index with a collation or an operator class")
			}
			c.desc = r.acceptOne("ASC", "DESC") == "DESC"
			if r.accept("NULLS") && r.acceptOne("FIRST", "LAST") == "" {
				r.unknown()
			}
			s.columns = append(s.columns, c)
			names = append(names, c.name)
		})
	})
	sameColumns(at, names)
	if r.accept("INCLUDE") {
		s.include = r.columnList()
	}
	s.equal = r.nulls()
	if r.accept("WHERE") {
		s.where = r.condition()
	}
	if s.index == "" {
		s.index = r.constraintName(at, append(names, s.include...), "idx")
	}
	return s
}

func (r *reader) dropView() statement {
	s := dropView{ifExists: r.ifExists()}
	r.list(func() { s.views = append(s.views, r.object()) })
	return s
}

func (r *reader) postgresDrop() statement {
	switch {
	case r.accept("TABLE"):
		s := dropTable{ifExists: r.ifExists()}
		r.list(func() { s.tables = append(s.tables, r.object()) })
		if s.cascade = r.accept("CASCADE"); !s.cascade {
			r.accept("RESTRICT")
		}
		return s
	case r.accept("VIEW"):
		s := r.dropView()
		r.accept("RESTRICT")
		return s
	case r.accept("INDEX"):
		r.accept("CONCURRENTLY")
		s := dropIndex{ifExists: r.ifExists()}
		r.list(func() { s.indexes = append(s.indexes, r.object()) })
		if !r.accept("CASCADE") { // nothing that is translated depends on an index by itself
			r.accept("RESTRICT")
		}
		return s
	case r.accept("SCHEMA"):
		s := dropSchema{ifExists: r.ifExists()}
		r.list(func() { s.schemas = append(s.schemas, r.schemaName()) })
		if r.is("CASCADE") {
			refuse(r.at(), "DROP SCHEMA ... CASCADE: SQL Server drops empty schemas only; drop its tables first")
		}
		r.accept("RESTRICT")
		return s
	}
	r.unknownObject("DROP")
	return nil
}
