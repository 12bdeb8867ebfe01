package tsql

import (
	"slices"
	"strings"
)

// command is a statement that PostgreSQL runs: the texts before, which lock what it reads, itself, and texts behind it.
type command struct {
	verb    string // as errors have it
	table   *table // of INSERT, UPDATE, DELETE and MERGE
	before  []code
	main    code
	after   []code
	assigns []string // see query
	release bool     // see query
	reads   bool     // it writes nothing
	ddl     bool
}

// collect parses what may have to lock something before it runs.
func (p *parser) collect(parse func() command) *command {
	var locks []code
	p.locks = &locks
	c := parse()
	p.locks, p.aliases = nil, nil
	clear(p.ctes)
	c.before = append(locks, c.before...)
	return &c
}

// selectStatement is a query as a statement.
func (p *parser) selectStatement() statement {
	return p.collect(func() command {
		q := p.query(true)
		if q.into != nil {
			kind := "create table "
			if q.into.schema == "pg_temp" {
				kind = "create temporary table "
			}
			return command{verb: "SELECT INTO", main: sql(kind, q.into.code(), " as ", q.code), ddl: true}
		}
		return command{verb: "SELECT", main: q.code, assigns: q.assigns, release: q.release, reads: true}
	})
}

// insert parses INSERT behind its WITH ("INSERT").
func (p *parser) insert(with code) command {
	p.expect("INSERT")
	if p.at("TOP") {
		p.unknown("INSERT TOP")
	}
	p.accept("INTO")
	if p.peek().kind == tokVariable {
		p.unknown("a table variable")
	}
	t := p.table()
	p.hints()
	var columns []string
	named := p.at("(") && !p.atSubquery()
	if named {
		p.parenthesized(func() { p.list(func() { columns = append(columns, p.name()) }) })
	}
	output := p.output(map[string]string{"INSERTED": ident(t.name)})
	var body code
	defaults := p.accept("DEFAULT", "VALUES")
	switch {
	case defaults:
		body = sql("default values")
	case p.at("VALUES"):
		body = p.values()
	case p.at("EXEC"), p.at("EXECUTE"):
		p.unknown("INSERT ... EXEC")
	default:
		q := p.query(false)
		body = q.code
	}
	list := sql(insertColumns(t, columns, named))
	if defaults {
		list = nil
	}
	return command{verb: "INSERT", table: t, main: sql(with, "insert into ", t.code(), list, " ", body, output),
		after: []code{sql(raiseIdentity(t))}}
}

// insertColumns are the columns to insert into: all but the identity column where none are named. It holds INSERT to what
// IDENTITY_INSERT says ("SET IDENTITY_INSERT", "INSERT").
func insertColumns(t *table, columns []string, named bool) gap {
	return func(f *frame) (string, error) {
		on := f.s.identityInsert == t.display()
		if named && !on {
			return quoteAll(columns), nil
		}
		shape, err := f.s.shape(t)
		if err != nil {
			return "", err
		}
		switch {
		case on && shape.identity == "": // somebody has made the table anew
		case on && !named:
			return "", fail(8101, 1, 16, "An explicit value for the identity column in table '%s' can only be specified when a column "+
				"list is used and IDENTITY_INSERT is ON.", t.written)
		case on && !slices.Contains(columns, shape.identity):
			return "", fail(545, 1, 16, "Explicit value must be specified for identity column in table '%s' either when IDENTITY_INSERT "+
				"is set to ON or when a replication user is inserting into a NOT FOR REPLICATION identity column.", t.name)
		case on:
			return quoteAll(columns) + " overriding system value", nil
		}
		if named {
			return quoteAll(columns), nil
		}
		return quoteAll(shape.columns), nil
	}
}

func raiseIdentity(t *table) gap {
	return func(f *frame) (string, error) {
		if f.s.identityInsert != t.display() {
			return "", nil
		}
		return "select raise_identity(" + literal(t.code()) + "::regclass)", nil
	}
}

func quoteAll(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = ident(name)
	}
	return " (" + strings.Join(quoted, ", ") + ")"
}

// output parses OUTPUT, as RETURNING ("OUTPUT clause").
func (p *parser) output(aliases map[string]string) code {
	if !p.accept("OUTPUT") {
		return nil
	}
	p.aliases = aliases
	var items []code
	p.list(func() { items = append(items, p.item(false, nil)) })
	p.aliases = nil
	if p.at("INTO") {
		p.unknown("OUTPUT ... INTO")
	}
	return sql(" returning ", join(items, ", "))
}
