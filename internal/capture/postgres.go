package capture

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
)

// postgres writes to a secondary that is PostgreSQL. inserts and updates return a row for each one that was sent if the table
// then has just these rows, and none if it has not: a trigger, a default or another type there would show.
//
// All rows are bound at once, one array for each column: so the text is the same for any number of rows, and what is checked at a
// statement's end, such as a foreign key within the rows, is checked as on the primary.
type postgres struct {
	columns                            int
	inserts, updates, removes, upserts string
}

func newPostgres(t *engine.Table, columns []*engine.Column) *postgres {
	var arrays, names, sent, sentText, all, allText, list, values, set, where []string
	for n, c := range columns {
		v, name := fmt.Sprintf("c%d", n+1), quote(c.Name)
		arrays = append(arrays, fmt.Sprintf("$%d::text[]", n+1))
		names = append(names, v)
		sent = append(sent, v+"::"+c.Type+" as "+v)
		sentText = append(sentText, v+"::text")
		all = append(all, name+"::text")
		allText = append(allText, "t."+name+"::text")
		if slices.Contains(t.Key, c.Name) {
			where = append(where, "t."+name+" = s."+v)
		} else if !c.Generated && c.Identity != "a" {
			set = append(set, name+" = s."+v)
		}
		if !c.Generated {
			list, values = append(list, name), append(values, v)
		}
	}
	target := quote(t.Schema) + "." + quote(t.Name)
	if strings.HasPrefix(t.Schema, "pg_temp_") {
		target = "pg_temp." + quote(t.Name)
	}
	if len(set) == 0 && len(where) > 0 {
		// Only the key is captured where nothing else is written; the row is touched all the same.
		set = append(set, where[0][len("t."):])
	}
	rows := fmt.Sprintf("unnest(%s) with ordinality s(%s, n)", join(arrays), join(names))
	given := fmt.Sprintf("with sent as (select n, %s from %s), ", join(sent), rows)
	with := given + "done as ("
	check := fmt.Sprintf(") select from sent where (select count(*) from done) = (select count(*) from sent)"+
		" and not exists (select * from done except all select %s from sent)", join(sentText))
	updated := check
	if len(columns) < len(t.Columns) {
		// A trigger that the secondary alone has could change what is not compared.
		updated += fmt.Sprintf(" and not exists (select from pg_catalog.pg_trigger where tgrelid = %s::regclass"+
			" and not tgisinternal and tgenabled in ('O', 'A') and tgtype & 19 = 19)", engine.Literal(target))
	}
	insert := fmt.Sprintf("insert into %s (%s) overriding system value select %s from sent", target, join(list), join(values))
	update := fmt.Sprintf("update %s t set %s from sent s where %s", target, join(set), strings.Join(where, " and "))
	inserted, changed := " returning "+join(all), " returning "+join(allText)
	// One statement, for what is checked at its end; and the updates first: a new row may have what they give up of a unique index.
	// The last parameter is the number of rows to update, which come first.
	upserts := given + "updated as (" + update + fmt.Sprintf(" and s.n <= $%d::bigint", len(columns)+1) + changed +
		"), inserted as (" + insert + fmt.Sprintf(" where n > $%d::bigint and (select count(*) from updated) >= 0 order by n", len(columns)+1) + inserted +
		"), done as (select * from updated union all select * from inserted" + check
	return &postgres{
		columns: len(columns),
		inserts: with + insert + " order by n" + inserted + check,
		updates: with + update + changed + updated,
		upserts: upserts,
		removes: with + fmt.Sprintf("delete from %s t using sent s where %s returning 1) select from done", target, strings.Join(where, " and ")),
	}
}

func (p *postgres) insert(rows [][]driver.Value) ([]Statement, error) {
	return p.bound(p.inserts, rows), nil
}
func (p *postgres) update(rows [][]driver.Value) ([]Statement, error) {
	return p.bound(p.updates, rows), nil
}
func (p *postgres) remove(rows [][]driver.Value) ([]Statement, error) {
	return p.bound(p.removes, rows), nil
}

func (p *postgres) upsert(inserted, changed [][]driver.Value) ([]Statement, error) {
	all := p.bound(p.upserts, slices.Concat(changed, inserted))
	all[0].Args = append(all[0].Args, driver.NamedValue{Ordinal: p.columns + 1, Value: int64(len(changed))})
	return all, nil
}

func join(list []string) string { return strings.Join(list, ", ") }

func (p *postgres) bound(text string, rows [][]driver.Value) []Statement {
	s := Statement{Text: text, Rows: int64(len(rows)), Query: true}
	for i := range p.columns {
		s.Args = append(s.Args, driver.NamedValue{Ordinal: i + 1, Value: array(rows, i)})
	}
	return []Statement{s}
}

var arrayEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

// array writes column i of the rows as PostgreSQL's array of text (manual, 8.15.6).
func array(rows [][]driver.Value, i int) string {
	var b strings.Builder
	b.WriteByte('{')
	for n, row := range rows {
		if n > 0 {
			b.WriteByte(',')
		}
		v, ok := row[i].(string)
		if !ok {
			b.WriteString("NULL")
			continue
		}
		b.WriteString(`"` + arrayEscapes.Replace(v) + `"`)
	}
	b.WriteByte('}')
	return b.String()
}
