-- Types of SQL Server as base types of PostgreSQL, so that a result's description names them, for expressions too. Their C
-- functions are PostgreSQL's own, of a type with the same representation: a superuser may declare such a function for any type.
--
--   nvarchar varchar nchar char  text, compared as bpchar: trailing blanks do not count ("WHERE", ANSI_PADDING, in comparisons)
--   datetime2 datetime           units of 100 ns since 0001-01-01, as bigint
--   smalldatetime time           the same; time counts from midnight
--   datetimeoffset               the same in UTC, with 19 digits, and as many blanks as the offset needs (see 05_time.sql): the
--                                comparisons of bpchar do not see them, as those of SQL Server do not see the offset
--   bit tinyint money            bool, smallint, numeric
--   varbinary binary             bytea
--
-- int, smallint, bigint, real, float, decimal, date and uniqueidentifier are PostgreSQL's own.
create schema tsql;

create function tsql.typmod_in(cstring[]) returns int language internal immutable strict as 'varchartypmodin';
create function tsql.typmod_out(int) returns cstring language internal immutable strict as 'varchartypmodout';

do $do$
declare
	t record;
begin
	for t in select * from (values
		('nvarchar',       'text',  'textin',    'textout',    'n', true,  true,  true),
		('varchar',        'text',  'textin',    'textout',    'n', false, true,  true),
		('nchar',          'text',  'textin',    'textout',    'n', false, true,  true),
		('char',           'text',  'textin',    'textout',    'n', false, true,  true),
		('datetimeoffset', 'text',  'textin',    'textout',    'd', true,  true,  true),
		('datetime2',      'int8',  'int8in',    'int8out',    'd', false, false, true),
		('datetime',       'int8',  'int8in',    'int8out',    'd', false, false, false),
		('smalldatetime',  'int8',  'int8in',    'int8out',    'd', false, false, false),
		('time',           'int8',  'int8in',    'int8out',    'd', false, false, true),
		('bit',            'bool',  'boolin',    'boolout',    'N', false, false, false),
		('tinyint',        'int2',  'int2in',    'int2out',    'N', false, false, false),
		('money',          'numeric', 'numeric_in', 'numeric_out', 'N', false, false, false),
		('varbinary',      'bytea', 'byteain',   'byteaout',   'b', true,  false, true),
		('binary',         'bytea', 'byteain',   'byteaout',   'b', false, false, true)
	) as t(name, represented, read, write, category, preferred, collatable, sized)
	loop
		execute format('create type tsql.%I', t.name);
		execute format('create function tsql.%I(cstring%s) returns tsql.%I language internal immutable strict as %L',
			t.name || '_in', case t.name when 'money' then ', oid, int' else '' end, t.name, t.read);
		execute format('create function tsql.%I(tsql.%I) returns cstring language internal immutable strict as %L',
			t.name || '_out', t.name, t.write);
		execute format('create type tsql.%I (input = tsql.%I, output = tsql.%I, like = pg_catalog.%I, category = %L,
			preferred = %L, collatable = %L %s)', t.name, t.name || '_in', t.name || '_out', t.represented, t.category,
			t.preferred::text, t.collatable::text,
			case when t.sized then ', typmod_in = tsql.typmod_in, typmod_out = tsql.typmod_out' else '' end);
	end loop;
end
$do$;

-- Their comparisons, sort and hash orders, min and max. The other three of strings, and binary, are used as nvarchar and
-- varbinary, as PostgreSQL's own varchar is as text.
do $do$
declare
	t record;
	o record;
begin
	for t in select * from (values
		('nvarchar', 'bpchar%s', 'bpcharcmp', 'hashbpchar', 'hashbpcharextended', 'bpchar_'),
		('datetimeoffset', 'bpchar%s', 'bpcharcmp', 'hashbpchar', 'hashbpcharextended', 'bpchar_'),
		('datetime2', 'int8%s', 'btint8cmp', 'hashint8', 'hashint8extended', 'int8'),
		('datetime', 'int8%s', 'btint8cmp', 'hashint8', 'hashint8extended', 'int8'),
		('smalldatetime', 'int8%s', 'btint8cmp', 'hashint8', 'hashint8extended', 'int8'),
		('time', 'int8%s', 'btint8cmp', 'hashint8', 'hashint8extended', 'int8'),
		('bit', 'bool%s', 'btboolcmp', 'hashchar', 'hashcharextended', null),
		('tinyint', 'int2%s', 'btint2cmp', 'hashint2', 'hashint2extended', 'int2'),
		('money', 'numeric_%s', 'numeric_cmp', 'hash_numeric', 'hash_numeric_extended', 'numeric_'),
		('varbinary', 'bytea%s', 'byteacmp', 'hashvarlena', 'hashvarlenaextended', null)
	) as t(name, compare, cmp, hash, hash2, extreme)
	loop
		for o in select * from (values
			('=', 'eq', '=', '<>', 'eqsel', 'eqjoinsel'), ('<>', 'ne', '<>', '=', 'neqsel', 'neqjoinsel'),
			('<', 'lt', '>', '>=', 'scalarltsel', 'scalarltjoinsel'), ('>', 'gt', '<', '<=', 'scalargtsel', 'scalargtjoinsel'),
			('<=', 'le', '>=', '>', 'scalarlesel', 'scalarlejoinsel'), ('>=', 'ge', '<=', '<', 'scalargesel', 'scalargejoinsel')
		) as o(sign, short, commutator, negator, restriction, joining)
		loop
			execute format('create function tsql.%I(tsql.%I, tsql.%I) returns bool language internal immutable strict as %L',
				'is_' || o.short, t.name, t.name, format(t.compare, o.short));
			execute format('create operator tsql.%s (function = tsql.%I, leftarg = tsql.%I, rightarg = tsql.%I,
				commutator = operator(tsql.%s), negator = operator(tsql.%s), restrict = %s, join = %s %s)',
				o.sign, 'is_' || o.short, t.name, t.name, o.commutator, o.negator, o.restriction, o.joining,
				case o.sign when '=' then ', hashes, merges' else '' end);
		end loop;
		execute format('create function tsql.order_of(tsql.%1$I, tsql.%1$I) returns int language internal immutable strict as %2$L',
			t.name, t.cmp);
		execute format('create function tsql.hash_of(tsql.%1$I) returns int language internal immutable strict as %2$L',
			t.name, t.hash);
		execute format('create function tsql.hash_of(tsql.%1$I, int8) returns int8 language internal immutable strict as %2$L',
			t.name, t.hash2);
		execute format('create operator class tsql.%1$I default for type tsql.%2$I using btree as
			operator 1 tsql.<, operator 2 tsql.<=, operator 3 tsql.=, operator 4 tsql.>=, operator 5 tsql.>,
			function 1 tsql.order_of(tsql.%2$I, tsql.%2$I)', t.name || '_order', t.name);
		execute format('create operator class tsql.%1$I default for type tsql.%2$I using hash as
			operator 1 tsql.=, function 1 tsql.hash_of(tsql.%2$I), function 2 tsql.hash_of(tsql.%2$I, int8)',
			t.name || '_hash', t.name);
		if t.extreme is not null then
			execute format('create function tsql.less_of(tsql.%1$I, tsql.%1$I) returns tsql.%1$I language internal immutable strict as %2$L',
				t.name, t.extreme || 'smaller');
			execute format('create function tsql.more_of(tsql.%1$I, tsql.%1$I) returns tsql.%1$I language internal immutable strict as %2$L',
				t.name, t.extreme || 'larger');
			execute format('create aggregate tsql.min(tsql.%1$I) (sfunc = tsql.less_of, stype = tsql.%1$I)', t.name);
			execute format('create aggregate tsql.max(tsql.%1$I) (sfunc = tsql.more_of, stype = tsql.%1$I)', t.name);
		end if;
	end loop;
end
$do$;

-- What a value is turned into without being asked ("Data type precedence"): to one type only where operators could not choose
-- otherwise.
create cast (tsql.varchar as tsql.nvarchar) without function as implicit;
create cast (tsql.nchar as tsql.nvarchar) without function as implicit;
create cast (tsql.char as tsql.nvarchar) without function as implicit;
create cast (tsql.nvarchar as tsql.varchar) without function as assignment;
create cast (tsql.nvarchar as tsql.nchar) without function as assignment;
create cast (tsql.nvarchar as tsql.char) without function as assignment;
create cast (tsql.varchar as tsql.nchar) without function as assignment;
create cast (tsql.varchar as tsql.char) without function as assignment;
create cast (tsql.nchar as tsql.varchar) without function as assignment;
create cast (tsql.nchar as tsql.char) without function as assignment;
create cast (tsql.char as tsql.varchar) without function as assignment;
create cast (tsql.char as tsql.nchar) without function as assignment;
create cast (tsql.binary as tsql.varbinary) without function as implicit;
create cast (tsql.varbinary as tsql.binary) without function as assignment;
create cast (tsql.money as numeric) without function as implicit;
create cast (tsql.datetime as tsql.datetime2) without function as implicit;
create cast (tsql.smalldatetime as tsql.datetime) without function as implicit;
create cast (tsql.smalldatetime as tsql.datetime2) without function as implicit;

-- For the functions of this schema only: PostgreSQL's own types.
create cast (tsql.nvarchar as text) without function;
create cast (tsql.varchar as text) without function;
create cast (tsql.nchar as text) without function;
create cast (tsql.char as text) without function;
create cast (text as tsql.nvarchar) without function;
create cast (text as tsql.varchar) without function;
create cast (text as tsql.nchar) without function;
create cast (text as tsql.char) without function;
create cast (tsql.datetimeoffset as text) without function;
create cast (text as tsql.datetimeoffset) without function;
create cast (tsql.datetime2 as int8) without function;
create cast (tsql.datetime as int8) without function;
create cast (tsql.smalldatetime as int8) without function;
create cast (tsql.time as int8) without function;
create cast (int8 as tsql.datetime2) without function;
create cast (int8 as tsql.datetime) without function;
create cast (int8 as tsql.smalldatetime) without function;
create cast (int8 as tsql.time) without function;
create cast (tsql.varbinary as bytea) without function;
create cast (bytea as tsql.varbinary) without function;
create cast (bytea as tsql.binary) without function;
create cast (tsql.bit as bool) without function;
create cast (bool as tsql.bit) without function;

