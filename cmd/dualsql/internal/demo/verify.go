package demo

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// rules are queries that count what is wrong, for each side by itself.
var rules = []struct{ name, wrong string }{
	{"what left the stock is what was ordered", `select count(*) from @stock s
		where s.initial - s.on_hand <> coalesce((select sum(l.quantity) from @order_lines l where l.item = s.item), 0)`},
	{"every customer's balance is payments minus orders", `select count(*) from @customers c
		where c.balance <> coalesce((select sum(p.amount) from @payments p where p.customer = c.id), 0)
			- coalesce((select sum(o.total) from @orders o where o.customer = c.id), 0)`},
	{"every order has all of its lines, and their sum", `select count(*) from @orders o where o.lines <> (select count(*) from @order_lines l where l.order_id = o.id)
		or o.total <> (select sum(l.quantity * l.price) from @order_lines l where l.order_id = o.id)`},
	{"every delivery is noted in its order", `select count(*) from @deliveries d
		where not exists (select 1 from @orders o where o.id = d.order_id and o.delivered_at = d.delivered_at)`},
}

// verify checks each side by itself: the rules, and the transactions that the working processes told of before they died.
func verify(ctx context.Context, dbs [2]*sql.DB, told *told) ([]sides.Check, error) {
	var list []sides.Check
	acknowledged := sides.Check{Name: "every acknowledged transaction is there, once", OK: true, Detail: fmt.Sprint(len(told.committed))}
	refused := sides.Check{Name: "no transaction that was rolled back is there", OK: true, Detail: fmt.Sprint(len(told.rolledBack))}
	for i, db := range dbs {
		ids, err := eventIDs(ctx, db, 0)
		if err != nil {
			return nil, err
		}
		for id := range told.committed {
			if !ids[id] {
				acknowledged.Fail("%s is missing on the %s", id, sides.Name(i))
			}
		}
		for id := range told.rolledBack {
			if ids[id] {
				refused.Fail("%s is on the %s", id, sides.Name(i))
			}
		}
	}
	list = append(list, acknowledged, refused)
	for _, r := range rules {
		c := sides.Check{Name: r.name, OK: true}
		for i, db := range dbs {
			wrong, err := one(db.QueryContext(ctx, full(r.wrong)))
			if err != nil {
				return nil, err
			}
			if wrong > 0 {
				c.Fail("%d are wrong on the %s", wrong, sides.Name(i))
			}
		}
		list = append(list, c)
	}
	return list, nil
}
