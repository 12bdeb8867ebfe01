package tsql

import (
	"fmt"
	"testing"
)

func TestQueries(t *testing.T) {
	rules(t, []rule{
		{"create table a (id int primary key, n nvarchar(10)); create table b (id int, a int references a(id)); insert a values (1, N'x'), (2, N'y'), (3, null); insert into b values (10, 1), (11, 1), (12, 2)", "(3) / (3)"},
		// "SELECT": TOP, ORDER BY with NULL lowest, OFFSET, aliases.
		{"select top 2 id from a order by id desc", "3 / 2 / (2)"},
		{"select top (1) with ties 1 one from a order by one", "1 / 1 / 1 / (3)"},
		{"select n from a order by n", "NULL / x / y / (3)"},
		{"select id from a order by n desc offset 1 rows fetch next 1 rows only", "1 / (1)"},
		{"select x = id, id as [y y], id 'z', a.* from a where id = 1", "1|1|1|1|x / (1)"},
		{"select distinct a.n, count(*) c from a as a inner join b on b.a = a.id group by a.n having count(*) > 1", "x|2 / (1)"},
		{"select a.id, b.id from a left outer join b on a.id = b.a where b.id is null", "3|NULL / (1)"},
		{"select a.id, q.c from a cross apply (select count(*) c from b where b.a = a.id) q where q.c > 0 order by 1", "1|2 / 2|1 / (2)"},
		{"with q (i) as (select id from a where id < 3) select i from q union all select 9 except select 1 order by 1", "2 / 9 / (2)"},
		{"select id from a where exists (select * from b where b.a = a.id) and not id in (select 2) and n like '[x-z]' and id between 1 and 2", "1 / (1)"},
		{"select row_number() over (order by id desc), sum(id) over (partition by a) from b order by 1", "1|12 / 2|21 / 3|21 / (3)"},
		{"select case id when 1 then 'one' else 'more' end from a where id <= 2; select id from a where (id = 1 or n = N'y') and id <> 2", "one / more / (2) / 1 / (1)"},
		{"select (select max(id) from b), v.x from (values (1), (2)) v(x) where v.x > any (select 1)", "12|2 / (1)"},
		{"declare @i int, @n nvarchar(5) = N'keep'; select @i = id, @n = n from a where id = 2; select @i, @n; select @n = n from a where 1 = 0; select @n; set @i += 5; select @i",
			"(1) / 2|y / (1) / (0) / y / (1) / 7 / (1)"},
		{"select id into #copy from a; select count(*) from #copy", "(3) / 3 / (1)"},
		{"select string_agg(n, ',') within group (order by id) from a", "x,y / (1)"},
		{"select/* a /* nested */ comment */1 -- and\n,2", "1|2 / (1)"},
		{"select [a].[id] from [dbo].[a] where \"id\" = 1;;", "1 / (1)"},
		{"select id from a a (nolock), b c with (nolock) where id = 1", "error 209"},
	})
}

func TestChanges(t *testing.T) {
	rules(t, []rule{
		{"create table t (id int identity(5, 5) primary key, n int not null default 7, s varchar(9) null); create table u (id int, n int)", ""},
		// "INSERT", "OUTPUT clause", "SCOPE_IDENTITY".
		{"insert t default values; insert t (s) output inserted.id, inserted.* values ('a'), (null); insert into t values (1, 'b'); select scope_identity(), @@identity",
			"(1) / 10|10|7|a / 15|15|7|NULL / (2) / (1) / 20|20 / (1)"},
		{"insert u select id, n + 1 from t where n = 7", "(3)"},
		// "UPDATE": OUTPUT, FROM, TOP.
		{"update t set n += 1, s = default output deleted.n, inserted.n, inserted.id, deleted.s where id = 10", "7|8|10|a / (1)"},
		{"update t set n = u.n * 10 from u where u.id = t.id and t.id = 5", "(1)"},
		{"update x set x.n = y.n from t x join u y on x.id = y.id where y.id = 15", "(1)"},
		{"update x set n = isnull(y.n, -1) from t as x left join u as y on x.id = y.id", "(4)"},
		{"select id, n from t order by id; update top (1) t set n = 0 output inserted.n where id > 5", "5|8 / 10|8 / 15|8 / 20|-1 / (4) / 0 / (1)"},
		// "DELETE": OUTPUT, FROM.
		{"delete t output deleted.id where id = 20; delete from x from t x join u y on y.id = x.id where y.id = 15; delete top (1) from u with (readpast) output deleted.id where id = 5",
			"20 / (1) / (1) / 5 / (1)"},
		{"delete u; select @@rowcount; set nocount on; insert u values (1, 1); set nocount off", "(2) / 2 / (1)"},
		// "MERGE".
		{"merge into u with (holdlock) as d using (values (1, 5), (2, 6)) as s (id, n) on d.id = s.id when matched then update set n = s.n when not matched then insert (id, n) values (s.id, s.n); select * from u order by id",
			"(2) / 1|5 / 2|6 / (2)"},
		{"with q as (select id from u where id = 1) delete from u where id in (select id from q)", "(1)"},
		{"truncate table t; insert t default values; select id from t", "(1) / 5 / (1)"},
	})
}

// TestIdentityInsert: "SET IDENTITY_INSERT".
func TestIdentityInsert(t *testing.T) {
	rules(t, []rule{
		{"create table t (id int identity primary key, n int); create table u (id bigint identity, n int); create table v (n int)", ""},
		{"insert t (id, n) values (7, 1)", "error 544"},
		{"set identity_insert v on", "error 8106"},
		{"set identity_insert w on", "error 1088"},
		{"set identity_insert t on; insert t (id, n) values (7, 1); insert t (n) values (2); insert t values (8, 2); set identity_insert u on", "(1) / error 545 / error 8101 / error 8107"},
		{"set identity_insert t off; insert t values (3); select id from t order by id", "(1) / 7 / 8 / (2)"},
	})
}

func TestConstraintErrors(t *testing.T) {
	c := login(t, newServer(t))
	c.must(`create schema s`)
	c.must(`create table s.p (id int constraint pk_p primary key, u nvarchar(10) null constraint uq_p unique, n int not null, c int constraint ck_p check (c > 0));
		create unique index ix on s.p (n); create table c (p int not null constraint fk_c references s.p(id), x varchar(2)); insert s.p values (1, N'a', 1, 1); insert c values (1, 'x')`)
	for _, r := range []struct{ batch, want string }{
		{"insert s.p values (1, N'b', 2, 1)", "2627 14 1 Violation of PRIMARY KEY constraint 'pk_p'. Cannot insert duplicate key in object 's.p'. The duplicate key value is (1)."},
		{"insert s.p values (2, N'a', 2, 1)", "2627 14 1 Violation of UNIQUE KEY constraint 'uq_p'. Cannot insert duplicate key in object 's.p'. The duplicate key value is (a)."},
		{"insert s.p values (2, N'b', 1, 1)", "2601 14 1 Cannot insert duplicate key row in object 's.p' with unique index 'ix'. The duplicate key value is (1)."},
		{"insert s.p values (2, N'b', null, 1)", "515 16 2 Cannot insert the value NULL into column 'n', table 'app.s.p'; column does not allow nulls. INSERT fails."},
		{"update s.p set c = 0", `547 16 0 The UPDATE statement conflicted with the CHECK constraint "ck_p". The conflict occurred in database "app", table "s.p".`},
		{"insert c values (9, 'x')", `547 16 0 The INSERT statement conflicted with the FOREIGN KEY constraint "fk_c". The conflict occurred in database "app", table "dbo.p", column 'p'.`},
		{"delete s.p", `547 16 0 The DELETE statement conflicted with the REFERENCE constraint "fk_c". The conflict occurred in database "app", table "dbo.c", column 'id'.`},
		{"insert c values (1, 'xyz')", "8152 16 1 String or binary data would be truncated."},
		{"drop table s.p", "3726 16 1 Could not drop object 's.p' because it is referenced by a FOREIGN KEY constraint."},
		{"create table c (i int)", "2714 16 6 There is already an object named 'c' in the database."},
		{"drop table d", "3701 11 5 Cannot drop the table 'd', because it does not exist or you do not have permission."},
		{"drop index iy on c", "3701 11 5 Cannot drop the index 'c.iy', because it does not exist or you do not have permission."},
		{"create unique index ix on s.p (c)", "1913 16 1 The operation failed because an index or statistics with name 'ix' already exists on table 's.p'."},
		{"select * from d", "208 16 1 Invalid object name 'd'."},
		{"select * from dbo.d", "208 16 1 Invalid object name 'dbo.d'."},
		{"select y from c", "207 16 1 Invalid column name 'y'."},
		{"select z.y from c", `4104 16 1 The multi-part identifier "z" could not be bound.`},
		{"select 1 from", "102 15 1 Incorrect syntax near 'from'."},
		{"select from c", "156 15 1 Incorrect syntax near the keyword 'from'."},
		{"select @x", `137 15 2 Must declare the scalar variable "@x".`},
		{"select 'open", "105 15 1 Unclosed quotation mark after the character string 'open'."},
		{"exec nothing 1", "2812 16 62 Could not find stored procedure 'nothing'."},
		{"use other", "911 16 1 Database 'other' does not exist. Make sure that the name is entered correctly."},
		{"select soundex('x')", "50000 16 1 the test endpoint does not know: function soundex"},
		{"select cast(2147483647 as int) + 1", "8115 16 2 Arithmetic overflow error converting expression to data type int."},
		{"insert c values (1, 'a', 3)", "110 16 1 There are fewer columns in the INSERT statement than values specified in the VALUES clause."},
	} {
		c.run(r.batch)
		if len(c.messages) == 0 {
			t.Errorf("%s: no error", r.batch)
			continue
		}
		m := c.messages[0]
		if got := fmt.Sprint(m.Number, m.Class, m.State) + " " + m.Text; got != r.want {
			t.Errorf("%s\ngot  %s\nwant %s", r.batch, got, r.want)
		}
	}
	// A unique column has one NULL at most ("UNIQUE constraints and CHECK constraints").
	c.check("insert s.p values (3, null, 3, 1); insert s.p values (4, null, 4, 1)", "(1) / error 2627")
}

func TestDefinitions(t *testing.T) {
	rules(t, []rule{
		// "CREATE TABLE"; data definition is part of the transaction.
		{"begin tran; create table t (id int not null, constraint pk primary key clustered (id desc) with (fillfactor = 90) on [primary], at datetime2 default getdate(),); insert t (id) values (1); rollback; select object_id('t')",
			"begun / (1) / rolled back / NULL / (1)"},
		{"create table t (id int not null primary key, n nvarchar(5) not null constraint df default N'd')", ""},
		{"create nonclustered index ix on t (n desc) include (id) where n <> N''; create table u (t int foreign key references t(id) on delete cascade)", ""},
		{"alter table t add c int null, d int not null default 3; alter table t add constraint ck check (d > 0); insert t (id) values (1); select * from t", "(1) / 1|d|NULL|3 / (1)"},
		// "ALTER TABLE": what a column that is altered or dropped cannot be.
		{"alter table t alter column n nvarchar(9) null", "error 5074"},
		{"create table w (a nvarchar(5) constraint ua unique, b nvarchar(5) default N'b', c nvarchar(max), d int check (d > 0), e nvarchar(5)); create index ie on w (e)", ""},
		{"alter table w alter column a nvarchar(9) not null; alter table w alter column b nvarchar(9); alter table w alter column c nvarchar(50) not null; alter table w alter column e nvarchar(6) not null", ""},
		{"alter table w alter column b int", "error 5074"},
		{"alter table w alter column d bigint", "error 5074"},
		{"alter table w alter column e nvarchar(4)", "error 5074"},
		{"alter table w drop column e", "error 5074"},
		{"alter table w drop column d", "error 5074"},
		{"create index im on w (b, c); alter table w alter column c nvarchar(max)", ""},
		{"create table m (c nvarchar(max) primary key)", "error 1919"},
		{"create table m (c nvarchar(max)); create index im on m (c)", "error 1919"},
		{"alter table m add constraint um unique (c)", "error 1919"},
		{"create index im on m (c) where c like N'x%'", "error 10735"},
		{"create table m2 (n nvarchar(5) not null unique, i int not null unique); create table m3 (n nvarchar(6) references m2 (n))", "error 1753"},
		{"create table m3 (i bigint references m2 (i))", "error 1778"},
		{"create unique index uf on w (e) where e is not null; create table m3 (e nvarchar(6) references w (e))", "error 1776"},
		{"alter table m2 add default 3 for i; alter table m2 add default 4 for i", "error 1781"},
		{"select filter_definition from sys.indexes where name = N'uf'", "(e is not null) / (1)"},
		{"exec sp_rename N'dbo.w', N'new w', N'OBJECT'; exec sp_rename N'[new w].ie', N'i2', N'INDEX'; exec sp_rename N'[new w].c', N'c2', N'COLUMN'; exec sp_rename N'ua', N'ua2', N'OBJECT'; drop index i2 on [new w]; alter table [new w] drop constraint ua2; select c2 from [new w]",
			"message Caution: Changing any part of an object name could break scripts and stored procedures. / message Caution: Changing any part of an object name could break scripts and stored procedures. / message Caution: Changing any part of an object name could break scripts and stored procedures. / message Caution: Changing any part of an object name could break scripts and stored procedures. / (0)"},
		{"exec sp_rename N'[new w].d', N'd2', N'COLUMN'", "error 15336"},
		{"exec sp_rename N'[new w].nothing', N'd2', N'INDEX'", "error 15248"},
		{"exec sp_rename N'nothing', N'd2', N'OBJECT'", "error 15225"},
		{"drop table m, m2, [new w]", ""},
		{"create table p1 (i int primary key, constraint c1 check (i > 0)); create table p2 (i int primary key references p1 (i) on delete cascade); create table p3 (i int primary key references p2 (i) on delete set null)", ""},
		{"alter table p3 add foreign key (i) references p1 (i) on update cascade", "error 1785"},
		{"alter table p1 add p int references p1 (i) on delete cascade", "error 1785"},
		{"alter table p3 add foreign key (i) references p1 (i); drop table p3, p2, p1", ""},
		{"create table p1 (i int constraint c1 check (i > 0)); create table p2 (i int constraint c1 check (i > 0))", "error 2714"},
		{"drop table p1", ""},
		{"create table f (a int); insert f values (1); alter table f add b int default 1, c int default 2 with values, d int not null default 3; insert f (a) values (2); select * from f; drop table f", "(1) / (1) / 1|NULL|2|3 / 2|1|2|3 / (2)"},
		{"alter table t drop constraint ck; alter table t drop column c, d", "error 5074"},
		{"declare @d nvarchar(200) = (select N'alter table t drop constraint ' + name from sys.default_constraints where parent_object_id = object_id(N't') and parent_column_id = 4); exec(@d)", ""},
		{"alter table t drop column c, d; insert u values (1); delete t; select count(*) from u", "(1) / (1) / 0 / (1)"},
		{"drop index ix on t; drop index if exists ix on t; drop table u, t; drop table if exists t", ""},
		{"create table #t (id int primary key); insert #t values (1); select object_id('tempdb..#t') - object_id('tempdb..#t'), id from #t; drop table #t", "(1) / 0|1 / (1)"},
		{"create schema q", ""},
		{"create table q.t (i int); drop schema q", "error 3729"},
		{"drop table q.t; drop schema q; drop schema q", "error 15151"},
		{"create table nowhere.t (i int)", "error 2760"},
		{"create view v as select 1 as one", ""},
		{"select one from v; drop view v", "1 / (1)"},
	})
}

// TestCatalog: "System catalog views".
func TestCatalog(t *testing.T) {
	rules(t, []rule{
		{"create table t (id int identity(3, 2) primary key, n nvarchar(7) null, d decimal(9, 2), m varchar(max)); create index ix on t (n, d)", ""},
		{"select name, is_read_committed_snapshot_on, snapshot_isolation_state, delayed_durability_desc from sys.databases where name = db_name()", "app|true|1|DISABLED / (1)"},
		{"alter database app set delayed_durability = forced; select delayed_durability from sys.databases; alter database current set delayed_durability = disabled", "2 / (1)"},
		{"alter database app set read_committed_snapshot on with rollback immediate; alter database other set delayed_durability = forced", "error 5011"},
		{"alter database app set recovery simple", "error 50000"},
		{"select t.name, s.name, schema_name(t.schema_id), t.type from sys.tables t join sys.schemas s on s.schema_id = t.schema_id where t.object_id = object_id(N'[dbo].[t]', 'U')", "t|dbo|dbo|U  / (1)"},
		{"select c.name, y.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity from sys.columns c join sys.types y on y.user_type_id = c.user_type_id where c.object_id = object_id('t') order by c.column_id",
			"id|int|4|10|0|false|true / n|nvarchar|14|0|0|true|false / d|decimal|17|9|2|true|false / m|varchar|-1|0|0|true|false / (4)"},
		{"select name, seed_value, increment_value, last_value from sys.identity_columns; insert t (n) values (N'x'); select last_value from sys.identity_columns", "id|3|2|NULL / (1) / (1) / 3 / (1)"},
		{"dbcc checkident (N'[dbo].[t]', reseed, 20) with no_infomsgs; insert t (n) output inserted.id values (N'y')", "22 / (1)"},
		{"create table fresh (id int identity, n int); dbcc checkident (N'dbo.fresh', reseed, 20) with no_infomsgs; select convert(bigint, ident_current(N'[dbo].[fresh]')); insert fresh output inserted.id values (1); drop table fresh", "20 / (1) / 20 / (1)"},
		{"dbcc checkident (N't', reseed, 20)", "error 50000"},
		{"select i.name, i.is_unique, c.key_ordinal, col.name from sys.indexes i join sys.index_columns c on c.object_id = i.object_id and c.index_id = i.index_id join sys.columns col on col.object_id = i.object_id and col.column_id = c.column_id where i.object_id = object_id('t') and i.is_primary_key = 0 order by 3",
			"ix|false|1|n / ix|false|2|d / (2)"},
		{"select table_name, column_name, data_type, character_maximum_length, is_nullable from INFORMATION_SCHEMA.COLUMNS where table_name = 't' and ordinal_position < 3 order by ordinal_position", "error 207"},
		{"select TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, IS_NULLABLE from INFORMATION_SCHEMA.COLUMNS where TABLE_NAME = 't' and ORDINAL_POSITION < 3 order by ORDINAL_POSITION", "t|id|int|NULL|NO / t|n|nvarchar|7|YES / (2)"},
		{"select count(*) from information_schema.TABLES where TABLE_TYPE = 'BASE TABLE' and TABLE_SCHEMA = 'dbo'", "1 / (1)"},
		{"select serverproperty('EngineEdition'), suser_sname(), original_login(), has_perms_by_name(null, null, 'VIEW SERVER STATE'), db_id() - db_id('app')", "3|sa|sa|1|0 / (1)"},
		{"if object_id('t') is not null and schema_id('none') is null select type_desc from sys.objects where name = 't' else select 'no'", "USER_TABLE / (1)"},
	})
}
