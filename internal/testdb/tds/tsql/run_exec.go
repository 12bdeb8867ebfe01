package tsql

import (
	"context"
	"errors"
	"strings"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// execText is EXEC (N'...').
type execText struct{ text operand }

func (s *execText) run(f *frame) error {
	text, err := f.text(s.text)
	if err != nil {
		return err
	}
	return f.inner("").batch(text)
}

// batch runs a text as a scope of its own.
func (f *frame) batch(text string) error {
	prog, err := f.s.server.parse(text)
	if fl, ok := asFailure(err); ok {
		if err := f.settle(fl); !errors.Is(err, errScope) {
			return err
		}
		return nil
	}
	f.written = prog.written
	return f.nested(prog.steps)
}

// call is EXEC of a procedure.
type call struct {
	schema, name string
	result       string // the variable that gets the status
	args         []argument
}

// actual is an argument with its value; the procedure leaves there what an OUTPUT parameter has at the end.
type actual struct {
	name   string
	value  value
	output bool
}

func parseName(name string) (c *call, err error) {
	defer catchFailure(&err)
	return newParser(name).call(), nil
}

func (c *call) run(f *frame) error {
	args := make([]actual, len(c.args))
	for i, a := range c.args {
		v, err := f.argument(a.value)
		if err != nil {
			return err
		}
		args[i] = actual{a.name, v, a.output != ""}
	}
	status, err := f.invoke(c, args)
	if err != nil {
		return err
	}
	for i, a := range c.args {
		if a.output == "" {
			continue
		}
		v, err := f.variable(a.output)
		if err != nil {
			return err
		}
		got := args[i].value
		if *v, err = f.evaluate(operand{code: sql(got.literal()), plain: &got}, v.Type); err != nil {
			return err
		}
	}
	if c.result != "" {
		v, err := f.variable(c.result)
		if err != nil {
			return err
		}
		got := intValue(int64(status))
		*v, err = f.evaluate(operand{code: sql(got.literal()), plain: &got}, v.Type)
		return err
	}
	return nil
}

// argument gives a call's argument: a constant or a variable.
func (f *frame) argument(o operand) (value, error) {
	switch {
	case o.null:
		return value{Type: tds.Type{Kind: tds.Int}, null: true}, nil
	case o.plain != nil:
		return *o.plain, nil
	case o.variable != "" && !strings.HasPrefix(o.variable, "@@"):
		v, err := f.variable(o.variable)
		if err != nil {
			return value{}, err
		}
		return *v, nil
	}
	text, err := f.text(o)
	return stringValue(text), err
}

func (f *frame) invoke(c *call, args []actual) (int32, error) {
	switch name := lower(c.name); name {
	case "sp_getapplock":
		return f.getApplock(args)
	case "sp_releaseapplock":
		return f.releaseApplock(args)
	case "sp_executesql":
		return 0, f.executeSQL(args)
	case "sp_rename":
		return 0, f.rename(args)
	}
	schema := c.schema
	if schema == "" {
		schema = "dbo"
	}
	rows, err := f.s.ask(context.Background(), "select definition from tsql.module where schema_name = "+literal(schema)+" and name = "+literal(c.name))
	if err != nil {
		return 0, err
	}
	if len(rows) == 0 {
		return 0, fail(2812, 62, 16, "Could not find stored procedure '%s'.", strings.TrimPrefix(c.schema+"."+c.name, "."))
	}
	proc, err := parseProcedure(string(rows[0][0]))
	if err != nil {
		return 0, err
	}
	inner := f.inner(c.name)
	if err := inner.bind(proc.parameters, args, c.name); err != nil {
		return 0, err
	}
	if err := inner.nested(proc.body); err != nil {
		return 0, err
	}
	inner.giveBack(proc.parameters, args)
	f.out.Done(tds.Done{})
	return inner.status, nil
}

// bind makes variables of arguments, by name or by place ("EXECUTE", "Specify parameters").
func (f *frame) bind(parameters []parameter, args []actual, name string) error {
	if len(args) > len(parameters) {
		return fail(8144, 2, 16, "Procedure or function %s has too many arguments specified.", name)
	}
	for i, p := range parameters {
		o, given := p.value, p.given
		for j, a := range args {
			if a.name == p.name || a.name == "" && i == j {
				o, given = operand{code: sql(a.value.literal()), plain: &a.value}, true
			}
		}
		if !given {
			return fail(201, 4, 16, "Procedure or function '%s' expects parameter '%s', which was not supplied.", name, p.name)
		}
		v, err := f.evaluate(o, p.typ)
		if err != nil {
			return err
		}
		f.vars[p.name] = &v
	}
	for _, a := range args {
		if _, ok := f.vars[a.name]; a.name != "" && !ok {
			return fail(8145, 1, 16, "%s is not a parameter for procedure %s.", a.name, name)
		}
	}
	return nil
}

// giveBack leaves the values of output parameters in the arguments.
func (f *frame) giveBack(parameters []parameter, args []actual) {
	for i, p := range parameters {
		for j := range args {
			if p.output && args[j].output && (args[j].name == p.name || args[j].name == "" && i == j) {
				args[j].value = *f.vars[p.name]
			}
		}
	}
}

// executeSQL is sp_executesql as a statement: the text, the declarations and the arguments.
func (f *frame) executeSQL(args []actual) error {
	if len(args) == 0 {
		return fail(201, 10, 16, "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied.")
	}
	inner := f.inner("")
	var parameters []parameter
	rest := args[1:]
	if len(rest) > 0 {
		var err error
		if parameters, err = parseDeclarations(rest[0].value.text); err != nil {
			return err
		}
		rest = rest[1:]
	}
	if err := inner.bind(parameters, rest, "sp_executesql"); err != nil {
		return err
	}
	if err := inner.batch(args[0].value.text); err != nil {
		return err
	}
	inner.giveBack(parameters, rest)
	return nil
}

type createProcedure struct {
	table   *table
	text    string
	replace bool
}

func (s *createProcedure) run(f *frame) error {
	main := "insert into tsql.module values (" + literal(s.table.schema) + ", " + literal(s.table.name) + ", " + literal(s.text) + ")"
	if s.replace {
		main += " on conflict (schema_name, name) do update set definition = excluded.definition"
	} else {
		main += " on conflict do nothing"
	}
	tag, err := f.perform(work{main: main})
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return fail(2714, 3, 16, "There is already an object named '%s' in the database.", s.table.name)
	}
	f.done(tds.Done{})
	return nil
}

type dropProcedure struct {
	table  *table
	exists bool
}

func (s *dropProcedure) run(f *frame) error {
	tag, err := f.perform(work{main: "delete from tsql.module where schema_name = " + literal(s.table.schema) + " and name = " + literal(s.table.name)})
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 && !s.exists {
		return fail(3701, 5, 11, "Cannot drop the procedure '%s', because it does not exist or you do not have permission.", s.table.written)
	}
	f.done(tds.Done{})
	return nil
}
