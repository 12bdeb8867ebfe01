package tsql

import (
	"testing"
	"time"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

const getApplock = "declare @r int; exec @r = sp_getapplock @Resource = N'r', @LockMode = "

// TestApplockModes: "sp_getapplock", the table of compatible modes; two IntentExclusive are the known difference.
func TestApplockModes(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	for held, modes := range map[string]map[string]bool{
		"IntentShared":    {"IntentShared": true, "Shared": true, "Update": true, "IntentExclusive": true},
		"Shared":          {"IntentShared": true, "Shared": true, "Update": true},
		"Update":          {"IntentShared": true, "Shared": true},
		"IntentExclusive": {"IntentShared": true},
		"Exclusive":       {},
	} {
		a.check(getApplock+"'"+held+"', @LockOwner = 'Session'; select @r, applock_mode('public', 'r', 'Session'), applock_mode('public', 'r', 'Transaction')",
			"0|"+held+"|NoLock / (1)")
		for _, mode := range applockModes {
			want, can := "-1", "0"
			if modes[mode] {
				want, can = "0", "1"
			}
			b.check("select applock_test('public', 'r', '"+mode+"', 'Session')", can+" / (1)")
			b.check(getApplock+"'"+mode+"', @LockOwner = 'Session', @LockTimeout = 0; select @r; if @r = 0 exec sp_releaseapplock 'r', 'Session'",
				want+" / (1)")
		}
		a.must("exec sp_releaseapplock @Resource = 'r', @LockOwner = 'Session'")
	}
}

func TestApplockOwners(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	const free = "select applock_test('public', 'r', 'Exclusive', 'Session')"
	// The transaction is the owner unless it is said, and there must be one.
	a.check(getApplock+"'Exclusive'; select @r", "-999 / (1)")
	a.check(getApplock+"'Odd', @LockOwner = 'Session'; select @r", "-999 / (1)")
	a.check("begin tran; "+getApplock+"'Exclusive'; select @r", "begun / 0 / (1)")
	b.check(free, "0 / (1)")
	a.must("commit")
	b.check(free, "1 / (1)")
	// What is granted twice is released twice.
	a.must("begin tran; exec sp_getapplock 'r', 'Exclusive'; exec sp_getapplock 'r', 'Exclusive'; exec sp_releaseapplock 'r'")
	b.check(free, "0 / (1)")
	a.must("exec sp_releaseapplock 'r'")
	b.check(free, "1 / (1)")
	a.check("exec sp_releaseapplock 'r'; rollback", "error 1223 / rolled back")
	// A session's outlives a rollback, and a lost transaction, but no reset.
	a.must("begin tran; exec sp_getapplock 'r', 'Exclusive', 'Session'; rollback")
	b.check(free, "0 / (1)")
	a.recorder = recorder{}
	if err := a.session.Reset(false, a); err != nil {
		t.Fatal(err)
	}
	b.check(free, "1 / (1)")
	// Waiting returns 1, and a client that is gone holds nothing.
	a.must("exec sp_getapplock 'r', 'Exclusive', 'Session'")
	w := b.start(getApplock + "'Exclusive', @LockOwner = 'Session', @LockTimeout = 10000; select @r")
	w.waits()
	a.session.Close()
	w.ends("1 / (1)")
}

func TestApplockDeadlock(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	a.must("begin tran; exec sp_getapplock 'a', 'Exclusive'")
	b.must("begin tran; exec sp_getapplock 'b', 'Exclusive'")
	w := a.start("declare @r int; exec @r = sp_getapplock 'b', 'Exclusive'; select @r, @@trancount")
	w.waits()
	v := b.start("declare @r int; exec @r = sp_getapplock 'a', 'Exclusive'; select @r, @@trancount")
	// The one that loses keeps what it has, so the other one goes on when it rolls back.
	select {
	case got := <-w.done:
		w.done <- got
		w.ends("-3|1 / (1)")
		a.must("rollback")
		v.ends("1|1 / (1)")
	case got := <-v.done:
		v.done <- got
		v.ends("-3|1 / (1)")
		b.must("rollback")
		w.ends("1|1 / (1)")
	case <-time.After(20 * time.Second):
		t.Fatal("no deadlock has been found")
	}
}

// TestCall runs a procedure as a client's call does.
func TestCall(t *testing.T) {
	s := newServer(t)
	a := login(t, s)
	text := func(name, v string) tds.Param {
		return tds.Param{Name: name, Type: tds.Type{Kind: tds.NVarChar, Size: 100}, Value: v}
	}
	status, _, err := a.session.Call("sp_getapplock", []tds.Param{text("@Resource", "r"), text("@LockMode", "Shared"), text("@LockOwner", "Session")}, a)
	if err != nil || status != 0 {
		t.Errorf("sp_getapplock: %d, %v", status, err)
	}
	a.must("create procedure dbo.[add] @a int, @b int = 2, @sum int output as begin set nocount on; set @sum = @a + @b; select @sum as s; return 7 end")
	status, outputs, err := a.session.Call("dbo.[add]", []tds.Param{{Name: "@a", Type: tds.Type{Kind: tds.Int}, Value: int64(40)},
		{Name: "@sum", Type: tds.Type{Kind: tds.Int}, Output: true}}, a)
	if err != nil || status != 7 || len(outputs) != 1 || outputs[0] != int64(42) {
		t.Errorf("add: %d, %v, %v%s", status, outputs, err, a.texts())
	}
	for _, r := range []rule{
		{"declare @s int, @r int; exec @r = [add] 1, @sum = @s output; select @s, @r", "3 / 3|7 / (1)"},
		{"exec [add]", "error 201"},
		{"exec [add] 1, 2, 3, 4", "error 8144"},
		{"exec [add] @x = 1", "error 201"},
		{"create or alter proc [add] as select error_procedure(); throw 50001, N'in', 1", ""},
		{"exec [add]", "NULL / (1) / error 50001"},
		{"drop procedure [add]; drop proc if exists [add]; drop proc [add]", "error 3701"},
		{"exec sp_executesql N'select @a + @b', N'@a int, @b int', @a = 1, @b = 2; exec sp_executesql N'select 1'", "3 / (1) / 1 / (1)"},
		{"declare @o int; exec sp_executesql N'set @x = 5', N'@x int output', @x = @o output; select @o", "5 / (1)"},
		{"declare @q nvarchar(50) = N'select '; exec (@q + N'1')", "1 / (1)"},
		{"declare @i int = 0; while @i < 5 begin set @i += 1; if @i = 2 continue; if @i = 4 break; print @i end; return; select 1", "message 1 / message 3"},
		{"waitfor delay '00:00:00.01'; if 1 = 1 select 'yes' else select 'no'; if 1 > 2 select 'yes'; else select 'no'", "yes / (1) / no / (1)"},
	} {
		a.check(r.batch, r.want)
	}
}

// TestCancel: "SET XACT_ABORT": an attention rolls the transaction back under ON and leaves it open under OFF.
func TestCancel(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	a.must("create table t (id int primary key, n int); insert t values (1, 1), (2, 2)")
	a.must("begin tran; update t set n = 10 where id = 1")
	for _, text := range []string{"update t set n = 5 where id = 1; select 1", "waitfor delay '00:01:00'; select 1",
		"while 1 = 1 begin declare @i int end; select 1", "exec sp_getapplock 'r', 'Exclusive', 'Session'; select 1",
		"begin try update t set n = 5 where id = 1 end try begin catch select 1 end catch"} {
		if text[:4] == "exec" {
			a.must("exec sp_getapplock 'r', 'Exclusive', 'Session'")
		}
		b.must("begin tran; update t set n = 20 where id = 2")
		w := b.start(text)
		time.Sleep(50 * time.Millisecond)
		b.session.Cancel()
		w.ends("")
		b.check("select @@trancount, n from t where id = 2; rollback", "1|20 / (1) / rolled back")
		b.must("set xact_abort on; begin tran; update t set n = 20 where id = 2")
		w = b.start(text)
		time.Sleep(50 * time.Millisecond)
		b.session.Cancel()
		w.ends("rolled back")
		b.check("select @@trancount, n from t where id = 2; set xact_abort off", "0|2 / (1)")
	}
	// A cancel that comes too late is for nothing, one that comes at any time for nothing but its request.
	for range 50 {
		done := make(chan struct{})
		go func() {
			b.session.Cancel()
			close(done)
		}()
		b.run("select n from t where id = 2")
		<-done
		b.check("select n from t where id = 2", "2 / (1)")
	}
	// Closing ends what is running.
	w := b.start("update t set n = 5 where id = 1")
	w.waits()
	b.session.Close()
	<-w.done
	a.must("commit; set lock_timeout 5000; update t set n = 1")
}
