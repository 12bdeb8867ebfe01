-- Errors with a number of SQL Server. They are immutable so that functions which may fail can be.
create function tsql.fail(number int, message text) returns void language plpgsql immutable as $$
begin
	raise exception using errcode = 'TSQL0', message = message, detail = number::text;
end $$;

-- Lengths. PostgreSQL's type modifier of a varchar(n) is n + 4 (varchartypmodin), so that of every type here is. (max) is the
-- largest that it takes.
create function tsql.units(s text) returns int language sql immutable strict as
	$$select case when octet_length(s) = length(s) then length(s)
	else length(s) + length(regexp_replace(s, '[^\U00010000-\U0010FFFF]', '', 'g')) end$$;

-- fit_text makes s fit n units (UTF-16) or bytes. Too long is cut where the conversion is asked for ("CAST and CONVERT"), and is
-- error 8152 otherwise, unless it is blanks that do not fit.
create function tsql.fit_text(s text, n int, wide bool, pad bool, explicit bool) returns text language plpgsql immutable as $$
declare
	size int := case when wide then tsql.units(s) else octet_length(s) end;
	cut text;
begin
	if n = 10485760 then
		return s;
	end if;
	if size > n then
		cut := left(s, n);
		while case when wide then tsql.units(cut) else octet_length(cut) end > n loop
			cut := left(cut, -1);
		end loop;
		if not explicit and rtrim(substr(s, length(cut) + 1), ' ') <> '' then
			perform tsql.fail(8152, 'String or binary data would be truncated.');
		end if;
		return cut;
	end if;
	return case when pad then s || repeat(' ', n - size) else s end;
end $$;

create function tsql.fit(v tsql.nvarchar, modifier int, explicit bool) returns tsql.nvarchar language sql immutable strict as
	$$select case when octet_length(v::text) <= modifier - 4 then v
	else tsql.fit_text(v::text, modifier - 4, true, false, explicit)::tsql.nvarchar end$$;
create function tsql.fit(v tsql.varchar, modifier int, explicit bool) returns tsql.varchar language sql immutable strict as
	$$select case when octet_length(v::text) <= modifier - 4 then v
	else tsql.fit_text(v::text, modifier - 4, false, false, explicit)::tsql.varchar end$$;
create function tsql.fit(v tsql.nchar, modifier int, explicit bool) returns tsql.nchar language sql immutable strict as
	$$select tsql.fit_text(v::text, modifier - 4, true, true, explicit)::tsql.nchar$$;
create function tsql.fit(v tsql.char, modifier int, explicit bool) returns tsql.char language sql immutable strict as
	$$select tsql.fit_text(v::text, modifier - 4, false, true, explicit)::tsql.char$$;

create function tsql.fit_bytes(b bytea, n int, pad bool, explicit bool) returns bytea language plpgsql immutable as $$
begin
	if n = 10485760 then
		return b;
	end if;
	if octet_length(b) > n then
		if not explicit then
			perform tsql.fail(8152, 'String or binary data would be truncated.');
		end if;
		return substr(b, 1, n);
	end if;
	return case when pad then b || decode(repeat('00', n - octet_length(b)), 'hex') else b end;
end $$;
create function tsql.fit(v tsql.varbinary, modifier int, explicit bool) returns tsql.varbinary language sql immutable strict as
	$$select tsql.fit_bytes(v::bytea, modifier - 4, false, explicit)::tsql.varbinary$$;
create cast (tsql.binary as bytea) without function;
create function tsql.fit(v tsql.binary, modifier int, explicit bool) returns tsql.binary language sql immutable strict as
	$$select tsql.fit_bytes(v::bytea, modifier - 4, true, explicit)::tsql.binary$$;

-- The modifier of a type with a scale is the scale + 5: varchartypmodin takes no zero.
create function tsql.round_ticks(t int8, modifier int) returns int8 language sql immutable strict as
	$$select (t + u / 2) / u * u from (select (10 ^ (12 - modifier))::int8) as s(u)$$;
create function tsql.fit(v tsql.datetime2, modifier int) returns tsql.datetime2 language sql immutable strict as
	$$select tsql.round_ticks(v::int8, modifier)::tsql.datetime2$$;
create function tsql.fit(v tsql.time, modifier int) returns tsql.time language sql immutable strict as
	$$select (tsql.round_ticks(v::int8, modifier) % 864000000000)::tsql.time$$;
create function tsql.fit(v tsql.datetimeoffset, modifier int) returns tsql.datetimeoffset language sql immutable strict as
	$$select (lpad(tsql.round_ticks(left(v::text, 19)::int8, modifier)::text, 19, '0') || substr(v::text, 20))::tsql.datetimeoffset$$;

do $do$
declare
	t text;
begin
	foreach t in array array['nvarchar', 'varchar', 'nchar', 'char', 'varbinary', 'binary'] loop
		execute format('create cast (tsql.%1$I as tsql.%1$I) with function tsql.fit(tsql.%1$I, int, bool) as implicit', t);
	end loop;
	foreach t in array array['datetime2', 'time', 'datetimeoffset'] loop
		execute format('create cast (tsql.%1$I as tsql.%1$I) with function tsql.fit(tsql.%1$I, int) as implicit', t);
	end loop;
end
$do$;
