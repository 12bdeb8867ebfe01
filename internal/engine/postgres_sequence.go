package engine

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// pgSequences lists sequences with the columns that own them (PostgreSQL manual, pg_sequence and pg_depend: 'a' for serial, 'i' for
// identity). The view pg_sequences would not do: it does not show where one begins that was set and has not been used.
const pgSequences = `
select case when n.nspname = current_schema() then '' else n.nspname end, coalesce(t.relname, ''), coalesce(a.attname, c.relname),
	quote_ident(n.nspname) || '.' || quote_ident(c.relname), s.seqincrement
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
	and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
left join pg_catalog.pg_class t on t.oid = d.refobjid
left join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where n.nspname <> 'dualsql' and c.relpersistence <> 't' and case c.relkind when 'S' then has_sequence_privilege(c.oid, 'select') end
order by n.nspname, c.relname`

func (s *pgSession) Sequences(ctx context.Context) ([]Sequence, error) {
	rows, err := s.pg.Query(ctx, pgSequences)
	if err != nil {
		return nil, err
	}
	var list []Sequence
	var q Sequence
	if _, err = pgx.ForEachRow(rows, []any{&q.Schema, &q.Table, &q.Column, &q.Name, &q.Step}, func() error {
		list = append(list, q)
		return nil
	}); err != nil || len(list) == 0 {
		return list, err
	}
	var all strings.Builder
	for i := range list {
		if i > 0 {
			all.WriteString(" union all ")
		}
		all.WriteString("select last_value, is_called from " + list[i].Name)
	}
	if rows, err = s.pg.Query(ctx, all.String()); err != nil {
		return nil, err
	}
	var used bool
	i := 0
	_, err = pgx.ForEachRow(rows, []any{&q.Next, &used}, func() error {
		if list[i].Next = q.Next; used {
			list[i].Next += list[i].Step
		}
		i++
		return nil
	})
	return list, err
}

func (s *pgSession) SetSequence(ctx context.Context, q Sequence) error {
	return s.Unguarded(ctx, func() error {
		_, err := s.pg.Exec(ctx, "select setval($1::text::regclass, $2, false)", q.Name, q.Next)
		return err
	})
}

var _ Sequenced = (*pgSession)(nil)
