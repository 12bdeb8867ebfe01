package ddl

import "strings"

// comparison writes what both vendors say in the same words. values writes the operands.
func comparison(e *expr, types map[string]typ, values func([]*expr) []string) string {
	if e.op == between || e.op == notBetween || e.op == compare && e.text != "=" && e.text != "<>" {
		ordered(types, e.args...)
	}
	v := values(e.args)
	switch e.op {
	case compare:
		return v[0] + " " + e.text + " " + v[1]
	case isNull:
		return v[0] + " is null"
	case isNotNull:
		return v[0] + " is not null"
	case in:
		return v[0] + " in (" + strings.Join(v[1:], ", ") + ")"
	case notIn:
		return v[0] + " not in (" + strings.Join(v[1:], ", ") + ")"
	case between:
		return v[0] + " between " + v[1] + " and " + v[2]
	default:
		return v[0] + " not between " + v[1] + " and " + v[2]
	}
}

// ordered refuses strings whose order is that of a collation: the two sides have different ones.
func ordered(types map[string]typ, args ...*expr) {
	dated := false
	for _, a := range args {
		t, known := types[a.text]
		if a.op == columnRef && known && t.stringy() {
			refuse(a.at, "the order of strings: it depends on each side's collation")
		}
		dated = dated || a.op == columnRef && known && !t.stringy()
	}
	for _, a := range args {
		if a.op == stringLiteral && !dated && !isoTime.MatchString(a.text) {
			refuse(a.at, "the order of strings: it depends on each side's collation")
		}
	}
}

// foreignKey writes a foreign key. list writes names, and table is the one that is referred to.
func (k *constraint) foreignKey(table string, list func([]string) string) string {
	text := "foreign key (" + list(k.columns) + ") references " + table
	if len(k.referred) > 0 {
		text += " (" + list(k.referred) + ")"
	}
	if k.onDelete != "" {
		text += " on delete " + k.onDelete
	}
	if k.onUpdate != "" {
		text += " on update " + k.onUpdate
	}
	return text
}

// refuseComputed refuses a new column whose default each side would compute for the rows that are there.
func (a *addColumn) refuseComputed() {
	if a.value != nil && a.value.op >= now {
		refuse(a.value.at, "a default that each side computes for the rows that are there; add the column without it, fill it by UPDATE, and give it its default then")
	}
}
