package tsql

import (
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

const twoRows = "create table t (id int not null primary key, n int null check (n < 100), s nvarchar(5) null); insert into t values (1, 10, N'a'), (2, 20, N'b')"

func TestTransactions(t *testing.T) {
	rules(t, []rule{
		{twoRows, "(2)"},
		// "BEGIN TRANSACTION", "COMMIT TRANSACTION": nested ones only count.
		{"begin tran; begin tran; select @@trancount; commit; select @@trancount, xact_state(); commit work; select @@trancount, xact_state()",
			"begun / 2 / (1) / 1|1 / (1) / committed / 0|0 / (1)"},
		// "ROLLBACK TRANSACTION": without a savepoint's name it ends all of them.
		{"begin tran a; update t set n = 11 where id = 1; begin tran b; update t set n = 12 where id = 1; rollback; select @@trancount, n from t where id = 1",
			"begun / (1) / (1) / rolled back / 0|10 / (1)"},
		{"begin tran a; begin tran b; rollback tran b", "begun / error 6401"},
		{"rollback tran a", "rolled back"},
		{"commit", "error 3902"},
		{"rollback transaction", "error 3903"},
		{"save tran x", "error 628"},
		// "SAVE TRANSACTION": what comes behind the savepoint is undone, and the transaction goes on.
		{"begin tran; update t set n = 11 where id = 1; save tran s; update t set n = 12 where id = 1; rollback tran s; select @@trancount, n from t where id = 1; rollback tran s; commit; select n from t where id = 1",
			"begun / (1) / (1) / 1|11 / (1) / committed / 11 / (1)"},
		{"declare @n nvarchar(10) = N'v'; begin tran @n; save tran @n; rollback tran @n", "begun / rolled back"},
		{"declare @n nvarchar(10) = N'v'; begin tran; save tran @n; rollback tran @n; commit", "begun / committed"},
		{"begin tran; commit transaction with (delayed_durability = on)", "begun / committed"},
	})
}

func TestErrorsAndTransactions(t *testing.T) {
	rules(t, []rule{
		{twoRows, "(2)"},
		// "SET XACT_ABORT": OFF undoes the statement alone, and the batch goes on.
		{"begin tran; insert into t values (3, 3, null); insert into t values (1, 1, null); insert into t values (4, 4, null), (1, 1, null); select @@error; select count(*), @@trancount from t; rollback",
			"begun / (1) / error 2627 / error 2627 / 2627 / (1) / 3|1 / (1) / rolled back"},
		{"insert into t values (1, 1, null); select @@error; select @@error", "error 2627 / 2627 / (1) / 0 / (1)"},
		{"begin tran; update t set n = n / 0; select 1 / 0; insert into t values (5, 200, null); select @@trancount; commit",
			"begun / error 8134 / error 8134 / error 547 / 1 / (1) / committed"},
		// ON rolls everything back and ends the batch.
		{"set xact_abort on; begin tran; insert into t values (3, 3, null); insert into t values (1, 1, null); select 1",
			"begun / (1) / rolled back / error 2627"},
		{"select @@trancount, count(*) from t; set xact_abort off", "0|2 / (1)"},
		{"set xact_abort on; insert into t values (1, 1, null); select 1", "error 2627"},
		{"set xact_abort off; select @@options & 16384", "0 / (1)"},
		// Errors of conversion end the batch and the transaction in any case.
		{"begin tran; select cast('x' as int); select 1", "begun / rolled back / error 245"},
		// Errors of compilation end the batch, not the transaction.
		{"begin tran; select * from nowhere; select 1", "begun / error 208"},
		{"select nothing from t; select 1", "error 207"},
		{"select @@trancount; rollback", "1 / (1) / rolled back"},
		{"exec(N'select * from nowhere; select 2'); select 1", "error 208 / 1 / (1)"},
		// "RAISERROR" does not end the batch, and XACT_ABORT does not see it; "THROW" ends it.
		{"begin tran; raiserror(N'a %d %s', 16, 1, 7, N'x'); select @@error; rollback", "begun / error 50000 / 50000 / (1) / rolled back"},
		{"set xact_abort on; begin tran; raiserror(N'a', 16, 1); select @@trancount; rollback; set xact_abort off",
			"begun / error 50000 / 1 / (1) / rolled back"},
		{"raiserror(N'note', 10, 1) with nowait; print N'printed'", "message note / message printed"},
		{"begin tran; throw 50001, N'x', 1; select 1", "begun / error 50001"},
		{"set xact_abort on; throw 50001, N'x', 1; select 1", "rolled back / error 50001"},
		{"set xact_abort off; throw 40000, N'x', 1", "error 35100"},
	})
}

func TestTryCatch(t *testing.T) {
	rules(t, []rule{
		{twoRows, "(2)"},
		// "TRY...CATCH", and the functions of the error.
		{"begin try; insert into t values (1, 1, null); select 1; end try begin catch; select error_number(), error_severity(), error_state(), error_line(), error_procedure(); end catch; select error_number()",
			"2627|14|1|1|NULL / (1) / NULL / (1)"},
		{"begin try select 1 / 0 end try begin catch print error_message() end catch", "message Divide by zero error encountered."},
		{"begin try begin try throw 50001, N'in', 1 end try begin catch throw end catch end try begin catch select error_number() end catch", "50001 / (1)"},
		{"begin try select 1/0 end try begin catch throw end catch; select 1", "error 8134"},
		{"begin try raiserror(N'r', 11, 3) end try begin catch select error_message(), error_state() end catch", "r|3 / (1)"},
		// An error of compilation is caught by the TRY of an outer scope only.
		{"begin try select * from nowhere end try begin catch select 1 end catch; select 2", "error 208"},
		{"begin try exec(N'select * from nowhere') end try begin catch select error_number() end catch; select 2", "208 / (1) / 2 / (1)"},
		// "XACT_STATE": under XACT_ABORT OFF the transaction can still be committed.
		{"begin tran; begin try insert into t values (3, 3, null), (1, 1, null) end try begin catch select xact_state(), @@trancount end catch; commit",
			"begun / 1|1 / (1) / committed"},
		// Under ON it can only be rolled back: 3930.
		{"set xact_abort on; begin tran; begin try insert into t values (3, 3, null); insert into t values (1, 1, null) end try begin catch select xact_state(), @@trancount, count(*) from t; rollback; end catch; select count(*) from t",
			"begun / (1) / -1|1|3 / (1) / rolled back / 2 / (1)"},
		{"begin tran; begin try select 1/0 end try begin catch insert into t values (4, 4, null) end catch", "begun / rolled back / error 3930"},
		{"begin tran; begin try select 1/0 end try begin catch commit end catch", "begun / rolled back / error 3930"},
		{"begin tran; save tran s; begin try select 1/0 end try begin catch begin try rollback tran s end try begin catch select error_number() end catch end catch",
			"begun / 3931 / (1) / rolled back / error 3998"},
		{"set xact_abort off; begin tran; begin try select cast(N'x' as int) end try begin catch select xact_state(), error_number() end catch",
			"begun / -1|245 / (1) / rolled back / error 3998"},
	})
}

func TestTransactionManager(t *testing.T) {
	c := login(t, newServer(t))
	c.must(twoRows)
	step := func(want string, run func() error) {
		t.Helper()
		c.recorder = recorder{}
		if err := run(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.lines, " / "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	s := c.session
	step("error 3902", func() error { return s.Commit(c) })
	step("begun", func() error { return s.Begin(tds.Serializable, "a", c) })
	step("", func() error { return s.Save("x", c) })
	c.check("update t set n = 99 where id = 1", "(1)")
	step("", func() error { return s.Rollback("x", c) })
	step("error 6401", func() error { return s.Rollback("y", c) })
	c.check("select n from t where id = 1", "10 / (1)")
	step("committed", func() error { return s.Commit(c) })
	step("begun", func() error { return s.Begin(0, "", c) })
	c.check("update t set n = 99 where id = 1", "(1)")
	step("rolled back", func() error { return s.Reset(false, c) })
	c.check("select n from t where id = 1", "10 / (1)")
}
