-- Strings and everything else: conversions, and operators between a string and another type, for which the string gives way
-- ("Data type precedence").
create function tsql.digits(s tsql.nvarchar, low numeric, high numeric, name text) returns numeric language plpgsql immutable strict as $$
declare
	d text := btrim(s::text);
	n numeric;
begin
	if d = '' then
		return 0;
	end if;
	if d !~ '^[+-]?\d+$' then
		perform tsql.fail(case name when 'bigint' then 8114 else 245 end, case name
			when 'bigint' then 'Error converting data type nvarchar to bigint.'
			else 'Conversion failed when converting the nvarchar value ''' || s::text || ''' to data type ' || name || '.' end);
	end if;
	n := d::numeric;
	if n not between low and high then
		perform tsql.fail(case name when 'int' then 248 when 'bigint' then 8115 else 244 end, case name
			when 'int' then 'The conversion of the nvarchar value ''' || s::text || ''' overflowed an int column.'
			when 'bigint' then 'Arithmetic overflow error converting expression to data type bigint.'
			else 'The conversion of the nvarchar value ''' || s::text || ''' overflowed an ' ||
				case name when 'smallint' then 'INT2' else 'INT1' end || ' column. Use a larger integer column.' end);
	end if;
	return n;
end $$;
create function tsql.to_int(s tsql.nvarchar) returns int language sql immutable strict as
	$$select tsql.digits(s, -2147483648, 2147483647, 'int')::int$$;
create function tsql.to_smallint(s tsql.nvarchar) returns int2 language sql immutable strict as
	$$select tsql.digits(s, -32768, 32767, 'smallint')::int2$$;
create function tsql.to_tinyint(s tsql.nvarchar) returns tsql.tinyint language sql immutable strict as
	$$select tsql.digits(s, 0, 255, 'tinyint')::tsql.tinyint$$;
create function tsql.to_bigint(s tsql.nvarchar) returns int8 language sql immutable strict as
	$$select tsql.digits(s, -9223372036854775808, 9223372036854775807, 'bigint')::int8$$;

create function tsql.to_bit(s tsql.nvarchar) returns tsql.bit language plpgsql immutable strict as $$
declare
	d text := lower(btrim(s::text));
begin
	if d !~ '^(true|false|[+-]?\d*)$' then
		perform tsql.fail(245, 'Conversion failed when converting the nvarchar value ''' || s::text || ''' to data type bit.');
	end if;
	return case when d = 'true' then '1' when d in ('false', '') or d::numeric = 0 then '0' else '1' end::tsql.bit;
end $$;

create function tsql.to_numeric(s tsql.nvarchar) returns numeric language plpgsql immutable strict as $$
begin
	if btrim(s::text) !~ '^[+-]?(\d+\.?\d*|\.\d+)$' then
		perform tsql.fail(8114, 'Error converting data type nvarchar to numeric.');
	end if;
	return btrim(s::text)::numeric;
end $$;
create function tsql.to_money(s tsql.nvarchar) returns tsql.money language plpgsql immutable strict as $$
begin
	if btrim(s::text) !~ '^[+-]?[$]?(\d[\d,]*\.?\d*|\.\d+)?$' then
		perform tsql.fail(235, 'Cannot convert a char value to money. The char value has incorrect syntax.');
	end if;
	return tsql.to_money(coalesce(nullif(translate(btrim(s::text), '$,', ''), ''), '0')::numeric);
end $$;
create function tsql.to_float(s tsql.nvarchar) returns float8 language plpgsql immutable strict as $$
begin
	if btrim(s::text) = '' then
		return 0;
	end if;
	if btrim(s::text) !~* '^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$' then
		perform tsql.fail(8114, 'Error converting data type nvarchar to float.');
	end if;
	return btrim(s::text)::float8;
end $$;
create function tsql.to_real(s tsql.nvarchar) returns float4 language sql immutable strict as 'select tsql.to_float(s)::float4';

-- Longer than a uniqueidentifier is cut ("uniqueidentifier", remarks).
create function tsql.to_uniqueidentifier(s tsql.nvarchar) returns uuid language plpgsql immutable strict as $$
declare
	m text := substring(s::text from '^\{?([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})');
begin
	if m is null then
		perform tsql.fail(8169, 'Conversion failed when converting from a character string to uniqueidentifier.');
	end if;
	return m::uuid;
end $$;

create function tsql.text_of(v tsql.bit) returns text language sql immutable strict as 'select tsql.flag(v)::text';
create function tsql.text_of(v tsql.tinyint) returns text language sql immutable strict as 'select tsql.wide(v)::text';
create function tsql.text_of(v int2) returns text language sql immutable strict as 'select v::text';
create function tsql.text_of(v int4) returns text language sql immutable strict as 'select v::text';
create function tsql.text_of(v int8) returns text language sql immutable strict as 'select v::text';
create function tsql.text_of(v numeric) returns text language sql immutable strict as 'select v::text';
create function tsql.text_of(v float8) returns text language sql immutable strict as 'select v::text';
create function tsql.text_of(v float4) returns text language sql immutable strict as 'select v::text';
create function tsql.text_of(v tsql.money) returns text language sql immutable strict as 'select round(v::numeric, 2)::text';
create function tsql.text_of(v uuid) returns text language sql immutable strict as 'select upper(v::text)';

do $do$
declare
	t record;
	s text;
	o record;
begin
	for t in select * from (values
		('tsql.bit', 'to_bit'), ('tsql.tinyint', 'to_tinyint'), ('int2', 'to_smallint'), ('int4', 'to_int'), ('int8', 'to_bigint'),
		('numeric', 'to_numeric'), ('float8', 'to_float'), ('float4', 'to_real'), ('tsql.money', 'to_money'),
		('uuid', 'to_uniqueidentifier'), ('date', 'to_date'), ('tsql.time', 'to_time'), ('tsql.datetime2', 'to_datetime2'),
		('tsql.datetime', 'to_datetime'), ('tsql.smalldatetime', 'to_smalldatetime'),
		('tsql.datetimeoffset', 'to_datetimeoffset')) as t(name, parse)
	loop
		foreach s in array array['nvarchar', 'varchar', 'nchar', 'char'] loop
			execute format('create cast (tsql.%I as %s) with function tsql.%s(tsql.nvarchar) as assignment', s, t.name, t.parse);
			execute format('create function tsql.%I(v %s) returns tsql.%I language sql immutable strict as
				''select tsql.text_of(v)::tsql.%I''', s || '_of', t.name, s, s);
			execute format('create cast (%s as tsql.%I) with function tsql.%I(%s) as assignment', t.name, s, s || '_of', t.name);
		end loop;
		for o in select * from (values ('=', 'eq', '='), ('<>', 'ne', '<>'), ('<', 'lt', '>'), ('>', 'gt', '<'), ('<=', 'le', '>='),
			('>=', 'ge', '<=')) as o(sign, short, commutator)
		loop
			execute format('create function tsql.%I(%s, tsql.nvarchar) returns bool language sql immutable strict as
				''select $1 operator(%s.%s) tsql.%s($2)''', 'is_' || o.short, t.name,
				case when t.name like 'tsql.%' then 'tsql' else 'pg_catalog' end, o.sign, t.parse);
			execute format('create operator tsql.%s (function = tsql.%I, leftarg = %s, rightarg = tsql.nvarchar)',
				o.sign, 'is_' || o.short, t.name);
			execute format('create function tsql.%I(tsql.nvarchar, %s) returns bool language sql immutable strict as
				''select tsql.%s($1) operator(%s.%s) $2''', 'is_' || o.short, t.name, t.parse,
				case when t.name like 'tsql.%' then 'tsql' else 'pg_catalog' end, o.sign);
			execute format('create operator tsql.%s (function = tsql.%I, leftarg = tsql.nvarchar, rightarg = %s)',
				o.sign, 'is_' || o.short, t.name);
		end loop;
	end loop;
	for t in select * from (values ('tsql.tinyint', 'to_tinyint'), ('int2', 'to_smallint'), ('int4', 'to_int'), ('int8', 'to_bigint'),
		('numeric', 'to_numeric'), ('float8', 'to_float')) as t(name, parse)
	loop
		for o in select * from unnest(array['+', '-', '*', '/', '%']) as o(sign) loop
			continue when t.name = 'float8' and o.sign = '%';
			execute format('create function tsql.%I(%s, tsql.nvarchar) returns %s language sql immutable strict as
				''select $1 %s tsql.%s($2)''', 'string' || o.sign, t.name, t.name,
				case when t.name like 'tsql.%' then format('operator(tsql.%s)', o.sign) else o.sign end, t.parse);
			execute format('create operator tsql.%s (function = tsql.%I, leftarg = %s, rightarg = tsql.nvarchar)',
				o.sign, 'string' || o.sign, t.name);
			execute format('create function tsql.%I(tsql.nvarchar, %s) returns %s language sql immutable strict as
				''select tsql.%s($1) %s $2''', 'string' || o.sign, t.name, t.name, t.parse,
				case when t.name like 'tsql.%' then format('operator(tsql.%s)', o.sign) else o.sign end);
			execute format('create operator tsql.%s (function = tsql.%I, leftarg = tsql.nvarchar, rightarg = %s)',
				o.sign, 'string' || o.sign, t.name);
		end loop;
	end loop;
end
$do$;

create function tsql.joined(tsql.nvarchar, tsql.nvarchar) returns tsql.nvarchar language internal immutable strict as 'textcat';
create function tsql.joined(tsql.varchar, tsql.varchar) returns tsql.varchar language internal immutable strict as 'textcat';
create function tsql.joined(tsql.varbinary, tsql.varbinary) returns tsql.varbinary language internal immutable strict as 'byteacat';
create operator tsql.+ (function = tsql.joined, leftarg = tsql.nvarchar, rightarg = tsql.nvarchar);
create operator tsql.+ (function = tsql.joined, leftarg = tsql.varchar, rightarg = tsql.varchar);
create operator tsql.+ (function = tsql.joined, leftarg = tsql.varbinary, rightarg = tsql.varbinary);

create function tsql.days_after(tsql.datetime, float8) returns tsql.datetime language sql immutable strict as
	'select tsql.to_datetime(($1::int8 + $2 * 864000000000)::int8)';
create function tsql.days_before(tsql.datetime, float8) returns tsql.datetime language sql immutable strict as
	'select tsql.to_datetime(($1::int8 - $2 * 864000000000)::int8)';
create operator tsql.+ (function = tsql.days_after, leftarg = tsql.datetime, rightarg = float8);
create operator tsql.- (function = tsql.days_before, leftarg = tsql.datetime, rightarg = float8);
