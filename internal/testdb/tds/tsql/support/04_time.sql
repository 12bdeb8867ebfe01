-- Dates and times. Their unit is 100 ns, a "tick"; a day has 864000000000.
create function tsql.day_ticks(d date) returns int8 language sql immutable strict as
	$$select (d - date '0001-01-01')::int8 * 864000000000$$;
create function tsql.day_of(ticks int8) returns date language sql immutable strict as
	$$select date '0001-01-01' + (ticks / 864000000000)::int$$;
create function tsql.stamp(ticks int8) returns timestamp language sql immutable strict as
	$$select tsql.day_of(ticks) + time '00:00' + (ticks % 864000000000) / 10 * interval '1 microsecond'$$;
create function tsql.ticks_of(s timestamp) returns int8 language sql immutable strict as
	$$select tsql.day_ticks(s::date) + (extract(epoch from s - s::date::timestamp) * 10000000)::int8$$;

-- A datetimeoffset is an instant and an offset in minutes, o: 2o blanks, or -2o-1 for a negative one.
create function tsql.instant(utc int8, o int) returns tsql.datetimeoffset language plpgsql immutable strict as $$
begin
	if o not between -840 and 840 or utc + o * 600000000::int8 not between 0 and 3155378975999999999 or utc < 0 then
		perform tsql.fail(242, 'The conversion resulted in an out-of-range value.');
	end if;
	return (lpad(utc::text, 19, '0') || repeat(' ', case when o < 0 then -2 * o - 1 else 2 * o end))::tsql.datetimeoffset;
end $$;
create function tsql.utc(v tsql.datetimeoffset) returns int8 language sql immutable strict as 'select left(v::text, 19)::int8';
create function tsql.offset_of(v tsql.datetimeoffset) returns int language sql immutable strict as
	'select case when n % 2 = 0 then n / 2 else -(n + 1) / 2 end from (select octet_length(v::text) - 19) as s(n)';
create function tsql.local(v tsql.datetimeoffset) returns int8 language sql immutable strict as
	'select tsql.utc(v) + tsql.offset_of(v) * 600000000::int8';

create function tsql.in_range(ticks int8, low date, high date, name text) returns int8 language plpgsql immutable strict as $$
begin
	if ticks not between tsql.day_ticks(low) and tsql.day_ticks(high) + 863999999999 then
		perform tsql.fail(242, 'The conversion of a date to a ' || name || ' resulted in an out-of-range value.');
	end if;
	return ticks;
end $$;
-- datetime has 300 values a second ("datetime", rounding of fractional second precision).
create function tsql.to_datetime(ticks int8) returns tsql.datetime language sql immutable strict as
	$$select round(round(tsql.in_range(ticks, '1753-01-01', '9999-12-31', 'datetime')::numeric * 3 / 100000) * 100000 / 3)::int8::tsql.datetime$$;
create function tsql.to_smalldatetime(ticks int8) returns tsql.smalldatetime language sql immutable strict as
	$$select ((tsql.in_range(ticks, '1900-01-01', '2079-06-06', 'smalldatetime') + 300000000) / 600000000 * 600000000)::tsql.smalldatetime$$;

-- Conversions among them: upwards in "Data type precedence" unasked.
create function tsql.to_datetime2(d date) returns tsql.datetime2 language sql immutable strict as 'select tsql.day_ticks(d)::tsql.datetime2';
create function tsql.to_datetimeoffset(d date) returns tsql.datetimeoffset language sql immutable strict as 'select tsql.instant(tsql.day_ticks(d), 0)';
create function tsql.to_datetime(d date) returns tsql.datetime language sql immutable strict as 'select tsql.to_datetime(tsql.day_ticks(d))';
create function tsql.to_smalldatetime(d date) returns tsql.smalldatetime language sql immutable strict as 'select tsql.to_smalldatetime(tsql.day_ticks(d))';
create cast (date as tsql.datetime2) with function tsql.to_datetime2(date) as implicit;
create cast (date as tsql.datetimeoffset) with function tsql.to_datetimeoffset(date) as implicit;
create cast (date as tsql.datetime) with function tsql.to_datetime(date) as assignment;
create cast (date as tsql.smalldatetime) with function tsql.to_smalldatetime(date) as assignment;
create function tsql.to_datetime2(t tsql.time) returns tsql.datetime2 language sql immutable strict as
	$$select (tsql.day_ticks('1900-01-01') + t::int8)::tsql.datetime2$$;
create function tsql.to_datetime(t tsql.time) returns tsql.datetime language sql immutable strict as
	$$select tsql.to_datetime(tsql.day_ticks('1900-01-01') + t::int8)$$;
create function tsql.to_datetimeoffset(t tsql.time) returns tsql.datetimeoffset language sql immutable strict as
	$$select tsql.instant(tsql.day_ticks('1900-01-01') + t::int8, 0)$$;
create cast (tsql.time as tsql.datetime2) with function tsql.to_datetime2(tsql.time) as assignment;
create cast (tsql.time as tsql.datetime) with function tsql.to_datetime(tsql.time) as assignment;
create cast (tsql.time as tsql.datetimeoffset) with function tsql.to_datetimeoffset(tsql.time) as assignment;

do $do$
declare
	t record;
begin
	for t in select * from (values ('datetime2', 'v::int8'), ('datetime', 'v::int8'), ('smalldatetime', 'v::int8'),
		('datetimeoffset', 'tsql.local(v)')) as t(name, ticks)
	loop
		execute format('create function tsql.to_date(v tsql.%I) returns date language sql immutable strict as
			''select tsql.day_of(%s)''', t.name, t.ticks);
		execute format('create cast (tsql.%1$I as date) with function tsql.to_date(tsql.%1$I) as assignment', t.name);
		execute format('create function tsql.to_time(v tsql.%I) returns tsql.time language sql immutable strict as
			''select (%s %% 864000000000)::tsql.time''', t.name, t.ticks);
		execute format('create cast (tsql.%1$I as tsql.time) with function tsql.to_time(tsql.%1$I) as assignment', t.name);
		if t.name = 'datetimeoffset' then
			create function tsql.to_datetime2(v tsql.datetimeoffset) returns tsql.datetime2 language sql immutable strict as
				'select tsql.local(v)::tsql.datetime2';
			create cast (tsql.datetimeoffset as tsql.datetime2) with function tsql.to_datetime2(tsql.datetimeoffset) as assignment;
		else
			execute format('create function tsql.to_datetimeoffset(v tsql.%I) returns tsql.datetimeoffset language sql immutable
				strict as ''select tsql.instant(v::int8, 0)''', t.name);
			execute format('create cast (tsql.%1$I as tsql.datetimeoffset) with function tsql.to_datetimeoffset(tsql.%1$I)
				as implicit', t.name);
		end if;
		if t.name in ('datetime2', 'datetimeoffset') then
			execute format('create function tsql.to_datetime(v tsql.%I) returns tsql.datetime language sql immutable strict as
				''select tsql.to_datetime(%s)''', t.name, t.ticks);
			execute format('create cast (tsql.%1$I as tsql.datetime) with function tsql.to_datetime(tsql.%1$I) as assignment', t.name);
		end if;
		if t.name <> 'smalldatetime' then
			execute format('create function tsql.to_smalldatetime(v tsql.%I) returns tsql.smalldatetime language sql immutable
				strict as ''select tsql.to_smalldatetime(%s)''', t.name, t.ticks);
			execute format('create cast (tsql.%1$I as tsql.smalldatetime) with function tsql.to_smalldatetime(tsql.%1$I)
				as assignment', t.name);
		end if;
	end loop;
end
$do$;

-- The clock: that of the statement, and UTC, as the server's time zone here is.
create function tsql.clock() returns int8 language sql stable as $$select tsql.ticks_of(statement_timestamp() at time zone 'UTC')$$;

-- parse reads what the ISO 8601 and the unseparated formats allow ("Supported string literal formats for datetime2").
create function tsql.parse(s text, out ticks int8, out minutes int) language plpgsql immutable strict as $$
declare
	m text[] := regexp_match(s, '^\s*(?:(\d{4})(-?)(\d\d)\2(\d\d))?(?:[T ]?\s*(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(?:(Z)|([+-])(\d\d):(\d\d))?\s*$');
begin
	if m is null then
		perform tsql.fail(241, 'Conversion failed when converting date and/or time from character string.');
	end if;
	begin
		ticks := tsql.day_ticks(make_date(coalesce(m[1], '1900')::int, coalesce(m[3], '1')::int, coalesce(m[4], '1')::int));
		if m[5]::int > 23 or m[6]::int > 59 or m[7]::int > 59 then
			raise datetime_field_overflow;
		end if;
	exception when datetime_field_overflow then
		perform tsql.fail(241, 'Conversion failed when converting date and/or time from character string.');
	end;
	ticks := ticks + ((coalesce(m[5], '0')::int * 60 + coalesce(m[6], '0')::int) * 60 + coalesce(m[7], '0')::int)::int8 * 10000000
		+ round(('0.' || coalesce(m[8], '0'))::numeric * 10000000)::int8;
	minutes := case when m[9] is not null then 0
		when m[10] is not null then (m[10] || '1')::int * (m[11]::int * 60 + m[12]::int) end;
end $$;

create function tsql.text_of(v tsql.datetime2) returns text language sql immutable strict as
	$$select to_char(tsql.stamp(v::int8), 'YYYY-MM-DD HH24:MI:SS') || '.' || lpad((v::int8 % 10000000)::text, 7, '0')$$;
create function tsql.text_of(v tsql.time) returns text language sql immutable strict as
	$$select to_char(tsql.stamp(v::int8), 'HH24:MI:SS') || '.' || lpad((v::int8 % 10000000)::text, 7, '0')$$;
create function tsql.offset_text(o int) returns text language sql immutable strict as
	$$select case when o < 0 then '-' else '+' end || lpad((abs(o) / 60)::text, 2, '0') || ':' || lpad((abs(o) % 60)::text, 2, '0')$$;
create function tsql.text_of(v tsql.datetimeoffset) returns text language sql immutable strict as
	$$select tsql.text_of(tsql.local(v)::tsql.datetime2) || ' ' || tsql.offset_text(tsql.offset_of(v))$$;
create function tsql.text_of(v date) returns text language sql immutable strict as $$select to_char(v, 'YYYY-MM-DD')$$;
-- Style 0 of CONVERT.
create function tsql.text_of(v tsql.datetime) returns text language sql immutable strict as
	$$select to_char(s, 'Mon ') || lpad(to_char(s, 'FMDD'), 2) || to_char(s, ' YYYY ') || lpad(to_char(s, 'FMHH12:MIAM'), 7)
	from (select tsql.stamp(v::int8)) as s(s)$$;
create function tsql.text_of(v tsql.smalldatetime) returns text language sql immutable strict as
	$$select tsql.text_of(v::tsql.datetime)$$;

create function tsql.to_date(s tsql.nvarchar) returns date language sql immutable strict as
	'select tsql.day_of((tsql.parse(s::text)).ticks)';
create function tsql.to_time(s tsql.nvarchar) returns tsql.time language sql immutable strict as
	'select ((tsql.parse(s::text)).ticks % 864000000000)::tsql.time';
create function tsql.to_datetime2(s tsql.nvarchar) returns tsql.datetime2 language sql immutable strict as
	'select (tsql.parse(s::text)).ticks::tsql.datetime2';
create function tsql.to_datetime(s tsql.nvarchar) returns tsql.datetime language sql immutable strict as
	'select tsql.to_datetime((tsql.parse(s::text)).ticks)';
create function tsql.to_smalldatetime(s tsql.nvarchar) returns tsql.smalldatetime language sql immutable strict as
	'select tsql.to_smalldatetime((tsql.parse(s::text)).ticks)';
create function tsql.to_datetimeoffset(s tsql.nvarchar) returns tsql.datetimeoffset language sql immutable strict as
	'select tsql.instant(p.ticks - coalesce(p.minutes, 0) * 600000000::int8, coalesce(p.minutes, 0)) from tsql.parse(s::text) as p';
