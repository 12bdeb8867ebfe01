package dualsql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// route is where a statement runs.
type route uint8

const (
	onPrimary      route = iota
	onPrimaryWrite       // on the primary alone, in a transaction that may write
	onBoth               // mirrored
	onSession            // session state: on the primary now, on the secondary when it is next used
	onBothBare           // on both, each outside of any transaction
)

// route decides where a statement runs, and finds the text that the secondary gets of it.
func (c *Conn) route(ctx context.Context, q *call) (route, error) {
	p := q.plan
	st := p.st
	if st.Kind == sqltext.TxControl && !c.namesSavepoint(st) {
		return 0, txControl(st)
	}
	if st.HintErr != nil {
		return 0, fmt.Errorf("dualsql: %q: %w", shorten(st.Text), st.HintErr)
	}
	if err := c.refused(st); err != nil {
		return 0, err
	}
	hint := hintOf(ctx, p)
	inTx := c.tx != nil
	var err error
	if q.variant, err = c.variantOf(ctx, p); err != nil {
		return 0, err
	}
	if c.co.translates && q.variant == nil && hint == sqltext.NoHint && !(inTx && c.tx.options.ReadOnly) {
		if err := c.translate(ctx, q); err != nil {
			return 0, err
		}
	}
	switch {
	case inTx && c.tx.options.ReadOnly:
		return onPrimary, nil
	case q.variant != nil && hint == sqltext.HintPrimary:
		return 0, fmt.Errorf("dualsql: %q is to run on the primary alone, and has a text for the secondary", shorten(st.Text))
	case q.variant != nil && st.Kind != sqltext.NoTx:
		return onBoth, nil
	case hint == sqltext.HintMirror:
		return onBoth, nil
	case hint == sqltext.HintPrimary && inTx:
		c.tx.primaryOnly = true
		return onPrimary, nil
	case hint == sqltext.HintPrimary && st.Kind == sqltext.Read:
		return onPrimary, nil
	case hint == sqltext.HintPrimary:
		return onPrimaryWrite, nil
	}
	switch st.Kind {
	case sqltext.Read:
		return c.routeRead(ctx, p)
	case sqltext.LockingRead:
		return c.routeLocking(ctx, p)
	case sqltext.Local:
		if st.Verb == "EXECUTE" {
			return 0, fmt.Errorf("dualsql: %q: whether it writes cannot be told from its text; prepare statements with sql.DB.Prepare", shorten(st.Text))
		}
		return c.routeLocal(ctx, p)
	case sqltext.Session:
		return c.routeSession(st), nil
	case sqltext.Savepoint:
		if !inTx {
			return 0, fmt.Errorf("dualsql: %s %q outside of a transaction; begin one with BeginTx", st.Verb, shorten(st.Text))
		}
	case sqltext.Call, sqltext.Write, sqltext.DDL, sqltext.Other:
		if st.Savepoint.Op != sqltext.NoSavepoint {
			return 0, fmt.Errorf("dualsql: %q has a savepoint among other statements; run it by itself", shorten(st.Text))
		}
	case sqltext.NoTx:
		if !inTx {
			return onBothBare, nil
		}
	}
	return onBoth, nil
}

// routeLocal: what belongs to the primary's session must not write, or only the primary would have it: a cursor runs the
// functions of its query when it is fetched from.
func (c *Conn) routeLocal(ctx context.Context, p *plan) (route, error) {
	if c.guard == nil || len(p.st.Calls) == 0 {
		return onPrimary, nil
	}
	class, err := c.classOf(ctx, p)
	if err == nil && class.mirror {
		err = fmt.Errorf("dualsql: %q runs on the primary alone and calls a function that may write; call it in a statement of its own", shorten(p.st.Text))
	}
	return onPrimary, err
}

// routeLocking: row locks are for the primary, which orders the writes.
func (c *Conn) routeLocking(ctx context.Context, p *plan) (route, error) {
	if c.guard == nil {
		return onPrimary, nil
	}
	class, err := c.classOf(ctx, p)
	switch {
	case err != nil:
		return 0, err
	case class.mirror:
		return onBoth, nil
	case c.tx != nil:
		return onPrimary, nil
	}
	return onPrimaryWrite, nil
}

// routeRead: outside of a transaction the read guard watches. Inside one, or without a guard, a text that calls a function
// that may write is mirrored.
func (c *Conn) routeRead(ctx context.Context, p *plan) (route, error) {
	if c.guard != nil && callsSetConfig(p.st) {
		return onBoth, nil
	}
	if len(p.st.Calls) == 0 || c.guard != nil && c.tx == nil || callsWriteNothing(c.co.sides[engine.Primary].engine) {
		return onPrimary, nil
	}
	if c.guard == nil {
		for _, call := range p.st.Calls {
			if call.Schema != "" || !pureFunctions[call.Name] {
				return onBoth, nil
			}
		}
		return onPrimary, nil
	}
	class, err := c.classOf(ctx, p)
	if err != nil || !class.mirror {
		return onPrimary, err
	}
	return onBoth, nil
}

// callsWriteNothing: SQLite's functions cannot write to the database, nor can SQL Server's ("Create user-defined functions":
// limitations); what its EXEC inside a statement does is no function's.
func callsWriteNothing(e engine.Engine) bool { return e == engine.SQLite || e == engine.SQLServer }

// namesSavepoint: T-SQL's ROLLBACK TRANSACTION name goes back to a savepoint if the transaction has one of that name.
func (c *Conn) namesSavepoint(st *sqltext.Statement) bool {
	return c.tx != nil && st.Count == 1 && st.Savepoint.Op == sqltext.RollbackToSavepoint &&
		slices.ContainsFunc(c.tx.marks, func(m savepointMark) bool { return m.savepoint == st.Savepoint.Name })
}

// classOf asks the catalog which of the text's functions may write, once for each text and state of the catalog.
func (c *Conn) classOf(ctx context.Context, p *plan) (*callClass, error) {
	generation := c.co.catalog.Load()
	if class := p.calls.Load(); class != nil && class.generation == generation {
		return class, nil
	}
	class := &callClass{generation: generation}
	if len(p.st.Calls) > 0 {
		mirror, primary, err := c.guard.Volatile(ctx, p.st.Calls)
		if err != nil {
			return nil, err
		}
		class.mirror, class.primary = len(mirror) > 0, len(primary) > 0
	}
	p.calls.Store(class)
	return class, nil
}

// routeGuarded decides about a statement that the read guard has stopped before it did anything.
func (c *Conn) routeGuarded(ctx context.Context, p *plan) (route, error) {
	class, err := c.classOf(ctx, p)
	if err != nil {
		return 0, err
	}
	if class.primary && !class.mirror {
		return onPrimaryWrite, nil // nextval and its kin
	}
	return onBoth, nil
}

// routeSession: where SQL Server is one side, the other does not have its settings.
func (c *Conn) routeSession(st *sqltext.Statement) route {
	if c.co.besideSQLServer() {
		return onPrimary
	}
	if c.tx != nil || slices.ContainsFunc(st.Settings, inDatabase) {
		return onBoth
	}
	return onSession
}

// refused stops settings that would undo what dualsql relies on.
func (c *Conn) refused(st *sqltext.Statement) error {
	refusing, ok := c.primary.(engine.Refusing)
	if !ok {
		return nil
	}
	if c.guard != nil && callsSetConfig(st) && strings.Contains(strings.ToLower(st.Text), "transaction_read_only") {
		return fmt.Errorf("dualsql: %q must not change the access mode, which dualsql sets itself, so that no write goes unmirrored", shorten(st.Text))
	}
	for _, s := range st.Settings {
		if why := refusing.Refuses(s); why != "" {
			return fmt.Errorf("dualsql: %q must not change %s: %s", shorten(st.Text), s.Name, why)
		}
	}
	return nil
}

// pureFunctions are the functions of the SQL standard and of common databases that change nothing, for engines that cannot
// be asked. A call of any other is mirrored.
var pureFunctions = map[string]bool{
	"abs": true, "avg": true, "cast": true, "ceil": true, "ceiling": true, "char_length": true, "coalesce": true, "concat": true,
	"count": true, "current_date": true, "current_time": true, "current_timestamp": true, "date": true, "dense_rank": true,
	"extract": true, "first_value": true, "floor": true, "greatest": true, "ifnull": true, "isnull": true, "lag": true,
	"last_value": true, "lead": true, "least": true, "left": true, "len": true, "length": true, "lower": true, "ltrim": true,
	"max": true, "min": true, "mod": true, "now": true, "nullif": true, "over": true, "position": true, "power": true,
	"rank": true, "replace": true, "right": true, "round": true, "row_number": true, "rtrim": true, "sign": true, "sqrt": true,
	"substr": true, "substring": true, "sum": true, "trim": true, "upper": true, "year": true, "month": true, "day": true,
}
