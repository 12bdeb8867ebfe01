package torture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// verifyLedger compares what was told with what is in the databases.
func verifyLedger(ctx context.Context, dbs [2]*sql.DB, l *ledger) ([]sides.Check, error) {
	once, order := sides.Check{Name: checkOnce, OK: true}, sides.Check{Name: checkOrder, OK: true}
	for i, db := range dbs {
		f := finder{ledger: l, side: i, once: &once, order: &order}
		if err := f.items(ctx, db); err != nil {
			return nil, fmt.Errorf("%s: %w", sides.Name(i), err)
		}
		for _, t := range []string{"transfer", "note"} {
			if err := f.values(ctx, db, t); err != nil {
				return nil, fmt.Errorf("%s: %w", sides.Name(i), err)
			}
		}
	}
	acknowledged, refused := sides.Check{Name: checkAcknowledged, OK: true}, sides.Check{Name: checkRolledBack, OK: true}
	committed, rolledBack := 0, 0
	for n, life := range l.lives {
		for w := range life.workers {
			for i, e := range life.workers[w] {
				at := func() string { return l.describe(value(n+1, w, i+1)) }
				switch e.said {
				case dualsql.Committed, dualsql.HalfDone:
					if committed++; e.found != [2]uint8{1, 1} {
						acknowledged.Fail("%s is there %d times on the primary and %d times on the secondary", at(), e.found[0], e.found[1])
					}
				case dualsql.RolledBack:
					if rolledBack++; e.found != [2]uint8{} {
						refused.Fail("%s is there %d times on the primary and %d times on the secondary", at(), e.found[0], e.found[1])
					}
				}
				if e.found[0] > 1 || e.found[1] > 1 {
					once.Fail("%s is there %d times on the primary and %d times on the secondary", at(), e.found[0], e.found[1])
				}
			}
		}
	}
	counted(&acknowledged, "%d", committed)
	counted(&refused, "%d", rolledBack)
	return []sides.Check{acknowledged, refused, once, order}, nil
}

// finder notes in the ledger what it finds on one side.
type finder struct {
	*ledger
	side        int
	once, order *sides.Check
}

func (f *finder) found(table string, val int64) *entry {
	e := f.entry(val)
	if e == nil {
		f.once.Fail("table %s has the value %s on the %s, which nobody has tried", table, name(val), sides.Name(f.side))
		return nil
	}
	if e.found[f.side] < 255 {
		e.found[f.side]++
	}
	return e
}

func (f *finder) values(ctx context.Context, db *sql.DB, table string) (err error) {
	rows, err := db.QueryContext(ctx, "select val from "+prefix+table)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var val int64
		if err := rows.Scan(&val); err != nil {
			return err
		}
		f.found(table, val)
	}
	return rows.Err()
}

// items walks through the lists from front to back. The lines of one process are in the order in which things happened
// there: an item that was acknowledged before another was begun must not stand behind it.
func (f *finder) items(ctx context.Context, db *sql.DB) (err error) {
	rows, err := db.QueryContext(ctx, full("select list, pos, val from @item order by list, pos"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	type begun struct {
		line uint32
		val  int64
	}
	last := map[int]begun{} // by life: the item of the list that was begun last, of those up to here
	list := int64(0)
	for rows.Next() {
		var of, pos, val int64
		if err := rows.Scan(&of, &pos, &val); err != nil {
			return err
		}
		if of != list {
			clear(last)
			list = of
		}
		e := f.found("item", val)
		if e == nil {
			continue
		}
		n, _, _ := split(val)
		b := last[n]
		if (e.said == dualsql.Committed || e.said == dualsql.HalfDone) && e.told < b.line {
			f.order.Fail("in list %d on the %s, %s stands behind %s, which was begun after its acknowledgement", of, sides.Name(f.side), name(val), name(b.val))
		}
		if e.tried > b.line {
			last[n] = begun{e.tried, val}
		}
	}
	return rows.Err()
}

// describe is a value with what was told of it.
func (l *ledger) describe(val int64) string {
	s := name(val)
	e := l.entry(val)
	if e == nil {
		return s
	}
	s += ", told " + e.said.String()
	if why := l.whys[e.why]; why != "" {
		s += " (" + why + ")"
	}
	return s
}
