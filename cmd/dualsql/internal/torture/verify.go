package torture

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// rules are queries that count what is wrong, for each side by itself.
var rules = []struct{ name, wrong string }{
	{"the sum of all balances is unchanged", fmt.Sprintf("select count(*) from (select sum(balance) as s, count(*) as n from @account) t where t.s <> %d or t.n <> %d",
		accounts*balance, accounts)},
	{"every balance is what the transfers make of it", fmt.Sprintf(`select count(*) from @account a
		left join (select debit as id, sum(amount) as s from @transfer group by debit) d on d.id = a.id
		left join (select credit as id, sum(amount) as s from @transfer group by credit) c on c.id = a.id
		where a.balance <> %d - coalesce(d.s, 0) + coalesce(c.s, 0)`, balance)},
	{"every list has all positions up to its length, and no other", `select count(*) from @list l
		left join (select list, count(*) as n, min(pos) as first, max(pos) as last from @item group by list) i on i.list = l.id
		where l.n <> coalesce(i.n, 0) or l.n <> coalesce(i.last, 0) or coalesce(i.first, 1) <> 1`},
}

// The checks that are not queries.
const (
	checkEqual        = "both sides are equal, row by row"
	checkAcknowledged = "every transaction that was told to be committed is there, once"
	checkRolledBack   = "none is there that was told to be rolled back"
	checkOnce         = "none is there twice, and none that nobody has tried"
	checkOrder        = "what was appended after an acknowledgement stands behind it"
	checkOutcome      = "Connector.Outcome has told the truth of those in doubt or half done"
	checkPrepared     = "no prepared transaction is left"
	checkJournals     = "nothing is open in any journal"
)

// verify looks at the databases, past dualsql, and at what was told and what is left.
func verify(ctx context.Context, dbs [2]*sql.DB, l *ledger, left *leftovers) (tables []sides.Difference, list []sides.Check, err error) {
	if tables, err = sides.Compare(ctx, dbs[0], dbs[1], comparable()); err != nil {
		return nil, nil, err
	}
	equal := sides.Check{Name: checkEqual, OK: true}
	rows := 0
	for _, d := range tables {
		if rows += d.Rows; !d.Equal() {
			equal.Fail("table %s: %d rows on the primary only, %d on the secondary only, %d different; %s",
				d.Table, d.PrimaryOnly, d.SecondaryOnly, d.Different, d.Example)
		}
	}
	counted(&equal, "%d rows", rows)
	list = append(list, equal)
	for _, r := range rules {
		c := sides.Check{Name: r.name, OK: true}
		for i, db := range dbs {
			var wrong int
			if err := db.QueryRowContext(ctx, full(r.wrong)).Scan(&wrong); err != nil {
				return nil, nil, fmt.Errorf("%s: %s: %w", sides.Name(i), r.name, err)
			}
			if wrong > 0 {
				c.Fail("%d wrong on the %s", wrong, sides.Name(i))
			}
		}
		list = append(list, c)
	}
	told, err := verifyLedger(ctx, dbs, l)
	if err != nil {
		return nil, nil, err
	}
	return tables, append(append(list, told...), verifyOutcomes(l, left), verifyPrepared(left), verifyJournals(left)), nil
}

func counted(c *sides.Check, format string, n int) {
	if c.OK {
		c.Detail = fmt.Sprintf(format, n)
	}
}

// verifyOutcomes compares what Connector.Outcome has said with what is there.
func verifyOutcomes(l *ledger, left *leftovers) sides.Check {
	c := sides.Check{Name: checkOutcome, OK: true}
	lost := 0
	for _, q := range l.queries {
		e := l.entry(q.val)
		if e == nil {
			c.Fail("%s is of a transaction that nobody has tried", q.txid)
			continue
		}
		there := e.found != [2]uint8{}
		for _, o := range q.answers {
			if there != (o == dualsql.Committed || o == dualsql.HalfDone) && o != dualsql.InDoubt {
				c.Fail("Outcome has said %q of %s, which is there %d times on the primary and %d times on the secondary", o, l.describe(q.val), e.found[0], e.found[1])
			}
			if o != dualsql.Committed && o != dualsql.RolledBack && o != dualsql.InDoubt && o != dualsql.HalfDone {
				c.Fail("Outcome has said %q of %s", o, l.describe(q.val))
			}
		}
		if q.said == dualsql.HalfDone && !there {
			c.Fail("%s was told to be half done, and is nowhere", l.describe(q.val))
		}
		switch {
		case q.answered():
		case q.lost:
			lost++
		default:
			c.Fail("%s was told to be %s, and Outcome has never said how it ended", l.describe(q.val), q.said)
		}
	}
	for _, text := range left.unknown {
		c.Fail("%s", text)
	}
	if c.OK {
		c.Detail = fmt.Sprintf("%d, and %d that could not be asked for as their journal was deleted", len(l.queries)-lost, lost)
	}
	return c
}

func verifyPrepared(left *leftovers) sides.Check {
	c := sides.Check{Name: checkPrepared, OK: true}
	if n := len(left.prepared); n > 0 {
		c.Fail("%d, for example %s", n, left.prepared[0])
	}
	return c
}

func verifyJournals(left *leftovers) sides.Check {
	c := sides.Check{Name: checkJournals, OK: true}
	if n := len(left.pending); n > 0 {
		c.Fail("%d are pending, for example %s", n, left.pending[0])
	}
	if n := len(left.open); n > 0 {
		c.Fail("%d are open, for example %s", n, left.open[0])
	}
	return c
}
