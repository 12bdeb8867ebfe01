package ddl

import "slices"

// postgresAlter reads ALTER TABLE behind these words.
func (r *reader) postgresAlter() statement {
	s := alterTable{ifExists: r.ifExists()}
	r.accept("ONLY")
	s.table = r.object()
	r.table = s.table.name
	switch {
	case r.accept("RENAME", "TO"):
		s.actions = append(s.actions, renameTable{r.identifier()})
		return s
	case r.accept("RENAME", "CONSTRAINT"):
		from := r.identifier()
		r.expect("TO")
		s.actions = append(s.actions, renameConstraint{from, r.identifier()})
		return s
	case r.accept("RENAME"):
		r.accept("COLUMN")
		from := r.identifier()
		r.expect("TO")
		s.actions = append(s.actions, renameColumn{from, r.identifier()})
		return s
	}
	r.list(func() { s.actions = append(s.actions, r.postgresAction()) })
	// PostgreSQL does what a statement asks for in this order, whatever its own (tablecmds.c, AlterTablePass).
	slices.SortStableFunc(s.actions, func(a, b action) int { return pass(a) - pass(b) })
	return s
}

func pass(a action) int {
	const drop, alterType, add, attributes, others = 0, 1, 2, 3, 4
	switch a := a.(type) {
	case dropColumn, dropConstraint:
		return drop
	case setType:
		return alterType
	case addColumn:
		return add
	case setNull:
		if a.notNull {
			return attributes
		}
		return drop
	case setDefault:
		if a.value == nil {
			return drop
		}
	}
	return others
}

func (r *reader) postgresAction() action {
	switch {
	case r.accept("ADD"):
		if name, yes := r.constraintStart(); yes {
			k := r.postgresConstraint(name)
			r.named(&k)
			return addConstraint{k}
		}
		r.accept("COLUMN")
		a := addColumn{ifAbsent: r.ifNotExists()}
		a.column, a.constraints = r.postgresColumn()
		for i := range a.constraints {
			r.named(&a.constraints[i])
		}
		return a
	case r.accept("DROP", "CONSTRAINT"):
		a := dropConstraint{ifExists: r.ifExists(), name: r.identifier()}
		r.noCascade()
		return a
	case r.accept("DROP"):
		r.accept("COLUMN")
		a := dropColumn{ifExists: r.ifExists(), name: r.identifier()}
		r.noCascade()
		return a
	case r.accept("ALTER"):
		r.accept("COLUMN")
		return r.postgresAlterColumn(r.identifier())
	}
	r.unknownObject("ALTER TABLE ...")
	return nil
}

// noCascade: what depends on a column or a key in other tables is not looked for.
func (r *reader) noCascade() {
	if r.is("CASCADE") {
		refuse(r.at(), "CASCADE here: what depends on it is not looked for on the other side; drop that first")
	}
	r.accept("RESTRICT")
}

func (r *reader) postgresAlterColumn(column string) action {
	switch {
	case r.accept("SET", "NOT", "NULL"):
		return setNull{column, true}
	case r.accept("DROP", "NOT", "NULL"):
		return setNull{column, false}
	case r.accept("SET", "DEFAULT"):
		return setDefault{column, r.defaultValue()}
	case r.accept("DROP", "DEFAULT"):
		return setDefault{column, nil}
	case r.accept("SET", "DATA", "TYPE"), r.accept("TYPE"):
		a := setType{column, r.postgresType()}
		if r.accept("USING") {
			r.using(a)
		}
		return a
	}
	r.unknownObject("ALTER COLUMN ...")
	return nil
}

// using takes the column itself, cast to the new type or not: that is what is done without it, too.
func (r *reader) using(a setType) {
	at := r.at()
	same := func() bool { return r.identifier() == a.name }
	type shape struct {
		kind          kind
		length, scale int
	}
	to := func() bool {
		t := r.postgresType()
		return shape{t.kind, t.length, t.scale} == shape{a.typ.kind, a.typ.length, a.typ.scale}
	}
	ok := false
	if r.accept("CAST", "(") {
		ok = same()
		r.expect("AS")
		ok = to() && ok
		r.expect(")")
	} else if ok = same(); r.accept(":", ":") {
		ok = to() && ok
	}
	if !ok {
		refuse(at, "USING with anything but the column, cast to its new type")
	}
}
