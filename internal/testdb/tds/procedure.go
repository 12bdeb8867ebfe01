package tds

import (
	"fmt"
	"slices"
	"strings"
)

// statement is one that a client has prepared.
type statement struct {
	text         string
	declarations []declaration
}

// callAll executes the calls of one message.
func (c *conn) callAll(calls []call, o *response) error {
	o.procedure = true
	for i, call := range calls {
		if c.cancelled() {
			break
		}
		status, outputs, err := c.call(call, o)
		refused := false
		if err != nil {
			refused = true
			if err := o.refuse(err); err != nil {
				return err
			}
		}
		o.endCall(refused, i == len(calls)-1, status, outputs)
	}
	if o.held == nil { // cancelled before the first
		o.endBatch()
	}
	return nil
}

func (c *conn) call(call call, o *response) (status int32, outputs []output, err error) {
	name := strings.TrimPrefix(strings.ToLower(call.procedure), "sys.")
	switch {
	case name == executeSQL:
		return c.executeSQL(call.args, o)
	case name == prepare:
		return c.prepare(call.args, false, o)
	case name == prepExec:
		return c.prepare(call.args, true, o)
	case name == execute:
		return c.executePrepared(call.args, o)
	case name == unprepare:
		return c.unprepare(call.args)
	case strings.HasPrefix(name, "sp_cursor"), name == "sp_prepexecrpc":
		return 0, nil, refuse(errNoProcedure, "Could not find stored procedure '%s'.", call.procedure)
	}
	return c.callSession(call, o)
}

func (c *conn) callSession(call call, o *response) (status int32, outputs []output, err error) {
	params := make([]Param, len(call.args))
	var ordinals []int
	for i, a := range call.args {
		params[i] = a.Param
		if a.Output {
			ordinals = append(ordinals, i)
		}
	}
	err = c.ruled(Request{RPC, call.procedure}, o, func() error {
		var values []any
		var err error
		status, values, err = c.session.Call(call.procedure, params, o)
		outputs = outputsOf(params, ordinals, values, o)
		return err
	})
	return status, outputs, err
}

// runStatement runs a parameterized batch. Its status is the number of the error that it ended with.
func (c *conn) runStatement(s statement, args []arg, o *response) (status int32, outputs []output, err error) {
	params, ordinals, err := bind(s.text, s.declarations, args)
	if err != nil {
		return 0, nil, err
	}
	err = c.ruled(Request{RPC, s.text}, o, func() error {
		values, err := c.session.Batch(s.text, params, o)
		outputs = outputsOf(params, ordinals, values, o)
		return err
	})
	return o.status, outputs, err
}

// outputsOf pairs the outputs among the parameters with their values, of which there are none where the batch failed. Large
// ones come last (MS-TDS 2.2.7.19).
func outputsOf(params []Param, ordinals []int, values []any, o *response) []output {
	if len(values) == 0 {
		return nil
	}
	if len(values) != len(ordinals) {
		o.fail(fmt.Errorf("%d outputs for %d parameters", len(values), len(ordinals)))
		return nil
	}
	var outputs []output
	for _, p := range params {
		if p.Output {
			n := len(outputs)
			outputs = append(outputs, output{ordinal: ordinals[n], name: p.Name, typ: p.Type, value: values[n]})
		}
	}
	slices.SortStableFunc(outputs, func(a, b output) int { return large(a) - large(b) })
	return outputs
}

func large(o output) int {
	if o.typ.size() == Max {
		return 1
	}
	return 0
}
