package torture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// leftovers is what is still open when everybody has had the time to end it.
type leftovers struct {
	pending   []string // transactions of the journals, each with its problem
	prepared  []string // in either database
	open      []string // entries of the journals' files
	unknown   []string // transactions that a journal was to know and does not
	recovered int
	markers   [2]int
}

const (
	settleLimit = 2 * time.Minute
	settleEvery = 50 * time.Millisecond
	// mostAsked is how many transactions of one journal are asked for again at the end, if they have been answered before: a
	// journal remembers the newest only (10,000).
	mostAsked = 5000
)

// settle opens every journal once more, past the proxies, and waits until nothing is open. Then it asks for every
// transaction that callers were not told the end of, those that were answered before included.
func (t *torture) settle(ctx context.Context) (*leftovers, error) {
	limited, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	l := &leftovers{}
	var connectors []*dualsql.Connector
	closeAll := func() (err error) {
		for _, c := range connectors {
			err = errors.Join(err, c.Close())
		}
		connectors = nil
		return err
	}
	defer func() { _ = closeAll() }() // after a failure that is the one to report
	for n := range t.Processes {
		cfg, err := t.config(n, true)
		if err != nil {
			return nil, err
		}
		c, err := dualsql.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		connectors = append(connectors, c)
	}
	for n, c := range connectors {
		if err := l.recover(limited, n, c); err != nil {
			return nil, err
		}
		l.ask(limited, t.slots[n].journal, c, t.ledger)
	}
	// While the connectors are there, they end what belongs to lost journals.
	if err := t.waitPrepared(limited, l); err != nil {
		return nil, err
	}
	for _, c := range connectors {
		s, err := c.Stats()
		if err != nil {
			return nil, err
		}
		l.recovered += int(s.Recovered)
	}
	if err := closeAll(); err != nil {
		return nil, err
	}
	return l, t.examine(ctx, l)
}

// recover waits until nothing of a journal is pending.
func (l *leftovers) recover(ctx context.Context, n int, c *dualsql.Connector) error {
	for {
		r, err := c.Recover(ctx)
		if err == nil && len(r.Pending) == 0 {
			return nil
		}
		if pause(ctx, settleEvery) == nil {
			continue
		}
		if err != nil {
			return fmt.Errorf("the journal of process %d cannot be recovered: %w", n+1, err)
		}
		for _, p := range r.Pending {
			l.pending = append(l.pending, fmt.Sprintf("%s is %s in the journal of process %d: %s", p.TxID, p.State, n+1, p.Problem))
		}
		return nil
	}
}

func (l *leftovers) ask(ctx context.Context, j journalID, c *dualsql.Connector, ledger *ledger) {
	for _, q := range ledger.toAsk(j) {
		o, err := c.Outcome(ctx, q.txid)
		if err != nil {
			l.unknown = append(l.unknown, fmt.Sprintf("%s was told to be %s, and Outcome says: %v", q.txid, q.said, err))
			continue
		}
		q.learn(o)
	}
}

// toAsk returns the transactions of a journal that it has to know: all that are not answered, and the newest of the others.
func (l *ledger) toAsk(j journalID) []*query {
	l.mu.Lock()
	defer l.mu.Unlock()
	var open, answered []*query
	for _, q := range l.queries {
		switch {
		case q.journal != j:
		case q.answered():
			answered = append(answered, q)
		default:
			open = append(open, q)
		}
	}
	// Transactions' ids are ordered by time.
	slices.SortFunc(answered, func(a, b *query) int { return slices.Compare(b.txid[:], a.txid[:]) })
	return append(open, answered[:min(len(answered), mostAsked)]...)
}

// waitPrepared waits until the prepared transactions that there are now are gone. Newer ones are not the torture's.
func (t *torture) waitPrepared(ctx context.Context, l *leftovers) error {
	for i, db := range t.sides {
		if sides.EngineOf(t.dsns[i]) != sides.Postgres {
			continue
		}
		left, err := prepared(ctx, db)
		for err == nil && len(left) > 0 && pause(ctx, settleEvery) == nil {
			var now []string
			now, err = prepared(ctx, db)
			left = slices.DeleteFunc(left, func(gid string) bool { return !slices.Contains(now, gid) })
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: list the prepared transactions: %w", sides.Name(i), err)
		}
		for _, gid := range left {
			l.prepared = append(l.prepared, fmt.Sprintf("%s on the %s", gid, sides.Name(i)))
		}
	}
	return nil
}

func prepared(ctx context.Context, db *sql.DB) (gids []string, err error) {
	rows, err := db.QueryContext(ctx, "select gid from pg_catalog.pg_prepared_xacts where gid like 'dualsql:%' and database = current_database()")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var gid string
		if err := rows.Scan(&gid); err != nil {
			return nil, err
		}
		gids = append(gids, gid)
	}
	return gids, rows.Err()
}

// examine reads the journals' files and counts the markers.
func (t *torture) examine(ctx context.Context, l *leftovers) error {
	for n := range t.Processes {
		list, _, err := dualsql.OpenIntents(t.journal(n), nil)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the journal of process %d: %w", n+1, err)
		}
		for _, o := range list {
			l.open = append(l.open, fmt.Sprintf("%s of process %d", o.TxID, n+1))
		}
	}
	for i, db := range t.sides {
		text := map[sides.Engine]string{
			sides.SQLite:    "select count(*) from dualsql_commit",
			sides.Postgres:  "select count(*) from dualsql.commit",
			sides.SQLServer: "select count(*) from dualsql.[commit]",
		}[sides.EngineOf(t.dsns[i])]
		if err := db.QueryRowContext(ctx, text).Scan(&l.markers[i]); err != nil {
			return fmt.Errorf("%s: count the markers: %w", sides.Name(i), err)
		}
	}
	return nil
}
