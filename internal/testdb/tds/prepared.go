package tds

// executeSQL is sp_executesql @stmt, @params, and the values.
func (c *conn) executeSQL(args []arg, o *response) (status int32, outputs []output, err error) {
	text, args, err := takeText(executeSQL, "@stmt", args)
	if err != nil {
		return 0, nil, err
	}
	s, args, err := declare(executeSQL, text, args)
	if err != nil {
		return 0, nil, err
	}
	return c.runStatement(s, args, o)
}

// declare makes a statement of its text and of the declarations that are the first of args, if there are any.
func declare(procedure, text string, args []arg) (statement, []arg, error) {
	var params string
	if len(args) > 0 {
		var err error
		if params, args, err = takeText(procedure, "@params", args); err != nil {
			return statement{}, nil, err
		}
	}
	declarations, err := parseDeclarations(params)
	return statement{text: text, declarations: declarations}, args, err
}

// takeText takes a text off the arguments, NULL as "".
func takeText(procedure, name string, args []arg) (string, []arg, error) {
	if len(args) == 0 {
		return "", nil, missing(procedure, name)
	}
	first := args[0]
	if !isText(first.Type.Kind) {
		return "", nil, refuse(214, "Procedure expects parameter '%s' of type 'ntext/nchar/nvarchar'.", name)
	}
	text, _ := first.Value.(string)
	return text, args[1:], nil
}

func missing(procedure, name string) error {
	return refuse(201, "Procedure or function '%s' expects parameter '%s', which was not supplied.", procedure, name)
}

// prepare is sp_prepare and sp_prepexec: @handle OUTPUT, @params, @stmt, and then either options or the values.
func (c *conn) prepare(args []arg, run bool, o *response) (status int32, outputs []output, err error) {
	procedure := prepare
	if run {
		procedure = prepExec
	}
	if len(args) < 3 {
		return 0, nil, missing(procedure, "@stmt")
	}
	handle, rest := args[0], args[3:]
	text, _, err := takeText(procedure, "@stmt", args[2:3])
	if err != nil {
		return 0, nil, err
	}
	s, _, err := declare(procedure, text, args[1:2])
	if err != nil {
		return 0, nil, err
	}
	if run {
		if status, outputs, err = c.runStatement(s, rest, o); err != nil {
			return 0, nil, err
		}
	}
	c.lastHandle++
	c.prepared[c.lastHandle] = s
	if handle.Output {
		outputs = append([]output{{
			ordinal: handle.ordinal, name: handle.Name, typ: Type{Kind: Int}, value: c.lastHandle,
		}}, outputs...)
	}
	return status, outputs, nil
}

// executePrepared is sp_execute @handle and the values.
func (c *conn) executePrepared(args []arg, o *response) (status int32, outputs []output, err error) {
	handle, err := handleOf(execute, args)
	if err != nil {
		return 0, nil, err
	}
	s, ok := c.prepared[handle]
	if !ok {
		return 0, nil, refuse(errHandle, "Could not find prepared statement with handle %d.", handle)
	}
	return c.runStatement(s, args[1:], o)
}

// unprepare is sp_unprepare @handle.
func (c *conn) unprepare(args []arg) (status int32, outputs []output, err error) {
	handle, err := handleOf(unprepare, args)
	if err != nil {
		return 0, nil, err
	}
	if _, ok := c.prepared[handle]; !ok {
		return 0, nil, refuse(errHandle, "Could not find prepared statement with handle %d.", handle)
	}
	delete(c.prepared, handle)
	return 0, nil, nil
}

func handleOf(procedure string, args []arg) (int64, error) {
	if len(args) == 0 {
		return 0, missing(procedure, "@handle")
	}
	handle, _ := args[0].Value.(int64) // no statement has the handle 0
	return handle, nil
}
