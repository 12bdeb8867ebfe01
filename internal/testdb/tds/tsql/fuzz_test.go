package tsql

import "testing"

// FuzzParse: no text makes the parser panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		twoRows, "begin try select 1 end try begin catch throw end catch", "declare @a int = -1, @b nvarchar(max); set @a += 1",
		"if @@trancount > 0 rollback else while 1 = 1 begin break end", "exec @r = p 1, @x = N'a' output; exec sp_x default",
		"select top (1) with ties *, a.b c, 'x' as [y] from a as b with (updlock) left join (values (1)) v(x) on 1 = 1 where a in (1) and not b like 'x' escape '!' group by a having count(*) > 1 order by 1 desc offset 1 rows fetch next 2 rows only",
		"update top (1) x set a.b += 1 output deleted.*, inserted.a from t x where x.a = @p", "delete t output deleted.a from t join u on t.a = u.a",
		"merge t using s on t.a = s.a when matched then delete when not matched then insert (a) values (1);",
		"create table #t (a decimal(9, 2) identity(1, -1) constraint c default $1.5 check (a > 0x1F), primary key (a desc)); alter table t drop column a, b",
		"create unique index i on t (a) include (b) where a is null; drop index i on t; create or alter proc p @a int = 1 as return 1",
		"set transaction isolation level snapshot; set xact_abort, nocount on; raiserror('%d', 16, 1, 2) with nowait; waitfor delay '0:0:1'",
		"select cast(a as varchar), convert(int, '1', 1), dateadd(d, 1, b), iif(a = 1, 2, 3), len(''), applock_mode('a', 'b', 'c') over (partition by a)",
		"/* /* */ */ -- x\nselect \"a\"\"b\", [c]]d], N'e''f', 1e5, .5, @@version, @", "", "(", "select (", "exec", "begin",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parse(text); err != nil {
			if _, ok := asFailure(err); !ok {
				t.Errorf("not an error of T-SQL: %v", err)
			}
		}
	})
}
