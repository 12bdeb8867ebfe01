-- Numbers: bit, tinyint and money among PostgreSQL's ("Data type conversion").
create cast (tsql.tinyint as int2) without function as assignment;
create function tsql.wide(tsql.tinyint) returns int language internal immutable strict as 'i2toi4';
create cast (tsql.tinyint as int4) with function tsql.wide(tsql.tinyint) as implicit;

create function tsql.small(n numeric) returns tsql.tinyint language plpgsql immutable strict as $$
begin
	if trunc(n) not between 0 and 255 then
		perform tsql.fail(220, 'Arithmetic overflow error for data type tinyint, value = ' || n || '.');
	end if;
	return trunc(n)::text::tsql.tinyint;
end $$;

create function tsql.to_money(n numeric) returns tsql.money language plpgsql immutable strict as $$
begin
	if round(n, 4) not between -922337203685477.5808 and 922337203685477.5807 then
		perform tsql.fail(8115, 'Arithmetic overflow error converting expression to data type money.');
	end if;
	return round(n, 4)::text::tsql.money;
end $$;
create cast (numeric as tsql.money) with function tsql.to_money(numeric) as assignment;

create function tsql.flag(tsql.bit) returns int language internal immutable strict as 'bool_int4';
create cast (tsql.bit as int4) with function tsql.flag(tsql.bit) as implicit;

-- whole is what a number is before it becomes an integer type: cut, not rounded, but for money.
create function tsql.whole(n numeric) returns numeric language sql immutable strict as 'select trunc(n)';
create function tsql.whole(n float8) returns float8 language sql immutable strict as 'select trunc(n)';
create function tsql.whole(n float4) returns float8 language sql immutable strict as 'select trunc(n::float8)';
create function tsql.whole(n tsql.money) returns numeric language sql immutable strict as 'select round(n::numeric)';
create function tsql.whole(n int2) returns int2 language sql immutable strict as 'select n';
create function tsql.whole(n int4) returns int4 language sql immutable strict as 'select n';
create function tsql.whole(n int8) returns int8 language sql immutable strict as 'select n';
create function tsql.whole(n tsql.bit) returns int4 language sql immutable strict as 'select n::int4';
create function tsql.whole(n tsql.tinyint) returns int4 language sql immutable strict as 'select n::int4';
create function tsql.whole(n tsql.nvarchar) returns tsql.nvarchar language sql immutable strict as 'select n';

do $do$
declare
	t text;
	o text;
begin
	foreach t in array array['int2', 'int4', 'int8', 'float4', 'float8', 'numeric'] loop
		execute format('create function tsql.to_bit(n %s) returns tsql.bit language sql immutable strict as
			''select (n <> 0)::tsql.bit''', t);
		execute format('create cast (%1$s as tsql.bit) with function tsql.to_bit(%1$s) as assignment', t);
		execute format('create function tsql.to_tinyint(n %s) returns tsql.tinyint language sql immutable strict as
			''select tsql.small(n::numeric)''', t);
		execute format('create cast (%1$s as tsql.tinyint) with function tsql.to_tinyint(%1$s) as assignment', t);
		if t <> 'numeric' then
			execute format('create function tsql.to_money(n %s) returns tsql.money language sql immutable strict as
				''select tsql.to_money(n::numeric)''', t);
			execute format('create cast (%1$s as tsql.money) with function tsql.to_money(%1$s) as assignment', t);
		end if;
		if t <> 'int4' then
			execute format('create function tsql.as_%1$s(n tsql.bit) returns %1$s language sql immutable strict as
				''select tsql.flag(n)::%1$s''', t);
			execute format('create cast (tsql.bit as %1$s) with function tsql.as_%1$s(tsql.bit) as assignment', t);
		end if;
		if t not in ('int4', 'int2') then
			execute format('create function tsql.as_%1$s(n tsql.tinyint) returns %1$s language sql immutable strict as
				''select tsql.wide(n)::%1$s''', t);
			execute format('create cast (tsql.tinyint as %1$s) with function tsql.as_%1$s(tsql.tinyint) as %2$s', t,
				case when t in ('float8', 'numeric') then 'implicit' else 'assignment' end);
		end if;
		if t <> 'numeric' then
			execute format('create function tsql.as_%1$s(n tsql.money) returns %1$s language sql immutable strict as
				''select (n::numeric)::%1$s''', t);
			execute format('create cast (tsql.money as %1$s) with function tsql.as_%1$s(tsql.money) as assignment', t);
		end if;
	end loop;
	create function tsql.to_bit(n tsql.tinyint) returns tsql.bit language sql immutable strict as
		'select (tsql.wide(n) <> 0)::tsql.bit';
	create cast (tsql.tinyint as tsql.bit) with function tsql.to_bit(tsql.tinyint) as assignment;
	create function tsql.to_bit(n tsql.money) returns tsql.bit language sql immutable strict as
		'select (n::numeric <> 0)::tsql.bit';
	create cast (tsql.money as tsql.bit) with function tsql.to_bit(tsql.money) as assignment;
	create function tsql.to_tinyint(n tsql.bit) returns tsql.tinyint language sql immutable strict as
		'select tsql.flag(n)::tsql.tinyint';
	create cast (tsql.bit as tsql.tinyint) with function tsql.to_tinyint(tsql.bit) as assignment;
	create function tsql.to_tinyint(n tsql.money) returns tsql.tinyint language sql immutable strict as
		'select tsql.small(n::numeric)';
	create cast (tsql.money as tsql.tinyint) with function tsql.to_tinyint(tsql.money) as assignment;
	foreach o in array array['+', '-', '*', '/', '%'] loop
		execute format('create function tsql.%I(tsql.tinyint, tsql.tinyint) returns tsql.tinyint language sql immutable strict as
			''select (tsql.wide($1) %s tsql.wide($2))::tsql.tinyint''', 'tinyint' || o, o);
		execute format('create operator tsql.%s (function = tsql.%I, leftarg = tsql.tinyint, rightarg = tsql.tinyint)',
			o, 'tinyint' || o);
		if o <> '%' then
			execute format('create function tsql.%I(tsql.money, tsql.money) returns tsql.money language sql immutable strict as
				''select tsql.to_money($1::numeric %s $2::numeric)''', 'money' || o, o);
			execute format('create operator tsql.%s (function = tsql.%I, leftarg = tsql.money, rightarg = tsql.money)',
				o, 'money' || o);
		end if;
	end loop;
end
$do$;

create function tsql."money-"(tsql.money) returns tsql.money language sql immutable strict as 'select tsql.to_money(-($1::numeric))';
create operator tsql.- (function = tsql."money-", rightarg = tsql.money);

-- Aggregates have the type of what they add up ("SUM", "AVG").
create function tsql.added(a int, n int2) returns int language sql immutable as
	'select case when n is null then a when a is null then n::int else a + n end';
create function tsql.added(a int, n tsql.tinyint) returns int language sql immutable as
	'select case when n is null then a when a is null then n::int else a + n::int end';
create function tsql.added(a float8, n float4) returns float8 language sql immutable as
	'select case when n is null then a when a is null then n::float8 else a + n end';
create aggregate tsql.sum(int2) (sfunc = tsql.added, stype = int);
create aggregate tsql.sum(tsql.tinyint) (sfunc = tsql.added, stype = int);
create aggregate tsql.sum(int4) (sfunc = pg_catalog.int4pl, stype = int);
create aggregate tsql.sum(int8) (sfunc = pg_catalog.int8pl, stype = int8);
create aggregate tsql.sum(float4) (sfunc = tsql.added, stype = float8);
create aggregate tsql.sum(float8) (sfunc = pg_catalog.float8pl, stype = float8);
create aggregate tsql.sum(numeric) (sfunc = pg_catalog.numeric_add, stype = numeric);
create aggregate tsql.sum(tsql.money) (sfunc = tsql."money+", stype = tsql.money);

create function tsql.whole_average(s int8[]) returns int language sql immutable as
	'select case when s[1] > 0 then (s[2] / s[1])::int end';
create function tsql.long_gathered(s numeric[], n int8) returns numeric[] language sql immutable as
	'select case when n is null then s else array[s[1] + 1, s[2] + n] end';
create function tsql.gathered(s numeric[], n numeric) returns numeric[] language sql immutable as
	'select case when n is null then s else array[s[1] + 1, s[2] + n] end';
create function tsql.long_average(s numeric[]) returns int8 language sql immutable as
	'select case when s[1] > 0 then trunc(s[2] / s[1])::int8 end';
create function tsql.average(s numeric[]) returns numeric language sql immutable as
	'select case when s[1] > 0 then trunc(s[2] / s[1], greatest(6, scale(s[2]))) end';
create aggregate tsql.avg(int2) (sfunc = pg_catalog.int2_avg_accum, stype = int8[], finalfunc = tsql.whole_average, initcond = '{0,0}');
create aggregate tsql.avg(int4) (sfunc = pg_catalog.int4_avg_accum, stype = int8[], finalfunc = tsql.whole_average, initcond = '{0,0}');
create aggregate tsql.avg(int8) (sfunc = tsql.long_gathered, stype = numeric[], finalfunc = tsql.long_average, initcond = '{0,0}');
create aggregate tsql.avg(numeric) (sfunc = tsql.gathered, stype = numeric[], finalfunc = tsql.average, initcond = '{0,0}');
create aggregate tsql.avg(float8) (sfunc = pg_catalog.float8_accum, stype = float8[], finalfunc = pg_catalog.float8_avg, initcond = '{0,0,0}');
