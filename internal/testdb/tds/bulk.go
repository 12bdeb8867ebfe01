package tds

import (
	"regexp"
	"strings"
)

// bulk is a bulk load's message (MS-TDS 2.2.6.1): it is as a server's answer to a SELECT would be.
type bulk struct {
	columns []Column
	rows    [][]any
}

func (r *reader) bulkLoad() bulk {
	var b bulk
	var types []wireType
	if token := r.u8(); token != tokenColMetadata {
		r.fail(refuse(errStream, "The bulk load begins with token 0x%02X in place of its columns.", token))
	}
	for range r.u16() {
		r.u32() // the user type
		nullable := r.u16()&nullableFlag != 0
		t := r.readType()
		if t.null {
			r.fail(refuse(errDataType, "A column of a bulk load has no type."))
		}
		types = append(types, t)
		b.columns = append(b.columns, Column{Name: r.bVarChar(), Type: t.Type, Nullable: nullable})
		if r.err != nil {
			return bulk{}
		}
	}
	for r.err == nil {
		switch token := r.u8(); token {
		case tokenRow:
			row := make([]any, len(types))
			for i, t := range types {
				row[i] = r.readValue(t)
			}
			b.rows = append(b.rows, row)
		case tokenDone:
			r.bytes(doneSize)
			return b
		default:
			r.fail(refuse(errStream, "Token 0x%02X in a bulk load is unknown.", token))
		}
	}
	return bulk{}
}

var insertBulk = regexp.MustCompile(`(?is)^\s*insert\s+bulk\s+((?:\[(?:[^\]]|\]\])*\]|[^\s(\[])+)`)

// bulkTable returns the table of an INSERT BULK, "" for other statements.
func bulkTable(batch string) string {
	if m := insertBulk.FindStringSubmatch(batch); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}
