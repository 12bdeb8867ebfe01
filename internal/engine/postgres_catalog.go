package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// pgTypes finds the base types that a type is made of, through domains, arrays, composite types and ranges.
const pgTypes = `with recursive made(oid) as (
		select a.atttypid
		union
		select part.oid from made m join pg_catalog.pg_type ty on ty.oid = m.oid, lateral (
			select ty.typbasetype as oid where ty.typbasetype <> 0
			union all select ty.typelem where ty.typelem <> 0 and ty.typcategory = 'A'
			union all select f.atttypid from pg_catalog.pg_attribute f where f.attrelid = ty.typrelid and f.attnum > 0 and not f.attisdropped
			union all select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = ty.oid or to_jsonb(r) ->> 'rngmultitypid' = ty.oid::text
		) part)`

// pgStamp is the stamp of the table that k is in pg_class: it changes when the table's columns, their domains, its rules, its triggers
// or their functions do. Its parts are subqueries that look up rows by index: plans for any table
// are the same, so that a prepared statement is planned once. Of the types below 12000, which are built in (transam.h,
// FirstUnpinnedObjectId), none is a domain; columns below 1 are the system's.
const pgStamp = `concat_ws(' ', k.oid, k.relnatts, k.relhasrules, k.relhassubclass, k.relrowsecurity,
	(select sum(f.xmin::text::int8 + case when f.atttypid < 12000 then 0 else
			coalesce((select d.xmin::text::int8 from pg_catalog.pg_type d where d.oid = f.atttypid and d.typtype = 'd'), 0) end)
		from pg_catalog.pg_attribute f where f.attrelid = k.oid and f.attnum > 0),
	case when k.relhastriggers or k.relkind = 'p' then (
		select sum(g.xmin::text::int8 + (select p.xmin::text::int8 from pg_catalog.pg_proc p where p.oid = g.tgfoid)) from pg_catalog.pg_trigger g
		where g.tgrelid = any(case k.relkind when 'p' then array(select relid::oid from pg_catalog.pg_partition_tree(k.oid)) else array[k.oid] end)) end)`

// pgTable reads the catalog (manual, chapter 53) at one moment. A key is usable if it is unique at any moment and has no
// NULLs, so that it names one row.
const pgTable = `select json_build_object(
	'oid', c.oid::int8, 'kind', c.relkind, 'schema', n.nspname, 'name', c.relname, 'rules', c.relhasrules, 'rowsecurity', c.relrowsecurity,
	'inherits', c.relhassubclass and c.relkind = 'r'
		or not c.relispartition and exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid),
	'foreign', exists (select from pg_catalog.pg_partition_tree(c.oid) p join pg_catalog.pg_class f on f.oid = p.relid where f.relkind not in ('r', 'p')),
	'columns', coalesce((select json_agg(json_build_object(
			'name', a.attname, 'identity', a.attidentity, 'generated', a.attgenerated <> '',
			'bounded', a.atttypmod <> -1,
			'type', case t.typnamespace when 'pg_catalog'::regnamespace then pg_catalog.format_type(a.atttypid, -1)
				else quote_ident(tn.nspname) || '.' || quote_ident(t.typname) end,
			'default', case when a.attgenerated = '' then coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), t.typdefault) end,
			'padded', a.atttypmod = -1 and t.typtypmod = -1 and (a.atttypid = 'bpchar'::regtype or t.typbasetype = 'bpchar'::regtype),
			'made', (` + pgTypes + ` select json_agg(distinct ty.typname) from made m join pg_catalog.pg_type ty on ty.oid = m.oid),
			'owncast', (` + pgTypes + ` select exists (select from made m join pg_catalog.pg_cast x
				on (x.castsource, x.casttarget) in ((m.oid, 'text'::regtype), ('text'::regtype, m.oid)) where x.oid >= 16384 and x.castmethod = 'f'))
		) order by a.attnum)
		from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
		join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
		left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]'),
	'key', coalesce((select json_agg(a.attname order by k.n)
		from (select i.indrelid, i.indkey::int2[] as cols, i.indnkeyatts from pg_catalog.pg_index i
			where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null
			and not exists (select from unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) x(attnum)
				join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = x.attnum where not a.attnotnull)
			order by i.indisprimary desc, i.indnkeyatts, i.indexrelid limit 1) i,
		lateral unnest(i.cols[0:i.indnkeyatts - 1]) with ordinality k(attnum, n)
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum), '[]'),
	'triggers', coalesce((select json_agg(json_build_object('name', g.tgname, 'before', g.tgtype & 2 <> 0, 'row', g.tgtype & 1 <> 0,
			'insert', g.tgtype & 4 <> 0, 'delete', g.tgtype & 8 <> 0, 'update', g.tgtype & 16 <> 0,
			'builtin', p.pronamespace = 'pg_catalog'::regnamespace, 'language', l.lanname, 'source', p.prosrc) order by g.tgname)
		from pg_catalog.pg_trigger g join pg_catalog.pg_proc p on p.oid = g.tgfoid join pg_catalog.pg_language l on l.oid = p.prolang
		where not g.tgisinternal and g.tgenabled <> 'D'
		and (g.tgrelid = c.oid or g.tgrelid in (select relid from pg_catalog.pg_partition_tree(c.oid)))), '[]'),
	'cascades', coalesce((with recursive along(oid, sets) as (
			select k.conrelid, k.confdeltype = 'd' or k.confupdtype = 'd' from pg_catalog.pg_constraint k
			where k.confrelid = c.oid and k.contype = 'f' and (k.confdeltype in ('c', 'n', 'd') or k.confupdtype in ('c', 'n', 'd'))
			union
			select k.conrelid, k.confdeltype = 'd' or k.confupdtype = 'd' from along join pg_catalog.pg_constraint k on k.confrelid = along.oid
			where k.contype = 'f' and (k.confdeltype in ('c', 'n', 'd') or k.confupdtype in ('c', 'n', 'd')))
		select min(along.oid::regclass::text) from along
		where along.sets or exists (select from pg_catalog.pg_trigger g where g.tgrelid = along.oid and not g.tgisinternal and g.tgenabled <> 'D')), ''),
	'datestyle', current_setting('datestyle'), 'intervals', current_setting('intervalstyle'),
	'floats', current_setting('extra_float_digits')::int, 'arraynulls', current_setting('array_nulls')::bool, 
	'stamp', (select ` + pgStamp + ` from pg_catalog.pg_class k where k.oid = c.oid))
	from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1::text)`

// Table implements Cataloged.
func (s *pgSession) Table(ctx context.Context, schema, name string) (*Table, error) {
	ident := pgx.Identifier{name}
	if schema != "" {
		ident = pgx.Identifier{schema, name}
	}
	var raw string
	err := s.pg.QueryRow(ctx, "select x::text from ("+pgTable+") t(x)", ident.Sanitize()).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t := &Table{}
	return t, json.Unmarshal([]byte(raw), t)
}

// Functions implements Cataloged.
func (s *pgSession) Functions(ctx context.Context, calls []sqltext.Function) ([]Function, error) {
	names, schemas := make([]string, len(calls)), make([]string, len(calls))
	for i, c := range calls {
		names[i], schemas[i] = c.Name, c.Schema
	}
	rows, err := s.pg.Query(ctx, `select distinct n.nspname::text, p.proname::text, p.provolatile::text, p.prokind::text, l.lanname::text,
			(select sum(q.xmin::text::int8) from pg_catalog.pg_proc q where q.proname = p.proname)::int8
		from unnest($1::text[], $2::text[]) c(name, schema) join pg_catalog.pg_proc p on p.proname = c.name
		join pg_catalog.pg_namespace n on n.oid = p.pronamespace and c.schema in ('', n.nspname)
		join pg_catalog.pg_language l on l.oid = p.prolang`, names, schemas)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Function])
}

// Unprepared returns the server's own error of a text that could not be prepared: what running it would have returned.
func Unprepared(err error) error {
	var pe *pgconn.PrepareError
	if errors.As(err, &pe) {
		return pe.Unwrap()
	}
	return err
}

// Outdated reports whether err may come from a text that was made for a table which has changed since (PostgreSQL manual,
// appendix A: class 42; 0A000 is what a cached plan says).
func Outdated(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (strings.HasPrefix(pe.Code, "42") || pe.Code == "0A000")
}

// WritesBeyond reports whether a function may change more than the row that it is called for: a volatile one of a user's, one
// that writes large objects, one that changes the session. The functions of extensions that only make values do not.
func WritesBeyond(f Function) bool {
	if f.Volatility != "v" {
		return false
	}
	if f.Schema == "pg_catalog" {
		return slices.Contains(pgLargeObjects, f.Name) || slices.Contains(pgSessionState, f.Name)
	}
	return f.Language != "c" || !slices.Contains(pgMakers, f.Name)
}

// pgMakers are volatile functions of uuid-ossp and pgcrypto.
var pgMakers = []string{"uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "gen_random_uuid", "gen_random_bytes", "gen_salt",
	"pgp_sym_encrypt", "pgp_sym_encrypt_bytea", "pgp_pub_encrypt", "pgp_pub_encrypt_bytea"}

var _ Cataloged = (*pgSession)(nil)
