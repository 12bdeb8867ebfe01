-- Application locks ("sp_getapplock", the table of compatible modes), on up to three advisory locks: the first is exclusive for
-- Exclusive alone, the second keeps IntentExclusive from Shared and Update, the third keeps Update from Update. Two
-- IntentExclusive exclude each other here.
create function tsql.applock_parts(mode text, out part int, out shared bool) returns setof record language sql immutable as $$
	select p, s from (values ('IntentShared', 1, true), ('Shared', 1, true), ('Shared', 2, true), ('Update', 1, true),
		('Update', 2, true), ('Update', 3, false), ('IntentExclusive', 1, true), ('IntentExclusive', 2, false),
		('Exclusive', 1, false)) as m(m, p, s) where m = mode order by p$$;
create function tsql.applock_key(resource text, part int) returns int8 language sql immutable as
	'select hashtextextended(resource, part)';

create function tsql.applock_undo(resource text, mode text, below int) returns bool language sql as $$
	select coalesce(bool_and(case when shared then pg_advisory_unlock_shared(tsql.applock_key(resource, part))
		else pg_advisory_unlock(tsql.applock_key(resource, part)) end), true)
	from tsql.applock_parts(mode) where part < below$$;

create function tsql.applock_try(resource text, mode text) returns bool language plpgsql as $$
declare
	p record;
begin
	for p in select * from tsql.applock_parts(mode) loop
		if not (case when p.shared then pg_try_advisory_lock_shared(tsql.applock_key(resource, p.part))
			else pg_try_advisory_lock(tsql.applock_key(resource, p.part)) end)
		then
			perform tsql.applock_undo(resource, mode, p.part);
			return false;
		end if;
	end loop;
	return true;
end $$;

-- Locks of a session are not undone with a transaction (PostgreSQL manual, "Advisory Locks"), so a wait that fails undoes them.
create function tsql.applock_wait(resource text, mode text) returns void language plpgsql as $$
declare
	p record;
begin
	for p in select * from tsql.applock_parts(mode) loop
		begin
			if p.shared then
				perform pg_advisory_lock_shared(tsql.applock_key(resource, p.part));
			else
				perform pg_advisory_lock(tsql.applock_key(resource, p.part));
			end if;
		exception when others or query_canceled then
			perform tsql.applock_undo(resource, mode, p.part);
			raise;
		end;
	end loop;
end $$;

create function tsql.applock_test(principal tsql.nvarchar, resource tsql.nvarchar, mode tsql.nvarchar, owner tsql.nvarchar)
returns int language plpgsql as $$
begin
	if not tsql.applock_try(resource::text, mode::text) then
		return 0;
	end if;
	perform tsql.applock_undo(resource::text, mode::text, 4);
	return 1;
end $$;

-- Key locks: who inserts a row locks the keys of its unique indexes until the end of the transaction, and a read with a locking
-- hint locks the key that its WHERE names, whether the row is there or not ("Transaction locking and row versioning guide",
-- key-range locking). A transaction locks no more than 1000, for PostgreSQL's lock table is small.
create function tsql.key_hash(t oid, key text) returns int8 language sql immutable as 'select hashtextextended(key, t::int8)';

create function tsql.take_key(t oid, key text) returns void language plpgsql as $$
declare
	n int := coalesce(nullif(current_setting('tsql.keys', true), ''), '0')::int;
begin
	if n < 1000 and key is not null then
		perform set_config('tsql.keys', (n + 1)::text, true);
		perform pg_advisory_xact_lock(tsql.key_hash(t, key));
	end if;
end $$;

create view tsql.unique_keys as
	select i.indrelid as t, i.indexrelid as index, i.indisprimary as is_primary,
		array_agg(a.attname::text order by k.n) as columns,
		array_agg(format_type(a.atttypid, a.atttypmod) order by k.n) as types
	from pg_index i
	cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attribute, n)
	join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attribute
	where i.indisunique and i.indpred is null and i.indexprs is null and k.n <= i.indnkeyatts
	group by i.indrelid, i.indexrelid, i.indisprimary;

-- watch makes a table's inserts lock their keys. It is called when a table's unique indexes have changed.
create function tsql.watch(t regclass) returns void language plpgsql as $$
declare
	name text := 'keys_' || t::oid;
	k record;
	body text := '';
begin
	for k in select * from tsql.unique_keys where unique_keys.t = watch.t order by index loop
		body := body || format(E'\tif tg_op = ''INSERT'' or (%s) is distinct from (%s) then\n\t\tperform tsql.take_key(%s, %s);\n\tend if;\n',
			(select string_agg(format('new.%I', c), ', ') from unnest(k.columns) as c),
			(select string_agg(format('old.%I', c), ', ') from unnest(k.columns) as c), t::oid,
			(select string_agg(format('rtrim(new.%I::text)', c), $s$ || e'\x1f' || $s$) from unnest(k.columns) as c));
	end loop;
	execute format('drop trigger if exists %I on %s', name, t);
	if body <> '' then
		execute format(E'create or replace function tsql.%I() returns trigger language plpgsql as %L', name,
			E'begin\n' || body || E'\treturn new;\nend');
		execute format('create trigger %I before insert or update on %s for each row execute function tsql.%I()', name, t, name);
	end if;
end $$;

create function tsql.key_text(v anyelement) returns text language sql immutable as 'select v::tsql.nvarchar::text';
create function tsql.key_text(v tsql.varbinary) returns text language sql immutable as 'select v::text';

-- key_lock locks the key of t that columns = keys names: held to the end of the transaction, or only until nobody else holds it. It
-- locks the table where they name none, if it is to be held.
create function tsql.key_lock(t regclass, columns text[], keys text[], sole bool, hold bool) returns void language plpgsql as $$
declare
	k record;
	c text;
	part text;
	key text;
	n int := 0;
begin
	select * into k from tsql.unique_keys as u where u.t = key_lock.t and u.columns <@ key_lock.columns order by is_primary desc, index;
	if not found then
		if hold and sole then
			execute format('lock table %s in share row exclusive mode', t);
		elsif hold then
			execute format('lock table %s in share mode', t);
		end if;
		return;
	end if;
	foreach c in array k.columns loop
		n := n + 1;
		execute format('select rtrim($1%s::%s::text)', case when k.types[n] like 'tsql.%binary%' then '' else '::tsql.nvarchar' end,
			k.types[n]) into part using keys[array_position(columns, c)];
		key := case when n = 1 then part else key || e'\x1f' || part end;
	end loop;
	if key is null then
		return;
	end if;
	if hold and sole then
		perform pg_advisory_xact_lock(tsql.key_hash(t, key));
	elsif hold then
		perform pg_advisory_xact_lock_shared(tsql.key_hash(t, key));
	else
		perform pg_advisory_lock_shared(tsql.key_hash(t, key));
		perform pg_advisory_unlock_shared(tsql.key_hash(t, key));
	end if;
end $$;
