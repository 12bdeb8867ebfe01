package tsql

import (
	"strings"
	"testing"
	"time"
)

// waiting is a batch that is expected to wait.
type waiting struct {
	c    *client
	done chan string
}

func (c *client) start(text string) waiting {
	w := waiting{c, make(chan string, 1)}
	c.recorder = recorder{}
	go func() {
		if _, err := c.session.Batch(text, nil, c); err != nil {
			w.done <- err.Error()
			return
		}
		w.done <- strings.Join(c.lines, " / ")
	}()
	return w
}

// waits fails if the batch does not wait.
func (w waiting) waits() {
	w.c.t.Helper()
	select {
	case got := <-w.done:
		w.c.t.Fatalf("it has not waited: %s%s", got, w.c.texts())
	case <-time.After(300 * time.Millisecond):
	}
}

func (w waiting) ends(want string) {
	w.c.t.Helper()
	select {
	case got := <-w.done:
		if got != want {
			w.c.t.Errorf("got %s, want %s%s", got, want, w.c.texts())
		}
	case <-time.After(20 * time.Second):
		w.c.t.Fatal("it has waited for 20 seconds")
	}
}

// TestWaits: what one session does while another one's transaction is open ("Table hints", "Transaction locking and row versioning
// guide", "SET LOCK_TIMEOUT").
func TestWaits(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	a.must("create table t (id int primary key, n int); create table u (id int, n int); insert t values (1, 1), (2, 2); insert u values (1, 1)")
	const idiom = "insert t (id, n) select 9, 9 where not exists (select 1 from t with (updlock, holdlock) where id = 9)"
	for _, r := range []struct {
		name, holder, waiter string
		committed, undone    string // what the waiter answers when the holder commits, and when it rolls back; "": it does not wait
		at                   string // or what it answers at once
	}{
		{"a duplicate insert", "insert t values (9, 1)", "insert t values (9, 2)", "error 2627", "(1)", ""},
		{"the idiom waits for an insert", "insert t values (9, 1)", idiom, "(0)", "(1)", ""},
		{"the idiom waits for itself", idiom, idiom, "(0)", "(1)", ""},
		{"an insert waits for a range", "select 1 from t with (updlock, holdlock) where id = 9", "insert t values (9, 2)", "(1)", "(1)", ""},
		{"and another one does not", "select 1 from t with (updlock, holdlock) where id = 9", "insert t values (8, 2); delete t where id = 8", "", "", "(1) / (1)"},
		{"a range without a key is the table", "select 1 from t with (updlock, serializable) where n = 77", "insert t values (9, 2)", "(1)", "(1)", ""},
		{"a table without a key", "select 1 from u with (holdlock, xlock) where id = 9", "insert u values (9, 2)", "(1)", "(1)", ""},
		{"a locked read of a new row", "insert t values (9, 1)", "select n from t with (readcommittedlock) where id = 9", "1 / (1)", "(0)", ""},
		{"a locked read of another row", "insert t values (9, 1)", "select n from t with (readcommittedlock) where id = 1", "", "", "1 / (1)"},
		{"a locked read of a changed row", "update t set n = 5 where id = 1", "select n from t with (readcommittedlock) where id = 1", "5 / (1)", "1 / (1)", ""},
		{"a plain read", "update t set n = 5 where id = 1", "select n from t where id = 1", "", "", "1 / (1)"},
		{"nolock", "update t set n = 5 where id = 1", "select n from t with (nolock) where id = 1", "", "", "1 / (1)"},
		{"a plain read of what is locked", "select * from t with (tablockx)", "select n from t where id = 2", "", "", "2 / (1)"},
		{"an insert into what is locked", "select * from t with (tablockx)", "insert t values (9, 9)", "(1)", "(1)", ""},
		{"updlock", "select n from t with (updlock, rowlock) where id = 1", "select n from t with (updlock) where id = 1", "1 / (1)", "1 / (1)", ""},
		{"updlock and another row", "select n from t with (updlock) where id = 1", "select n from t with (updlock) where id = 2", "", "", "2 / (1)"},
		{"updlock below groups", "select n from t with (updlock) where id = 1", "select count(*) from t with (updlock) where id = 1", "1 / (1)", "1 / (1)", ""},
		{"readpast", "select n from t with (updlock) where id = 1", "select id from t with (updlock, readpast) order by id", "", "", "2 / (1)"},
		{"readpast of an update", "update t set n = 5 where id = 1", "update top (1) t with (readpast) set n = 7 output inserted.id", "", "", "2 / (1)"},
		{"an update", "update t set n = n + 5 where id = 1", "update t set n = n * 10 output deleted.n, inserted.n where id = 1", "6|60 / (1)", "1|10 / (1)", ""},
		{"an upsert", "update t with (updlock, serializable) set n = 1 where id = 9; if @@rowcount = 0 insert t values (9, 1)",
			"update t with (updlock, serializable) set n = 2 where id = 9; if @@rowcount = 0 insert t values (9, 2)", "(1)", "(0) / (1)", ""},
		{"lock_timeout 0", "update t set n = 5 where id = 1", "set lock_timeout 0; update t set n = 6 where id = 1; select 1", "", "", "error 1222 / 1 / (1)"},
		{"lock_timeout and a transaction", "update t set n = 5 where id = 1", "set lock_timeout 0; begin tran; update t set n = 8 where id = 2; update t set n = 6 where id = 1; select @@trancount, @@lock_timeout; rollback; set lock_timeout -1",
			"", "", "begun / (1) / error 1222 / 1|0 / (1) / rolled back"},
		{"an application lock", "exec sp_getapplock 'r', 'Exclusive'", "declare @r int; exec @r = sp_getapplock 'r', 'Exclusive', 'Session', 100; select @r", "", "", "-1 / (1)"},
	} {
		t.Run(r.name, func(t *testing.T) {
			a.t, b.t = t, t
			for end, want := range map[string]string{"commit": r.committed, "rollback": r.undone} {
				a.must("delete t; delete u; insert t values (1, 1), (2, 2); insert u values (1, 1); begin tran; " + r.holder)
				w := b.start(r.waiter)
				if r.at == "" {
					w.waits()
				} else {
					w.ends(r.at)
				}
				a.must(end)
				if r.at == "" {
					w.ends(want)
				}
			}
		})
	}
}

// TestReadCommittedLockIsGivenUp: the row lock of such a read does not outlive it ("Table hints", READCOMMITTEDLOCK).
func TestReadCommittedLockIsGivenUp(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	a.must("create table t (id int primary key, n int); insert t values (1, 1)")
	a.must("begin tran; select n from t with (readcommittedlock) where id = 1")
	b.check("set lock_timeout 1000; update t set n = 2", "(1)")
	a.must("select n from t with (updlock) where id = 1")
	b.check("update t set n = 3", "error 1222")
	a.must("commit")
}

// TestDeadlock: "Deadlocks guide": the victim's transaction is rolled back.
func TestDeadlock(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	a.must("create table t (id int primary key, n int); insert t values (1, 1), (2, 2)")
	a.must("begin tran; update t set n = 10 where id = 1")
	b.must("begin tran; update t set n = 20 where id = 2")
	w := a.start("update t set n = 11 where id = 2; select 1")
	w.waits()
	got := b.run("update t set n = 21 where id = 1; select @@trancount")
	if got == "rolled back / error 1205" {
		w.ends("(1) / 1 / (1)")
		a.must("commit")
		return
	}
	w.ends("rolled back / error 1205")
	if got != "(1) / 1 / (1)" {
		t.Errorf("the survivor: %s%s", got, b.texts())
	}
}

// TestIsolation: "SET TRANSACTION ISOLATION LEVEL".
func TestIsolation(t *testing.T) {
	s := newServer(t)
	a, b := login(t, s), login(t, s)
	a.must("create table t (id int primary key, n int); insert t values (1, 1), (2, 2)")
	a.must("set transaction isolation level snapshot; begin tran; select n from t")
	b.must("update t set n = 5 where id = 1")
	a.check("select n from t where id = 1", "1 / (1)")
	a.check("update t set n = 6 where id = 1; select 1", "rolled back / error 3960")
	a.check("set transaction isolation level serializable; begin tran; select sum(n) from t", "begun / 7 / (1)")
	b.must("set transaction isolation level serializable; begin tran; select sum(n) from t; update t set n = 100 where id = 2; commit")
	a.check("update t set n = 200 where id = 1", "rolled back / error 1205")
	a.check("set transaction isolation level read committed; begin tran; select n from t where id = 2", "begun / 100 / (1)")
	b.must("update t set n = 101 where id = 2")
	a.check("select n from t where id = 2; commit", "101 / (1) / committed")
}
