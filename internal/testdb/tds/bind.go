package tds

import "strings"

// bind gives a parameterized batch's declarations the values of a call's arguments. An argument has its name, or stands in the
// declaration's place. ordinals are the places in the call of the arguments that are outputs.
func bind(text string, declarations []declaration, args []arg) (params []Param, ordinals []int, err error) {
	params = make([]Param, len(declarations))
	given := make([]*arg, len(declarations))
	for i := range args {
		at := i
		if args[i].Name != "" {
			if at = indexOf(declarations, args[i].Name); at < 0 {
				return nil, nil, refuse(errArgName, "%s is not a parameter for procedure %s.", args[i].Name, executeSQL)
			}
		}
		if at >= len(given) || given[at] != nil {
			return nil, nil, refuse(errTooManyArgs, "Procedure or function %s has too many arguments specified.", executeSQL)
		}
		given[at] = &args[i]
	}
	for i, d := range declarations {
		a := given[i]
		switch {
		case a == nil:
			return nil, nil, refuse(errMissingArg, "The parameterized query '%s' expects the parameter '%s', which was not supplied.",
				text, d.name)
		case a.Output && !d.output:
			return nil, nil, refuse(errNotOutput, "The formal parameter %q was not declared as an OUTPUT parameter, "+
				"but the actual parameter passed in requested output.", d.name)
		}
		value, err := convert(a.Value, a.Type, d.typ)
		if err != nil {
			return nil, nil, err
		}
		params[i] = Param{Name: d.name, Type: d.typ, Value: value, Output: a.Output}
		if a.Output {
			ordinals = append(ordinals, a.ordinal)
		}
	}
	return params, ordinals, nil
}

func indexOf(declarations []declaration, name string) int {
	for i, d := range declarations {
		if strings.EqualFold(d.name, name) {
			return i
		}
	}
	return -1
}

// convert makes a value of a declared type from one of the type in which the client sent it. Clients send what they declare, so
// only what keeps the value's representation is done.
func convert(v any, from, to Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch x := v.(type) {
	case int64:
		if isInt(to.Kind) {
			if !inRange(to.Kind, x) {
				return nil, refuse(errOverflow, "Arithmetic overflow error converting %v to data type %v.", from.Kind, to.Kind)
			}
			return x, nil
		}
	case float64:
		switch to.Kind {
		case Real:
			return float64(float32(x)), nil
		case Float:
			return x, nil
		}
	case []byte:
		if to.Kind == Binary || to.Kind == VarBinary {
			if to.Size != Max {
				x = x[:min(len(x), to.Size)]
			}
			return x, nil
		}
	case string:
		if s, ok := convertString(x, from, to); ok {
			return s, nil
		}
	default:
		if from.Kind == to.Kind {
			return v, nil
		}
	}
	return nil, refuse(errConversion, "Error converting data type %v to %v.", from.Kind, to.Kind)
}

func isInt(k Kind) bool { return k == TinyInt || k == SmallInt || k == Int || k == BigInt }

func isText(k Kind) bool { return k == Char || k == VarChar || k == NChar || k == NVarChar }

func convertString(s string, from, to Type) (string, bool) {
	switch {
	case !isText(from.Kind) || !isText(to.Kind):
		return s, from.Kind == to.Kind && from.Scale == to.Scale && from.Precision <= to.Precision
	case to.Kind.national() && to.Size != Max:
		return clipUTF16(s, to.Size), true
	case to.Kind.national():
		return s, true
	}
	b := append1252(nil, s)
	if to.Size != Max {
		b = b[:min(len(b), to.Size)]
	}
	return from1252(b), true
}
