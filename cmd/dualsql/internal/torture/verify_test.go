package torture

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
	"github.com/dualsql/dualsql/internal/testdb"
)

func openBoth(t *testing.T, o Options) (dbs [2]*sql.DB) {
	t.Helper()
	for i, dsn := range []string{o.Primary, o.Secondary} {
		db, err := sides.Open(dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		dbs[i] = db
	}
	return dbs
}

var (
	doubted = uuid.MustParse("0198c0de-0000-7000-8000-000000000001")
	halved  = uuid.MustParse("0198c0de-0000-7000-8000-000000000002")
	denied  = uuid.MustParse("0198c0de-0000-7000-8000-000000000003")
)

// v is a value of the first process run's first worker.
func v(n int) int64 { return value(1, 0, n) }

// honest is a run that has gone well: what was said, and the statements that make both databases agree with it. Value 1 to
// 3 are appended to list 1, 4 is a transfer, 5 a note; 6 was rolled back; 7 was in doubt and is there, 8 was in doubt and is
// not, 9 was half done; 10 was cut off by a kill and is there, 11 likewise and is not.
func honest(t *testing.T) (*ledger, []string) {
	t.Helper()
	l := newLedger()
	l.begin(journalID{})
	said := map[int]string{6: "R - deadlock detected", 7: "? " + doubted.String() + " no answer", 8: "? " + denied.String() + " no answer", 9: "H " + halved.String() + " away", 10: "", 11: ""}
	for n := 1; n <= 11; n++ {
		say(t, l, fmt.Sprint("try ", v(n)))
		text, odd := said[n]
		if !odd {
			text = "C - "
		}
		if text != "" {
			say(t, l, fmt.Sprint("told ", v(n), " ", text))
		}
	}
	say(t, l, "answer "+doubted.String()+" ?")
	say(t, l, "answer "+doubted.String()+" C")
	say(t, l, "answer "+denied.String()+" R")
	say(t, l, "answer "+halved.String()+" H")
	say(t, l, "answer "+halved.String()+" C")
	return l, []string{
		fmt.Sprintf("insert into @item (list, pos, val) values (1, 1, %d), (1, 2, %d), (1, 3, %d), (2, 1, %d), (3, 1, %d), (3, 2, %d)", v(1), v(2), v(3), v(7), v(9), v(10)),
		"update @list set n = 3 where id = 1", "update @list set n = 1 where id = 2", "update @list set n = 2 where id = 3",
		fmt.Sprintf("insert into @transfer (val, debit, credit, amount) values (%d, 1, 2, 50)", v(4)),
		"update @account set balance = balance - 50 where id = 1", "update @account set balance = balance + 50 where id = 2",
		fmt.Sprintf("insert into @note (val) values (%d)", v(5)),
	}
}

func say(t *testing.T, l *ledger, line string) {
	t.Helper()
	if err := l.hear(1, line); err != nil {
		t.Fatal(err)
	}
}

// Each forgery is seen by the check that is there for it, whether it is on one side or, alike, on both.
func TestVerify(t *testing.T) {
	type forgery struct {
		name      string
		primary   []string
		secondary []string
		both      []string
		say       []string
		left      leftovers
		wrong     string // the check that must fail; empty: none
	}
	text := func(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
	for _, c := range []forgery{
		{name: "an honest run"},
		{name: "a lost append", both: append(text("delete from @item where val = %d", v(3)), "update @list set n = 2 where id = 1"), wrong: checkAcknowledged},
		{name: "an append that one side has lost", secondary: append(text("delete from @item where val = %d", v(3)), "update @list set n = 2 where id = 1"), wrong: checkEqual},
		{name: "an acknowledged append on one side only", primary: append(text("delete from @item where val = %d", v(3)), "update @list set n = 2 where id = 1"), wrong: checkAcknowledged},
		{name: "a lost transfer", both: append(text("delete from @transfer where val = %d", v(4)), "update @account set balance = 1000000"), wrong: checkAcknowledged},
		{name: "a lost note", both: text("delete from @note where val = %d", v(5)), wrong: checkAcknowledged},
		{name: "a lost half-done append", both: append(text("delete from @item where val = %d", v(9)), "update @item set pos = 1 where list = 3", "update @list set n = 1 where id = 3"), wrong: checkAcknowledged},
		{name: "a doubled append", both: append(text("insert into @item (list, pos, val) values (1, 4, %d)", v(3)), "update @list set n = 4 where id = 1"), wrong: checkOnce},
		{name: "a doubled note", both: text("insert into @note (val) values (%d)", v(5)), wrong: checkOnce},
		{name: "a doubled note on one side", secondary: text("insert into @note (val) values (%d)", v(5)), wrong: checkEqual},
		{name: "an unfinished append doubled", both: append(text("insert into @item (list, pos, val) values (3, 3, %d)", v(10)), "update @list set n = 3 where id = 3"), wrong: checkOnce},
		{name: "one that nobody has tried", both: text("insert into @note (val) values (%d)", v(99)), wrong: checkOnce},
		{name: "a savepoint that was lost", both: text("insert into @note (val) values (%d)", -v(5)), wrong: checkOnce},
		{name: "one that was rolled back", both: text("insert into @note (val) values (%d)", v(6)), wrong: checkRolledBack},
		{name: "one that was rolled back, on one side", secondary: text("insert into @note (val) values (%d)", v(6)), wrong: checkRolledBack},
		{name: "another order on both sides", both: text("update @item set val = case val when %d then %d when %d then %d else val end", v(1), v(2), v(2), v(1)), wrong: checkOrder},
		{name: "another order on one side", secondary: text("update @item set val = case val when %d then %d when %d then %d else val end", v(1), v(2), v(2), v(1)), wrong: checkEqual},
		{name: "money out of nothing", both: []string{"update @account set balance = balance + 1 where id = 3"}, wrong: rules[0].name},
		{name: "a lost account", both: []string{"delete from @account where id = 40"}, wrong: rules[0].name},
		{name: "money on a wrong account", both: []string{"update @account set balance = balance + 50 where id in (1, 4)", "update @account set balance = balance - 100 where id = 2"}, wrong: rules[1].name},
		{name: "a gap in a list", both: []string{"update @item set pos = 4 where list = 1 and pos = 3"}, wrong: rules[2].name},
		{name: "a counter that was lost", both: []string{"update @list set n = 2 where id = 1"}, wrong: rules[2].name},
		{name: "Outcome says committed, and it is not", say: []string{"answer " + denied.String() + " C"}, wrong: checkOutcome},
		{name: "Outcome says half done, and it is not", say: []string{"answer " + denied.String() + " H"}, wrong: checkOutcome},
		{name: "Outcome says rolled back, and it is not", say: []string{"answer " + doubted.String() + " R"}, wrong: checkOutcome},
		{name: "Outcome says forgotten", say: []string{"answer " + doubted.String() + " F"}, wrong: checkOutcome},
		{name: "Outcome does not know", left: leftovers{unknown: []string{"x"}}, wrong: checkOutcome},
		{name: "Outcome has never answered", say: []string{fmt.Sprint("try ", v(12)), fmt.Sprint("told ", v(12), " ? ", uuid.New(), " x")}, wrong: checkOutcome},
		{name: "a prepared transaction", left: leftovers{prepared: []string{"dualsql:x:y"}}, wrong: checkPrepared},
		{name: "a pending transaction", left: leftovers{pending: []string{"x"}}, wrong: checkJournals},
		{name: "an open entry", left: leftovers{open: []string{"x"}}, wrong: checkJournals},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, texts := honest(t)
			dbs := openBoth(t, Options{Primary: testdb.SQLite(t, "p"), Secondary: testdb.SQLite(t, "s")})
			for i, db := range dbs {
				if err := create(t.Context(), db); err != nil {
					t.Fatal(err)
				}
				for _, text := range append(append(texts, c.both...), [2][]string{c.primary, c.secondary}[i]...) {
					if _, err := db.Exec(full(text)); err != nil {
						t.Fatalf("%s: %v", text, err)
					}
				}
			}
			for _, line := range c.say {
				say(t, l, line)
			}
			_, checks, err := verify(t.Context(), dbs, l, &c.left)
			if err != nil {
				t.Fatal(err)
			}
			seen := c.wrong == ""
			for _, check := range checks {
				if c.wrong == "" && !check.OK {
					t.Error(check)
				}
				seen = seen || check.Name == c.wrong && !check.OK
			}
			if !seen {
				t.Errorf("not seen by %q: %v", c.wrong, checks)
			}
		})
	}
}

// A question that nobody can answer any more, because the journal is gone, is no lie.
func TestVerifyLostJournal(t *testing.T) {
	l := newLedger()
	l.begin(journalID{})
	say(t, l, fmt.Sprint("try ", v(1)))
	say(t, l, fmt.Sprint("told ", v(1), " ? ", doubted, " x"))
	if c := verifyOutcomes(l, &leftovers{}); c.OK {
		t.Errorf("%+v", c)
	}
	l.deleted(journalID{})
	if c := verifyOutcomes(l, &leftovers{}); !c.OK || !strings.Contains(c.Detail, "1 that could not be asked for") {
		t.Errorf("%+v", c)
	}
}

func TestLedgerRefusesNonsense(t *testing.T) {
	for _, lines := range [][]string{
		{"hello"}, {"try"}, {"try x"}, {fmt.Sprint("try ", v(2))}, {fmt.Sprint("try ", value(2, 0, 1))},
		{fmt.Sprint("told ", v(1), " C - ")},
		{fmt.Sprint("try ", v(1)), fmt.Sprint("told ", v(1), " C - "), fmt.Sprint("told ", v(1), " C - ")},
		{fmt.Sprint("try ", v(1)), fmt.Sprint("told ", v(1), " X - ")},
		{fmt.Sprint("try ", v(1)), fmt.Sprint("told ", v(1), " ? - ")},
		{"answer " + doubted.String() + " C"},
	} {
		l := newLedger()
		l.begin(journalID{})
		var err error
		for _, line := range lines {
			err = l.hear(1, line)
		}
		if err == nil {
			t.Errorf("%q is taken", lines)
		}
	}
}

func TestSum(t *testing.T) {
	l, _ := honest(t)
	if got, want := l.sum(), (Sum{Tried: 11, Committed: 5, RolledBack: 1, InDoubt: 2, HalfDone: 1, Untold: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestKind(t *testing.T) {
	got := kind("transaction 0198c0de-0000-7000-8000-000000000001: dial 127.0.0.1:23456: refused")
	if got != "transaction TXID dial #.#.#.#:#: refused" {
		t.Error(got)
	}
}

func TestProxyTarget(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://app@db0/shop":                       "db0:5432",
		"postgresql://app:pw@127.0.0.1:6432/shop":       "127.0.0.1:6432",
		"postgres://app@[::1]/shop":                     "[::1]:5432",
		"postgres://app@db0:1,db1:2/shop":               "",
		"postgres://app@/shop?host=/var/run/postgresql": "",
		"postgres://app@db0/shop?host=db1":              "",
		"postgres://app@db0/shop?sslmode=verify-full":   "",
		"postgres://app@db0/shop?sslmode=require":       "db0:5432",
		"file:/tmp/a.db":                                "",
	} {
		if got := proxyTarget(dsn); got != want {
			t.Errorf("%s: %q, want %q", dsn, got, want)
		}
	}
}
