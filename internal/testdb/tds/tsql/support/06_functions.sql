-- Functions of T-SQL under their own names; those that a translation replaces (isnull, iif, count) are not here.
do $do$
declare
	t text;
begin
	foreach t in array array['nvarchar', 'varchar'] loop
		execute replace($f$
create function tsql.upper(s tsql.T) returns tsql.T language sql immutable strict as 'select upper(s::text)::tsql.T';
create function tsql.lower(s tsql.T) returns tsql.T language sql immutable strict as 'select lower(s::text)::tsql.T';
create function tsql.ltrim(s tsql.T) returns tsql.T language sql immutable strict as 'select ltrim(s::text)::tsql.T';
create function tsql.rtrim(s tsql.T) returns tsql.T language sql immutable strict as 'select rtrim(s::text)::tsql.T';
create function tsql.trim(s tsql.T) returns tsql.T language sql immutable strict as 'select btrim(s::text)::tsql.T';
create function tsql.reverse(s tsql.T) returns tsql.T language sql immutable strict as 'select reverse(s::text)::tsql.T';
create function tsql.left(s tsql.T, n int) returns tsql.T language sql immutable strict as
	'select left(s::text, n)::tsql.T';
create function tsql.right(s tsql.T, n int) returns tsql.T language sql immutable strict as
	'select case when n = 0 then '''' else right(s::text, n) end::tsql.T';
create function tsql.substring(s tsql.T, a int, n int) returns tsql.T language sql immutable strict as
	'select substr(s::text, a, n)::tsql.T';
create function tsql.replace(s tsql.T, a tsql.nvarchar, b tsql.nvarchar) returns tsql.T language sql immutable strict as
	'select replace(s::text, a::text, b::text)::tsql.T';
create function tsql.replicate(s tsql.T, n int) returns tsql.T language sql immutable strict as
	'select case when n >= 0 then repeat(s::text, n) end::tsql.T';
create function tsql.stuff(s tsql.T, a int, n int, b tsql.nvarchar) returns tsql.T language sql immutable as
	'select case when a between 1 and length(s::text) and n >= 0
		then left(s::text, a - 1) || coalesce(b::text, '''') || substr(s::text, a + n) end::tsql.T';
$f$, 'tsql.T', 'tsql.' || t);
	end loop;
end
$do$;
create function tsql.space(n int) returns tsql.varchar language sql immutable strict as $$select repeat(' ', n)::tsql.varchar$$;
create function tsql.char(n int) returns tsql.varchar language sql immutable strict as $$select chr(n)::tsql.varchar$$;
create function tsql.nchar(n int) returns tsql.nvarchar language sql immutable strict as $$select chr(n)::tsql.nvarchar$$;
create function tsql.ascii(s tsql.nvarchar) returns int language sql immutable strict as $$select ascii(s::text)$$;
create function tsql.unicode(s tsql.nvarchar) returns int language sql immutable strict as $$select ascii(s::text)$$;
create function tsql.quotename(s tsql.nvarchar) returns tsql.nvarchar language sql immutable strict as
	$$select ('[' || replace(s::text, ']', ']]') || ']')::tsql.nvarchar$$;
create function tsql.len(s tsql.nvarchar) returns int language sql immutable strict as $$select tsql.units(rtrim(s::text, ' '))$$;
create function tsql.charindex(a tsql.nvarchar, s tsql.nvarchar) returns int language sql immutable strict as
	$$select case when a::text = '' then 0 else strpos(s::text, a::text) end$$;
create function tsql.charindex(a tsql.nvarchar, s tsql.nvarchar, start int) returns int language sql immutable strict as
	$$select case when a::text = '' or n = 0 then 0 else n + greatest(start, 1) - 1 end
	from (select strpos(substr(s::text, greatest(start, 1)), a::text)) as f(n)$$;

create function tsql.datalength(s tsql.nvarchar) returns int language sql immutable strict as 'select 2 * tsql.units(s::text)';
create function tsql.datalength(s tsql.varchar) returns int language sql immutable strict as 'select octet_length(s::text)';
create function tsql.datalength(s tsql.char) returns int language sql immutable strict as 'select octet_length(s::text)';
create function tsql.datalength(s tsql.varbinary) returns int language sql immutable strict as 'select octet_length(s::bytea)';
create function tsql.datalength(s uuid) returns int language sql immutable strict as 'select 16';
create function tsql.datalength(s tsql.bit) returns int language sql immutable strict as 'select 1';
create function tsql.datalength(s tsql.tinyint) returns int language sql immutable strict as 'select 1';
create function tsql.datalength(s int2) returns int language sql immutable strict as 'select 2';
create function tsql.datalength(s int4) returns int language sql immutable strict as 'select 4';
create function tsql.datalength(s int8) returns int language sql immutable strict as 'select 8';
create function tsql.datalength(s float8) returns int language sql immutable strict as 'select 8';

-- LIKE: no escape character but the one that is given, sets in brackets, and trailing blanks of the pattern count.
create function tsql.is_like(s tsql.nvarchar, pattern tsql.nvarchar, escape tsql.nvarchar) returns bool language plpgsql immutable as $$
declare
	p text := pattern::text;
	e text := escape::text;
	r text := '^';
	c text;
	i int := 1;
	stop int;
begin
	if s is null or p is null then
		return null;
	end if;
	if strpos(p, '[') = 0 and e is null then
		return s::text like p escape '';
	end if;
	while i <= length(p) loop
		c := substr(p, i, 1);
		stop := case when c = '[' then strpos(substr(p, i + 2), ']') else 0 end;
		if c = e then
			i := i + 1;
			r := r || regexp_replace(substr(p, i, 1), '([^\w\s])', '\\\1');
		elsif c = '%' then
			r := r || '.*';
		elsif c = '_' then
			r := r || '.';
		elsif stop > 0 then
			r := r || '[' || replace(replace(substr(p, i + 1, stop), '\', '\\'), '[', '\[') || ']';
			i := i + stop + 1;
		else
			r := r || regexp_replace(c, '([^\w\s])', '\\\1');
		end if;
		i := i + 1;
	end loop;
	return s::text ~ (r || '$');
end $$;

create function tsql.round(n float8, digits int) returns float8 language sql immutable strict as 'select round(n::numeric, digits)::float8';
create function tsql.round(n int4, digits int) returns int4 language sql immutable strict as 'select round(n::numeric, digits)::int4';
create function tsql.floor(n int4) returns int4 language sql immutable strict as 'select n';
create function tsql.ceiling(n int4) returns int4 language sql immutable strict as 'select n';
create function tsql.newid() returns uuid language sql volatile as 'select gen_random_uuid()';
create function tsql.getdate() returns tsql.datetime language sql stable as 'select tsql.to_datetime(tsql.clock())';
create function tsql.sysdatetime() returns tsql.datetime2 language sql stable as 'select tsql.clock()::tsql.datetime2';
create function tsql.sysdatetimeoffset() returns tsql.datetimeoffset language sql stable as 'select tsql.instant(tsql.clock(), 0)';

create function tsql.add_ticks(part text, n int8, ticks int8) returns int8 language plpgsql immutable strict as $$
declare
	unit int8 := case part when 'microsecond' then 10 when 'millisecond' then 10000 when 'second' then 10000000
		when 'minute' then 600000000 when 'hour' then 36000000000 when 'day' then 864000000000 when 'week' then 6048000000000 end;
	months int8 := case part when 'month' then 1 when 'quarter' then 3 when 'year' then 12 end;
	sum numeric;
begin
	if part = 'nanosecond' then
		sum := ticks + n / 100;
	elsif unit is not null then
		sum := ticks::numeric + n * unit::numeric;
	elsif abs(months * n) < 120000 then
		sum := tsql.day_ticks((tsql.day_of(ticks) + make_interval(months => (months * n)::int))::date) + ticks % 864000000000;
	end if;
	if sum is null or sum not between 0 and 3155378975999999999 then
		perform tsql.fail(517, 'Adding a value to a date column caused an overflow.');
	end if;
	return sum;
end $$;
create function tsql.dateadd(part text, n int8, v date) returns date language sql immutable strict as
	'select tsql.day_of(tsql.add_ticks(part, n, tsql.day_ticks(v)))';
create function tsql.dateadd(part text, n int8, v tsql.time) returns tsql.time language sql immutable strict as
	$$select (tsql.add_ticks(part, n, v::int8 + tsql.day_ticks('2000-01-01')) % 864000000000)::tsql.time$$;
create function tsql.dateadd(part text, n int8, v tsql.datetime2) returns tsql.datetime2 language sql immutable strict as
	'select tsql.add_ticks(part, n, v::int8)::tsql.datetime2';
create function tsql.dateadd(part text, n int8, v tsql.datetime) returns tsql.datetime language sql immutable strict as
	'select tsql.to_datetime(tsql.add_ticks(part, n, v::int8))';
create function tsql.dateadd(part text, n int8, v tsql.smalldatetime) returns tsql.smalldatetime language sql immutable strict as
	'select tsql.to_smalldatetime(tsql.add_ticks(part, n, v::int8))';
create function tsql.dateadd(part text, n int8, v tsql.datetimeoffset) returns tsql.datetimeoffset language sql immutable strict as
	'select tsql.instant(tsql.add_ticks(part, n, tsql.local(v)) - tsql.offset_of(v) * 600000000::int8, tsql.offset_of(v))';
create function tsql.dateadd(part text, n int8, v tsql.nvarchar) returns tsql.datetime language sql immutable strict as
	'select tsql.dateadd(part, n, v::tsql.datetime)';

-- The number of boundaries between two instants; a week begins with Sunday, and 0001-01-01 was a Monday.
create function tsql.datediff(part text, a tsql.datetimeoffset, b tsql.datetimeoffset) returns int8 language sql immutable strict as $$
	select case part
	when 'year' then extract(year from tsql.day_of(y)) - extract(year from tsql.day_of(x))
	when 'quarter' then (extract(year from tsql.day_of(y)) - extract(year from tsql.day_of(x))) * 4
		+ extract(quarter from tsql.day_of(y)) - extract(quarter from tsql.day_of(x))
	when 'month' then (extract(year from tsql.day_of(y)) - extract(year from tsql.day_of(x))) * 12
		+ extract(month from tsql.day_of(y)) - extract(month from tsql.day_of(x))
	when 'week' then (y + 864000000000) / 6048000000000 - (x + 864000000000) / 6048000000000
	when 'nanosecond' then (y - x) * 100
	else y / u - x / u end::int8
	from (select tsql.utc(a), tsql.utc(b), case part when 'day' then 864000000000 when 'hour' then 36000000000
		when 'minute' then 600000000 when 'second' then 10000000 when 'millisecond' then 10000 when 'microsecond' then 10 end)
		as s(x, y, u)$$;

create function tsql.datepart(part text, v tsql.datetimeoffset) returns int language sql immutable strict as $$
	select case part
	when 'nanosecond' then (l % 10000000) * 100 when 'microsecond' then l % 10000000 / 10 when 'millisecond' then l % 10000000 / 10000
	when 'weekday' then extract(dow from tsql.day_of(l)) + 1
	when 'dayofyear' then extract(doy from tsql.day_of(l))
	when 'second' then l / 10000000 % 60
	else date_part(part, tsql.stamp(l)) end::int
	from (select tsql.local(v)) as s(l)$$;
create function tsql.year(v tsql.datetimeoffset) returns int language sql immutable strict as $$select tsql.datepart('year', v)$$;
create function tsql.month(v tsql.datetimeoffset) returns int language sql immutable strict as $$select tsql.datepart('month', v)$$;
create function tsql.day(v tsql.datetimeoffset) returns int language sql immutable strict as $$select tsql.datepart('day', v)$$;

create function tsql.minutes_of(s tsql.nvarchar) returns int language sql immutable strict as
	$$select (left(s::text, 1) || '1')::int * (substr(s::text, 2, 2)::int * 60 + substr(s::text, 5, 2)::int)$$;
create function tsql.switchoffset(v tsql.datetimeoffset, o tsql.nvarchar) returns tsql.datetimeoffset language sql immutable strict as
	'select tsql.instant(tsql.utc(v), tsql.minutes_of(o))';
create function tsql.todatetimeoffset(v tsql.datetime2, o tsql.nvarchar) returns tsql.datetimeoffset language sql immutable strict as
	'select tsql.instant(v::int8 - tsql.minutes_of(o) * 600000000::int8, tsql.minutes_of(o))';

-- CONVERT with a style ("CAST and CONVERT", date and time styles; binary styles).
create function tsql.styled(v tsql.datetimeoffset, style int) returns tsql.nvarchar language plpgsql immutable strict as $$
declare
	s timestamp := tsql.stamp(tsql.local(v));
	f text := case style when 101 then 'MM/DD/YYYY' when 103 then 'DD/MM/YYYY' when 104 then 'DD.MM.YYYY' when 112 then 'YYYYMMDD'
		when 108 then 'HH24:MI:SS' when 23 then 'YYYY-MM-DD' when 120 then 'YYYY-MM-DD HH24:MI:SS' when 121 then 'YYYY-MM-DD HH24:MI:SS.MS'
		when 126 then 'YYYY-MM-DD"T"HH24:MI:SS.US' when 127 then 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' end;
begin
	if f is null then
		perform tsql.fail(281, style || ' is not a valid style number when converting from datetime to a character string.');
	end if;
	return to_char(case style when 127 then tsql.stamp(tsql.utc(v)) else s end, f)::tsql.nvarchar;
end $$;
create function tsql.styled(v tsql.varbinary, style int) returns tsql.nvarchar language sql immutable strict as
	$$select (case style when 1 then '0x' else '' end || upper(encode(v::bytea, 'hex')))::tsql.nvarchar$$;
create function tsql.bytes_of(v tsql.nvarchar, style int) returns tsql.varbinary language sql immutable strict as
	$$select decode(case style when 1 then substr(v::text, 3) else v::text end, 'hex')::tsql.varbinary$$;
create function tsql.bytes_of(v tsql.varchar) returns tsql.varbinary language sql immutable strict as
	$$select convert_to(v::text, 'UTF8')::tsql.varbinary$$;
create cast (tsql.varchar as tsql.varbinary) with function tsql.bytes_of(tsql.varchar);
create function tsql.bytes_of(v int) returns tsql.varbinary language sql immutable strict as 'select int4send(v)::tsql.varbinary';
create cast (int as tsql.varbinary) with function tsql.bytes_of(int) as assignment;
create function tsql.bytes_of(v uuid) returns tsql.varbinary language sql immutable strict as $$select (
	substr(b, 4, 1) || substr(b, 3, 1) || substr(b, 2, 1) || substr(b, 1, 1) || substr(b, 6, 1) || substr(b, 5, 1) ||
	substr(b, 8, 1) || substr(b, 7, 1) || substr(b, 9))::tsql.varbinary from (select uuid_send(v)) as s(b)$$;
create cast (uuid as tsql.varbinary) with function tsql.bytes_of(uuid) as assignment;
create function tsql.text_from(v tsql.varbinary) returns tsql.varchar language sql immutable strict as
	$$select convert_from(v::bytea, 'UTF8')::tsql.varchar$$;
create cast (tsql.varbinary as tsql.varchar) with function tsql.text_from(tsql.varbinary);

-- The last identity value of the session ("SCOPE_IDENTITY"; there are no scopes here).
create function tsql.scope_identity() returns numeric language plpgsql volatile as $$
begin
	return lastval();
exception when object_not_in_prerequisite_state then
	return null;
end $$;

-- TRY_CAST and TRY_CONVERT: NULL where CAST is an error. The result is text that the type reads.
create function tsql.try_convert(v text, name text) returns text language plpgsql immutable strict as $$
declare
	r text;
begin
	execute format('select ($1::tsql.nvarchar)::%s::text', name) using v into r;
	return r;
exception when sqlstate 'TSQL0' or data_exception then
	return null;
end $$;
