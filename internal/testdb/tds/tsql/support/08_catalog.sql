-- What the server knows of its database, and catalog views ("System catalog views"), with the columns that are asked for most.
create schema dbo;
create schema sys;
create schema "INFORMATION_SCHEMA";

create table tsql.setting (name text primary key, value text not null);
insert into tsql.setting values ('service_broker_guid', gen_random_uuid()), ('delayed_durability', 'DISABLED');
create table tsql.module (schema_name text, name text, definition text not null, primary key (schema_name, name));

create function tsql.database() returns tsql.nvarchar language sql stable as
	$$select current_setting('tsql.database', true)::tsql.nvarchar(128)$$;
create function tsql.db_name() returns tsql.nvarchar language sql stable as 'select tsql.database()';
create function tsql.db_id() returns int2 language sql immutable as 'select 5::int2';
create function tsql.db_id(name tsql.nvarchar) returns int2 language sql stable as
	$$select case when name = tsql.database() then 5 when name::text = 'master' then 1 end::int2$$;
create function tsql.db_name(id int) returns tsql.nvarchar language sql stable as
	$$select case id when 5 then tsql.database() when 1 then 'master'::tsql.nvarchar end$$;
create function tsql.is_system(name text) returns bool language sql immutable as
	$$select name in ('tsql', 'sys', 'INFORMATION_SCHEMA', 'information_schema', 'public') or name like 'pg\_%'$$;
create function tsql.schema_id(name tsql.nvarchar default 'dbo') returns int language sql stable as
	$$select oid::int8::int from pg_namespace where nspname = name::text and (name::text = 'sys' or not tsql.is_system(nspname))$$;
create function tsql.schema_name(id int default null) returns tsql.nvarchar language sql stable as
	$$select case when id is null then 'dbo' else (select nspname::text from pg_namespace where oid::int8::int = id) end::tsql.nvarchar$$;

-- split takes a name of up to four parts apart, with brackets or quotes or without.
create function tsql.split(name text) returns text[] language sql immutable strict as $$
	select array_agg(coalesce(replace(m[1], ']]', ']'), replace(m[2], '""', '"'), m[3], '') order by n)
	from regexp_matches(name, '(?:^|\.)(?:\[((?:[^]]|\]\])*)\]|"((?:[^"]|"")*)"|([^].[]*))', 'g') with ordinality as r(m, n)$$;

create function tsql.object_type(kind pg_catalog."char", persistence pg_catalog."char") returns text language sql immutable as
	$$select case kind when 'r' then 'U' when 'p' then 'U' when 'v' then 'V' when 'S' then 'SO' end$$;
create view sys.objects as
	select c.relname::text::tsql.nvarchar(128) as name, c.oid::int8::int as object_id, n.oid::int8::int as schema_id,
		null::int as parent_object_id, tsql.object_type(c.relkind, c.relpersistence)::tsql.char(2) as type,
		case c.relkind when 'v' then 'VIEW' else 'USER_TABLE' end::tsql.nvarchar(60) as type_desc, '0'::tsql.bit as is_ms_shipped,
		n.nspname::text as "~schema"
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relkind in ('r', 'p', 'v') and (not tsql.is_system(n.nspname) or c.relnamespace = pg_my_temp_schema())
	union all
	select k.conname::text::tsql.nvarchar(128), k.oid::int8::int, k.connamespace::int8::int, k.conrelid::int8::int,
		case k.contype when 'p' then 'PK' when 'u' then 'UQ' when 'c' then 'C' else 'F' end::tsql.char(2),
		case k.contype when 'p' then 'PRIMARY_KEY_CONSTRAINT' when 'u' then 'UNIQUE_CONSTRAINT' when 'c' then 'CHECK_CONSTRAINT'
			else 'FOREIGN_KEY_CONSTRAINT' end::tsql.nvarchar(60), '0'::tsql.bit, n.nspname::text
	from pg_constraint k join pg_namespace n on n.oid = k.connamespace
	where k.contype in ('p', 'u', 'c', 'f') and k.conrelid <> 0 and not tsql.is_system(n.nspname)
	union all
	select m.name::tsql.nvarchar(128), hashtext(m.schema_name || '.' || m.name), n.oid::int8::int, null, 'P'::tsql.char(2),
		'SQL_STORED_PROCEDURE'::tsql.nvarchar(60), '0'::tsql.bit, m.schema_name
	from tsql.module m join pg_namespace n on n.nspname = m.schema_name;

create function tsql.object_id(name tsql.nvarchar, kind tsql.nvarchar default null) returns int language sql stable as $$
	select o.object_id from (select tsql.split(name::text)) as s(p) join sys.objects o on o.name::text = p[cardinality(p)]
	where o."~schema" = coalesce(nullif(p[cardinality(p) - 1], ''),
		case when o.name::text like '#%' then o."~schema" else 'dbo' end)
	and (kind is null or kind = o.type) limit 1$$;
create function tsql.object_name(id int) returns tsql.nvarchar language sql stable as
	'select name from sys.objects where object_id = id';

create view sys.schemas as
	select nspname::text::tsql.nvarchar(128) as name, oid::int8::int as schema_id, 1 as principal_id
	from pg_namespace where not tsql.is_system(nspname);
create view sys.tables as
	select o.name, o.object_id, o.schema_id, o.type, o.type_desc, o.is_ms_shipped from sys.objects o where o.type = 'U'::tsql.char;

create function tsql.type_name_of(t oid) returns text language sql stable as $$
	select case t when 'int4'::regtype then 'int' when 'int2'::regtype then 'smallint' when 'int8'::regtype then 'bigint'
		when 'float4'::regtype then 'real' when 'float8'::regtype then 'float' when 'numeric'::regtype then 'decimal'
		when 'uuid'::regtype then 'uniqueidentifier' when 'date'::regtype then 'date'
		else (select typname::text from pg_type where oid = t and typnamespace = 'tsql'::regnamespace) end$$;
create table tsql.known_type (name text primary key, id int not null, max_length int not null, precision int not null, scale int not null);
insert into tsql.known_type values ('bit', 104, 1, 1, 0), ('tinyint', 48, 1, 3, 0), ('smallint', 52, 2, 5, 0), ('int', 56, 4, 10, 0),
	('bigint', 127, 8, 19, 0), ('real', 59, 4, 24, 0), ('float', 62, 8, 53, 0), ('decimal', 106, 17, 38, 38), ('money', 60, 8, 19, 4),
	('char', 175, 8000, 0, 0), ('varchar', 167, 8000, 0, 0), ('nchar', 239, 8000, 0, 0), ('nvarchar', 231, 8000, 0, 0),
	('binary', 173, 8000, 0, 0), ('varbinary', 165, 8000, 0, 0), ('uniqueidentifier', 36, 16, 0, 0), ('date', 40, 3, 10, 0),
	('time', 41, 5, 16, 7), ('smalldatetime', 58, 4, 16, 0), ('datetime', 61, 8, 23, 3), ('datetime2', 42, 8, 27, 7),
	('datetimeoffset', 43, 10, 34, 7);
create view sys.types as
	select name::tsql.nvarchar(128) as name, id::int2 as system_type_id, id as user_type_id, max_length::int2 as max_length,
		precision::int2 as precision, scale::int2 as scale, '0'::tsql.bit as is_user_defined
	from tsql.known_type;

create view sys.columns as
	select a.attrelid::int8::int as object_id, a.attname::text::tsql.nvarchar(128) as name, a.attnum::int as column_id,
		k.id::int2 as system_type_id, k.id as user_type_id,
		case when k.name in ('char', 'varchar', 'nchar', 'nvarchar', 'binary', 'varbinary') then
			case when a.atttypmod < 0 or a.atttypmod = 10485764 then -1
			else (a.atttypmod - 4) * case when k.name in ('nchar', 'nvarchar') then 2 else 1 end end
		else k.max_length end::int2 as max_length,
		case k.name when 'decimal' then ((a.atttypmod - 4) >> 16) & 65535 else k.precision end::int2 as precision,
		case when k.name = 'decimal' then (a.atttypmod - 4) & 2047
			when k.name in ('time', 'datetime2', 'datetimeoffset') and a.atttypmod > 0 then a.atttypmod - 5 else k.scale end::int2 as scale,
		case when k.name in ('char', 'varchar', 'nchar', 'nvarchar') then 'Latin1_General_100_BIN2_UTF8' end::tsql.nvarchar(128) as collation_name,
		(not a.attnotnull)::tsql.bit as is_nullable, (a.attidentity <> '')::tsql.bit as is_identity,
		(a.attgenerated <> '')::tsql.bit as is_computed
	from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
	join tsql.known_type k on k.name = tsql.type_name_of(a.atttypid)
	where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v')
	and (not tsql.is_system(n.nspname) or c.relnamespace = pg_my_temp_schema());
create view sys.identity_columns as
	select c.object_id, c.name, c.column_id, s.seqstart::int8 as seed_value, s.seqincrement::int8 as increment_value,
		pg_sequence_last_value(s.seqrelid) as last_value
	from sys.columns c
	join pg_depend d on d.refobjid::int8::int = c.object_id and d.refobjsubid = c.column_id and d.deptype = 'i'
	join pg_sequence s on s.seqrelid = d.objid
	where c.is_identity::bool;

-- An index has its table's name in front, for in PostgreSQL it shares the names of a schema (see the translation of CREATE INDEX).
create function tsql.index_name(i name, t name) returns text language sql immutable as
	$$select case when left(i::text, length(t::text) + 1) = t::text || '.' then substr(i::text, length(t::text) + 2) else i::text end$$;
-- The condition of one is its comment, as it is written.
create view sys.indexes as
	select i.indrelid::int8::int as object_id, tsql.index_name(c.relname, t.relname)::tsql.nvarchar(128) as name,
		(row_number() over (partition by i.indrelid order by i.indisprimary desc, i.indexrelid))::int as index_id, 2::int2 as type,
		'NONCLUSTERED'::tsql.nvarchar(60) as type_desc, i.indisunique::tsql.bit as is_unique,
		i.indisprimary::tsql.bit as is_primary_key,
		(not i.indisprimary and exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype = 'u'))::tsql.bit
			as is_unique_constraint, (i.indpred is not null)::tsql.bit as has_filter,
		('(' || obj_description(i.indexrelid) || ')')::tsql.nvarchar as filter_definition, i.indexrelid as "~oid"
	from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
	join pg_namespace n on n.oid = t.relnamespace
	where not tsql.is_system(n.nspname) or t.relnamespace = pg_my_temp_schema();
create view sys.index_columns as
	select i.object_id, i.index_id, k.n::int as index_column_id, k.a::int as column_id,
		case when k.n <= x.indnkeyatts then k.n else 0 end::int2 as key_ordinal, (k.n <= x.indnkeyatts and (x.indoption::int2[])[k.n - 1] & 1 = 1)::tsql.bit as is_descending_key,
		(k.n > x.indnkeyatts)::tsql.bit as is_included_column
	from sys.indexes i join pg_index x on x.indexrelid = i."~oid"
	cross join lateral unnest(x.indkey::int2[]) with ordinality as k(a, n);

create view sys.dm_exec_sessions as
	select substr(application_name, 6)::int2 as session_id, 5::int2 as database_id, '1'::tsql.bit as is_user_process
	from pg_stat_activity where datname = current_database() and application_name like 'tsql %';

create view sys.databases as
	select d.name, d.id as database_id, '1'::tsql.bit as is_read_committed_snapshot_on,
		'1'::tsql.tinyint as snapshot_isolation_state, 'ON'::tsql.nvarchar(60) as snapshot_isolation_state_desc,
		(select value::uuid from tsql.setting where setting.name = 'service_broker_guid') as service_broker_guid,
		(case s.value when 'DISABLED' then '0' when 'ALLOWED' then '1' else '2' end)::int as delayed_durability,
		s.value::tsql.nvarchar(60) as delayed_durability_desc, tsql.to_datetime(date '2020-01-01') as create_date,
		'Latin1_General_100_BIN2_UTF8'::tsql.nvarchar(128) as collation_name, 'FULL'::tsql.nvarchar(60) as recovery_model_desc,
		'ONLINE'::tsql.nvarchar(60) as state_desc, '0'::tsql.bit as is_read_only, '160'::tsql.tinyint as compatibility_level
	from (values (tsql.database(), 5)) as d(name, id)
	join tsql.setting s on s.name = 'delayed_durability';

create view "INFORMATION_SCHEMA"."TABLES" as
	select tsql.database() as "TABLE_CATALOG", o."~schema"::tsql.nvarchar(128) as "TABLE_SCHEMA", o.name as "TABLE_NAME",
		case o.type::text when 'U ' then 'BASE TABLE' else 'VIEW' end::tsql.varchar(10) as "TABLE_TYPE"
	from sys.objects o where o.type::text in ('U ', 'V ');
create view "INFORMATION_SCHEMA"."COLUMNS" as
	select tsql.database() as "TABLE_CATALOG", o."~schema"::tsql.nvarchar(128) as "TABLE_SCHEMA", o.name as "TABLE_NAME",
		c.name as "COLUMN_NAME", c.column_id as "ORDINAL_POSITION",
		case when c.is_nullable::bool then 'YES' else 'NO' end::tsql.varchar(3) as "IS_NULLABLE", t.name as "DATA_TYPE",
		case when t.name::text in ('nchar', 'nvarchar') and c.max_length > 0 then c.max_length / 2
			when t.name::text in ('char', 'varchar', 'nchar', 'nvarchar', 'binary', 'varbinary') then c.max_length end::int
			as "CHARACTER_MAXIMUM_LENGTH",
		case when t.name::text in ('tinyint', 'smallint', 'int', 'bigint', 'decimal', 'money', 'real', 'float') then c.precision end
			::tsql.tinyint as "NUMERIC_PRECISION",
		case when t.name::text in ('tinyint', 'smallint', 'int', 'bigint', 'decimal', 'money') then c.scale end::int as "NUMERIC_SCALE",
		case when t.name::text in ('time', 'datetime2', 'datetimeoffset') then c.scale end::int2 as "DATETIME_PRECISION"
	from sys.objects o join sys.columns c on c.object_id = o.object_id join sys.types t on t.system_type_id = c.system_type_id;

create function tsql.serverproperty(name tsql.nvarchar) returns tsql.nvarchar language sql stable as $$
	select case lower(name::text) when 'productversion' then '16.0.4085.2' when 'productmajorversion' then '16'
		when 'engineedition' then '3' when 'servername' then 'DUALSQL-TEST' when 'machinename' then 'DUALSQL-TEST'
		when 'edition' then 'Developer Edition (64-bit)' when 'ishadrenabled' then '0' when 'productlevel' then 'RTM'
		when 'collation' then 'Latin1_General_100_BIN2_UTF8' end::tsql.nvarchar(128)$$;
create function tsql.databasepropertyex(db tsql.nvarchar, name tsql.nvarchar) returns tsql.nvarchar language sql stable as $$
	select case when db = tsql.database() then case lower(name::text) when 'collation' then 'Latin1_General_100_BIN2_UTF8'
		when 'status' then 'ONLINE' when 'recovery' then 'FULL' when 'updateability' then 'READ_WRITE' when 'version' then '957'
		end end::tsql.nvarchar(128)$$;

create function tsql.identity_column(t regclass) returns text language sql stable as
	$$select attname::text from pg_attribute where attrelid = t and attidentity <> '' and not attisdropped$$;
create function tsql.identity_sequence(t regclass) returns text language sql stable as
	$$select pg_get_serial_sequence(t::text, tsql.identity_column(t))$$;

-- What the next row gets where the table has had none, and else what the next row goes on from ("DBCC CHECKIDENT").
create function tsql.reseed(t regclass, value int8) returns void language plpgsql as $$
declare
	sequence text := tsql.identity_sequence(t);
begin
	perform setval(sequence, value, pg_sequence_last_value(sequence) is not null);
end $$;

-- The last value of a table's identity column; its seed, or what it was set to, where it has had none ("IDENT_CURRENT").
create function tsql.ident_current(name tsql.nvarchar) returns numeric language plpgsql stable as $$
declare
	t regclass := tsql.object_id(name)::oid::regclass;
	sequence text := tsql.identity_sequence(t);
	last int8;
begin
	execute 'select last_value from ' || sequence into last;
	return last;
end $$;

-- A value that is given for an identity column moves the column on ("SET IDENTITY_INSERT").
create function tsql.raise_identity(t regclass) returns void language plpgsql as $$
declare
	name text := tsql.identity_column(t);
	sequence text := tsql.identity_sequence(t);
	highest int8;
begin
	execute format('select max(%I) from %s', name, t) into highest;
	if highest is not null and highest >= coalesce(pg_sequence_last_value(sequence), highest) then
		perform setval(sequence, highest);
	end if;
end $$;
