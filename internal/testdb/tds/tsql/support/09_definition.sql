-- What changes of the schema have to know: constraints by the views that tell them, and what depends on a column.
create function tsql.default_name(d oid, t name, c name) returns text language sql immutable as
	$$select 'DF__' || left(t::text, 9) || '__' || left(c::text, 9) || '__' || upper(lpad(to_hex(d::int8), 8, '0'))$$;
create view sys.default_constraints as
	select tsql.default_name(d.oid, t.relname, a.attname)::tsql.nvarchar(128) as name, d.oid::int8::int as object_id, t.relnamespace::int8::int as schema_id,
		d.adrelid::int8::int as parent_object_id, d.adnum::int as parent_column_id
	from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum join pg_class t on t.oid = d.adrelid
	join pg_namespace n on n.oid = t.relnamespace
	where a.attgenerated = '' and not tsql.is_system(n.nspname);
create view sys.check_constraints as
	select k.conname::text::tsql.nvarchar(128) as name, k.oid::int8::int as object_id, k.connamespace::int8::int as schema_id,
		k.conrelid::int8::int as parent_object_id, 0 as parent_column_id
	from pg_constraint k join pg_namespace n on n.oid = k.connamespace
	where k.contype = 'c' and k.conrelid <> 0 and not tsql.is_system(n.nspname);
create view sys.foreign_keys as
	select k.conname::text::tsql.nvarchar(128) as name, k.oid::int8::int as object_id, k.connamespace::int8::int as schema_id,
		k.conrelid::int8::int as parent_object_id, k.confrelid::int8::int as referenced_object_id
	from pg_constraint k join pg_namespace n on n.oid = k.connamespace
	where k.contype = 'f' and not tsql.is_system(n.nspname);
create view sys.foreign_key_columns as
	select k.oid::int8::int as constraint_object_id, u.n::int as constraint_column_id, k.conrelid::int8::int as parent_object_id,
		u.a::int as parent_column_id, k.confrelid::int8::int as referenced_object_id, k.confkey[u.n]::int as referenced_column_id
	from pg_constraint k cross join lateral unnest(k.conkey) with ordinality as u(a, n)
	where k.contype = 'f';
create view sys.sql_expression_dependencies as
	select k.oid::int8::int as referencing_id, k.conrelid::int8::int as referenced_id, u.a::int as referenced_minor_id
	from pg_constraint k cross join lateral unnest(k.conkey) as u(a)
	where k.contype = 'c' and k.conrelid <> 0;

-- dependents are the objects that keep a column from being dropped or altered, with what they are.
create function tsql.dependents(t regclass, c text) returns table(kind text, name text) language sql stable as $$
	select 'default', tsql.default_name(d.oid, r.relname, a.attname) from pg_attrdef d, pg_attribute a, pg_class r
	where d.adrelid = t and d.adnum = a.attnum and a.attrelid = t and a.attname = c and r.oid = t
	union all
	select case when k.contype in ('p', 'f') then 'key' else 'constraint' end, k.conname::text from pg_constraint k, pg_attribute a
	where a.attrelid = t and a.attname = c and (k.conrelid = t and a.attnum = any (k.conkey) or k.confrelid = t and a.attnum = any (k.confkey))
	union all
	select 'index', tsql.index_name(i.relname, r.relname) from pg_index x, pg_class i, pg_class r, pg_attribute a
	where x.indrelid = t and i.oid = x.indexrelid and r.oid = t and a.attrelid = t and a.attname = c
	and a.attnum = any (x.indkey::int2[]) and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u'))
	union all
	select 'key', tsql.index_name(i.relname, r.relname) from pg_index x, pg_class i, pg_class r
	where x.indrelid = t and i.oid = x.indexrelid and r.oid = t and pg_get_expr(x.indpred, x.indrelid) ~ ('\y' || c || '\y')$$;

-- refuse_drop: "ALTER TABLE", DROP COLUMN: a column cannot be dropped while anything depends on it.
create function tsql.refuse_drop(t regclass, c text) returns void language plpgsql as $$
declare
	d record;
begin
	for d in select * from tsql.dependents(t, c) limit 1 loop
		perform tsql.fail(5074, format('The object ''%s'' is dependent on column ''%s''.', d.name, c));
	end loop;
end $$;

-- refuse_alter: "ALTER TABLE", ALTER COLUMN, what the modified column cannot be. size is the modifier of a type with a length.
create function tsql.refuse_alter(t regclass, c text, to_type regtype, size int) returns void language plpgsql as $$
declare
	a pg_attribute;
	d record;
	same bool;
	lengthy bool;
begin
	select * into a from pg_attribute where attrelid = t and attname = c and not attisdropped;
	same := a.atttypid = to_type;
	lengthy := to_type in ('tsql.nvarchar'::regtype, 'tsql.varchar'::regtype, 'tsql.varbinary'::regtype);
	for d in select * from tsql.dependents(t, c) loop
		if d.kind = 'key' or d.kind = 'constraint' and not (same and lengthy)
			or d.kind = 'index' and not (same and lengthy and size >= a.atttypmod) or d.kind = 'default' and not same then
			perform tsql.fail(5074, format('The object ''%s'' is dependent on column ''%s''.', d.name, c));
		end if;
	end loop;
end $$;

-- refuse_key: an index takes no column of a type with (max) as a key ("CREATE INDEX", index key columns).
create function tsql.refuse_key(t regclass, columns text[]) returns void language plpgsql as $$
declare
	c text;
begin
	for c in select attname from pg_attribute where attrelid = t and attname = any (columns) and atttypmod = 10485764 loop
		perform tsql.fail(1919, format('Column ''%s'' in table ''%s'' is of a type that is invalid for use as a key column in an index.', c, t));
	end loop;
end $$;

-- check_references: both columns of a foreign key have one type, and strings one length ("CREATE TABLE", FOREIGN KEY constraints).
-- The cascades of all tables reach none in two ways or in a circle, and no two objects of a schema have one name.
create function tsql.check_references(t regclass) returns void language plpgsql as $$
declare
	k record;
begin
	for k in select c.conname from pg_constraint c join pg_constraint d on d.conname = c.conname and d.connamespace = c.connamespace and d.oid <> c.oid
		where c.conrelid = t and c.contype in ('p', 'u', 'c', 'f') loop
		perform tsql.fail(2714, format('There is already an object named ''%s'' in the database.', k.conname));
	end loop;
	for k in with recursive edge as (
			select conname, confrelid as above, conrelid as below from pg_constraint
			where contype = 'f' and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))
		), way as (
			select above as root, below as node, array[above] as passed, false as circle from edge
			union all
			select w.root, e.below, w.passed || e.above, e.below = any (w.passed || e.above) from way w join edge e on e.above = w.node where not w.circle
		)
		select (select min(conname) from edge where below = t) as conname from way
		where exists (select from edge where below = t) group by root, node having count(*) > 1 or bool_or(circle) or root = node loop
		perform tsql.fail(1785, format('Introducing FOREIGN KEY constraint ''%s'' on table ''%s'' may cause cycles or multiple cascade paths.', k.conname, t));
	end loop;
	for k in select c.conname, a.attname as here, b.attname as there, a.atttypid <> b.atttypid as types
		from pg_constraint c cross join lateral unnest(c.conkey, c.confkey) as u(x, y)
		join pg_attribute a on a.attrelid = c.conrelid and a.attnum = u.x join pg_attribute b on b.attrelid = c.confrelid and b.attnum = u.y
		where c.conrelid = t and c.contype = 'f' and (a.atttypid <> b.atttypid or a.atttypmod <> b.atttypmod) loop
		perform tsql.fail(case when k.types then 1778 else 1753 end, format('Column ''%s'' is not the same data type, length or scale as referencing column ''%s'' in foreign key ''%s''.',
			k.there, k.here, k.conname));
	end loop;
end $$;

-- rename is sp_rename ("sp_rename"). An index has its table's name in front (see the translation of CREATE INDEX).
create function tsql.rename(written text, new text, kind text) returns void language plpgsql as $$
declare
	p text[] := tsql.split(written);
	n int := cardinality(p);
	s text;
	t regclass;
	i record;
begin
	if kind in ('COLUMN', 'INDEX') then
		s := coalesce(nullif(p[n - 2], ''), 'dbo');
		t := to_regclass(format('%I.%I', s, p[n - 1]));
	else
		s := coalesce(nullif(p[n - 1], ''), 'dbo');
	end if;
	if kind in ('COLUMN', 'INDEX') and t is null then
		perform tsql.fail(15248, format('Either the parameter @objname is ambiguous or the claimed @objtype (%s) is wrong.', kind));
	elsif kind = 'COLUMN' then
		if exists (select from tsql.dependents(t, p[n]) d join pg_constraint k on k.conname = d.name and k.conrelid = t and k.contype = 'c')
			or exists (select from pg_index x where x.indrelid = t and pg_get_expr(x.indpred, t) ~ ('\y' || p[n] || '\y')) then
			perform tsql.fail(15336, format('Object ''%s'' cannot be renamed because the object participates in enforced dependencies.', written));
		end if;
		execute format('alter table %s rename column %I to %I', t, p[n], new);
	elsif kind = 'INDEX' then
		select c.relname, exists (select from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u')) as made into i
			from pg_index x join pg_class c on c.oid = x.indexrelid join pg_class r on r.oid = t
			where x.indrelid = t and tsql.index_name(c.relname, r.relname) = p[n];
		if i is null then
			perform tsql.fail(15248, 'Either the parameter @objname is ambiguous or the claimed @objtype (INDEX) is wrong.');
		end if;
		execute format('alter index %I.%I rename to %I', s, i.relname, case when i.made then new else (select relname from pg_class where oid = t) || '.' || new end);
	elsif to_regclass(format('%I.%I', s, p[n])) is not null and (select relkind from pg_class where oid = to_regclass(format('%I.%I', s, p[n]))) in ('r', 'p') then
		t := to_regclass(format('%I.%I', s, p[n]));
		for i in select c.relname, tsql.index_name(c.relname, p[n]::name) as plain from pg_index x join pg_class c on c.oid = x.indexrelid where x.indrelid = t loop
			if i.relname::text <> i.plain then
				execute format('alter index %I.%I rename to %I', s, i.relname, new || '.' || i.plain);
			end if;
		end loop;
		execute format('alter table %s rename to %I', t, new);
	else
		select k.conrelid::regclass as t into i from pg_constraint k where k.conname = p[n] and k.connamespace = s::regnamespace and k.conrelid <> 0;
		if i is null then
			perform tsql.fail(15225, format('No item by the name of ''%s'' could be found in the current database.', written));
		end if;
		execute format('alter table %s rename constraint %I to %I', i.t, p[n], new);
	end if;
end $$;
