package capture

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
)

// postgresTexts are for a secondary that is PostgreSQL. insert and update return a row for each one that was sent if the table
// then has just these rows, and none if it has not: a trigger, a default or another type there would show.
func postgresTexts(t *engine.Table, columns []int) texts {
	var arrays, names, sent, sentText, all, allText, list, values, set, where []string
	for n, i := range columns {
		c := &t.Columns[i]
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
	with := fmt.Sprintf("with sent as (select n, %s from %s), done as (", join(sent), rows)
	check := fmt.Sprintf(") select from sent where (select count(*) from done) = (select count(*) from sent)"+
		" and not exists (select * from done except all select %s from sent)", join(sentText))
	updated := check
	if len(columns) < len(t.Columns) {
		// A trigger that the secondary alone has could change what is not compared.
		updated += fmt.Sprintf(" and not exists (select from pg_catalog.pg_trigger where tgrelid = %s::regclass"+
			" and not tgisinternal and tgenabled in ('O', 'A') and tgtype & 19 = 19)", literal(target))
	}
	return texts{
		insert: with + fmt.Sprintf("insert into %s (%s) overriding system value select %s from sent order by n returning %s", target, join(list), join(values), join(all)) + check,
		update: with + fmt.Sprintf("update %s t set %s from sent s where %s returning %s", target, join(set), strings.Join(where, " and "), join(allText)) + updated,
		remove: with + fmt.Sprintf("delete from %s t using sent s where %s returning 1) select from done", target, strings.Join(where, " and ")),
	}
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func join(list []string) string { return strings.Join(list, ", ") }
