package dualsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/dualsql/dualsql/internal/capture"
	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// captured is what a connection knows of how its texts are mirrored. It depends on the catalog and on the session's settings.
type captured struct {
	catalog int64 // the state of the catalog that it is for
	plans   map[*plan]*capturePlan
}

// capturePlan is how one text is mirrored.
type capturePlan struct {
	seen    []engine.Seen
	differs string // why the text must not simply run on both sides; "" if it may
	rows    *capture.Rows
	plan    *plan   // of rows' text; nil without rows
	why     error   // why there are no rows
	parts   []*plan // the statements of a text of several, which go by themselves; nil: it goes as a whole
}

// maxCaptured bounds what a connection keeps.
const maxCaptured = 512

// mirrorOf is what MirrorAuto stands for. To SQLite, which takes most of PostgreSQL's texts and few of its types, rows go only if they
// are asked for.
func mirrorOf(m Mirror, sides [2]*side) Mirror {
	switch secondary := sides[engine.Secondary].engine; {
	case m != MirrorAuto:
		return m
	case sides[engine.Primary].engine == engine.Postgres && (secondary == engine.Postgres || secondary == engine.SQLServer):
		return MirrorMixed
	}
	return MirrorStatement
}

// cannotCapture says why a pair cannot have a mirror mode; "" if it can.
func cannotCapture(m Mirror, sides [2]*side) string {
	switch {
	case m == MirrorStatement:
	case sides[engine.Primary].engine != engine.Postgres:
		return "rows are captured on PostgreSQL alone, and the primary is " + sides[engine.Primary].engine.Name()
	case sides[engine.Secondary].engine == engine.Generic:
		return "rows are carried over to PostgreSQL, SQL Server and SQLite, and the secondary is " + sides[engine.Secondary].engine.Name()
	}
	return ""
}

// captures decides how a statement is mirrored: as text, then it returns no plan, or as rows or in parts. What cannot be mirrored exactly is
// refused before it runs. seen is what this relies on. args are resolved.
func (c *Conn) captures(ctx context.Context, q call, args []driver.NamedValue, query bool) (other *capturePlan, seen []engine.Seen, _ error) {
	mode := c.co.mirror
	st := q.plan.st
	if mode == MirrorStatement || asText(ctx, q) || st.Kind < sqltext.Write {
		return nil, nil, nil
	}
	p, err := c.capturePlan(ctx, q.plan)
	if err != nil {
		return nil, nil, c.primaryError(err)
	}
	differs := p.differs
	if differs == "" && slices.ContainsFunc(args, mayBeClock) {
		differs = "an argument may stand for the moment at which it is read"
	}
	switch {
	case differs == "" && (mode == MirrorMixed || p.plan == nil && p.why == nil):
		return nil, p.seen, nil
	case p.rows != nil, p.parts != nil && len(args) == 0 && !query:
		return p, p.seen, nil
	}
	why := p.why
	if why == nil {
		why = errSeveral
	}
	return nil, nil, c.cannotMirror(ctx, q, differs, why)
}

// asText reports whether the caller has said that a statement is mirrored as text, its own or another for the secondary.
func asText(ctx context.Context, q call) bool {
	return q.variant != nil || hintOf(ctx, q.plan) == sqltext.HintMirror
}

var errSeveral = errors.New("the text holds several statements, and has arguments or rows; send them one by one")

// mayBeClock: PostgreSQL reads 'now' and its kin as dates and times.
func mayBeClock(a driver.NamedValue) bool {
	switch v := a.Value.(type) {
	case nil, bool, int64, float64:
		return false
	case string:
		return sqltext.MentionsClock(v)
	case []byte:
		return len(v) < 100 && sqltext.MentionsClock(string(v))
	default:
		return sqltext.MentionsClock(fmt.Sprint(v))
	}
}

// cannotMirror is the answer to a statement that would leave the sides different. The primary looks at it first: what is wrong
// with it is the better answer.
func (c *Conn) cannotMirror(ctx context.Context, q call, differs string, why error) error {
	if err := c.wrong(ctx, q); err != nil {
		return err
	}
	if differs != "" {
		differs = "the text may not do the same on both sides: " + differs + "; and "
	}
	return fmt.Errorf("dualsql: %q: %w: %srows cannot be carried over: %w; or run it under dualsql.WithMirror, or with /* dualsql:mirror */, if its text does the same on both sides; nothing has run",
		shorten(q.plan.st.Text), ErrNotMirrored, differs, why)
}

// wrong is what the primary says is wrong with a statement, before it runs.
func (c *Conn) wrong(ctx context.Context, q call) error {
	_, text, _, err := c.forPrimary(q)
	if err != nil || q.plan.st.Count != 1 {
		return err
	}
	st, err := c.primary.Prepare(ctx, text+"\n") // pgx does not ask again about a text that it has prepared
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		return c.primaryError(engine.Unprepared(err))
	}
	return nil
}

// capturePlan returns the plan of a text, once for each state of the catalog and of the session.
func (c *Conn) capturePlan(ctx context.Context, p *plan) (*capturePlan, error) {
	generation := c.co.catalog.Load()
	if c.captured.plans == nil || c.captured.catalog != generation || len(c.captured.plans) >= maxCaptured {
		c.captured = captured{generation, map[*plan]*capturePlan{}}
	}
	if got := c.captured.plans[p]; got != nil {
		return got, nil
	}
	got, err := c.newCapturePlan(ctx, p)
	if err == nil {
		c.captured.plans[p] = got
	}
	return got, err
}

// rely keeps what the mirroring of a statement relies on, for the end of the transaction to check: by then it has the locks that
// keep others from changing the tables, and the secondary has run the text.
func (t *tx) rely(seen []engine.Seen) {
	for _, one := range seen {
		if !slices.Contains(t.seen, one) {
			t.seen = append(t.seen, one)
		}
	}
}

// alter notes, before it does, a statement that may change tables: what was relied on so far has to hold until then.
func (t *tx) alter(ctx context.Context, st *sqltext.Statement, mirrored bool) error {
	alters := st.Kind == sqltext.DDL || st.Kind == sqltext.Call || st.Kind == sqltext.Other
	if t.c.co.mirror == MirrorStatement || !alters && !(st.Kind == sqltext.Read && mirrored) { // which may call what alters
		return nil
	}
	if t.c.primary.Status() == engine.TxOpen {
		if err := t.verify(ctx); err != nil {
			return t.stale(err)
		}
		t.seen = nil
	}
	t.altering = t.altering || alters
	return nil
}

// checkSeen is for a transaction that sees the catalog as it was when it began. One that does not checks it as it ends.
func (t *tx) checkSeen(ctx context.Context) error {
	if !t.snapshot() {
		return nil
	}
	if err := t.verify(ctx); err != nil {
		return t.stale(err)
	}
	t.seen = nil
	return nil
}

// verify asks, for a transaction that sees the catalog as it was, by another session. What the transaction has itself changed that
// one cannot see.
func (t *tx) verify(ctx context.Context) error {
	switch {
	case len(t.seen) == 0:
		return nil
	case !t.altering && t.snapshot():
		return t.c.co.withSession(ctx, engine.Primary, func(s engine.Marking) error { return s.(engine.Cataloged).Verify(ctx, t.seen, false) })
	case t.c.primary.Status() != engine.TxFailed:
		return t.c.primary.(engine.Cataloged).Verify(ctx, t.seen, !t.snapshot())
	}
	return nil
}

// explain looks whether it is a change by others that has made a statement fail on the secondary.
func (t *tx) explain(err error) error {
	t.c.notAsSeen(err)
	if errors.Is(err, engine.ErrStale) {
		return err
	}
	if verr := t.verify(t.ctx); errors.Is(verr, engine.ErrStale) {
		return t.stale(fmt.Errorf("%w (%w)", verr, err))
	}
	return err
}

func (t *tx) stale(err error) error {
	t.c.notAsSeen(err)
	t.err = &SideError{Side: "primary", Op: "check what the mirroring relies on", TxID: t.id, Err: err}
	return t.err
}

// notAsSeen: what is known of the catalog may not hold, or what is known of the session.
func (c *Conn) notAsSeen(err error) {
	c.captured = captured{}
	c.levelled = c.levelled || errors.Is(err, engine.ErrSnapshot)
}

// snapshot reports whether the transaction may see the catalog as it was at its first statement.
func (t *tx) snapshot() bool {
	switch level := sql.IsolationLevel(t.options.Isolation); {
	case level >= sql.LevelRepeatableRead || t.levelled || t.c.levelled:
		return true
	case level != sql.LevelDefault:
		return false
	}
	a, ok := t.c.primary.(engine.Ambient)
	return ok && a.Ambient()["default_transaction_isolation"] != "read committed" || slices.ContainsFunc(t.c.settings, func(s setting) bool { return isolates(s.from) })
}

// isolates reports whether a setting may give transactions another isolation level.
func isolates(s sqltext.Setting) bool {
	switch s.Name {
	case "transaction", "session characteristics", "default_transaction_isolation", "transaction_isolation":
		return true
	}
	return false
}

func (c *Conn) newCapturePlan(ctx context.Context, p *plan) (*capturePlan, error) {
	cat := c.primary.(engine.Cataloged)
	st := p.st
	switch {
	case st.Count > 1:
		return c.severalPlan(ctx, st)
	case st.Kind == sqltext.Write && st.Counts && (st.Verb == "INSERT" || st.Verb == "UPDATE" || st.Verb == "DELETE"):
		got, err := capture.Read(ctx, cat, st, c.co.sides[engine.Secondary].engine)
		if err != nil {
			return nil, err
		}
		cp := &capturePlan{seen: []engine.Seen{got.Seen}, differs: got.Differs, rows: got.Rows, why: got.Why}
		if cp.rows != nil {
			cp.plan = &plan{st: sqltext.Parse(cp.rows.Text, st.Dialect)}
		}
		return cp, nil
	}
	why, err := capture.Refused(ctx, cat, st)
	if err != nil || why == nil {
		return &capturePlan{}, err
	}
	return &capturePlan{differs: "its text alone says what it does", why: why}, nil
}

// severalPlan is that of a text of several statements. Behind one that may change tables or settings, what is known of tables does
// not hold.
func (c *Conn) severalPlan(ctx context.Context, st *sqltext.Statement) (*capturePlan, error) {
	rearranged := false
	all := &capturePlan{}
	split := st.Split()
	for _, one := range split {
		got, err := c.newCapturePlan(ctx, &plan{st: one})
		if err != nil {
			return nil, err
		}
		if one.Kind == sqltext.Write && rearranged && got.differs == "" {
			got.differs = "a statement before it may change tables or settings"
		}
		if got.differs != "" {
			return &capturePlan{differs: got.differs, why: errSeveral, parts: c.co.plansOf(split)}, nil
		}
		rearranged = rearranged || one.Kind != sqltext.Write && (one.Kind != sqltext.Read || len(one.Calls) > 0)
		all.seen = append(all.seen, got.seen...)
	}
	if rearranged {
		all.seen = nil // it may be the text itself that changes what was seen
	}
	return all, nil
}

// plansOf are the plans of a text's statements.
func (co *coordinator) plansOf(split []*sqltext.Statement) (parts []*plan) {
	for _, one := range split {
		parts = append(parts, co.plans.get(one.Text))
	}
	return parts
}

// runParts runs the statements of a text one by one, each as it is mirrored by itself, and returns the last one's result, as the
// server does. One that is refused behind others leaves half a text in an open transaction, which must not be committed.
func (t *tx) runParts(ctx context.Context, parts []*plan) (res driver.Result, rows driver.Rows, err error) {
	for i, part := range parts {
		if res, rows, err = t.c.run(ctx, call{plan: part}, false); err != nil {
			if i > 0 && t.err == nil && t.c.primary.Status() == engine.TxOpen {
				t.err = fmt.Errorf("dualsql: transaction %s is rolled back on both sides: statement %d of a text: %w", t.id, i+1, err)
			}
			return nil, nil, err
		}
	}
	return res, rows, nil
}

// mirrorRows runs a statement on the primary, which hands back the rows that it has made, and queues what brings these to the
// secondary.
func (t *tx) mirrorRows(ctx context.Context, q call, p *capturePlan, args []driver.NamedValue, query bool) (driver.Result, driver.Rows, error) {
	c := t.c
	if err := t.enlist(ctx); err != nil {
		return nil, nil, err
	}
	_, rows, err := t.onPrimary(ctx, call{plan: p.plan}, args, true)
	if err != nil {
		if engine.Outdated(err) {
			c.captured = captured{}
		}
		return nil, nil, err
	}
	b := rows.(*bufferedRows)
	statements, err := p.rows.Statements(b.set().rows)
	for i := 0; err == nil && i < len(statements); i++ {
		err = c.co.agree(statements[i].Args)
	}
	if err != nil {
		c.captured = captured{}
		t.err = &SideError{Side: "primary", Op: "capture the rows of " + shorten(q.plan.st.Text), TxID: t.id, Err: err}
		return nil, nil, t.err
	}
	t.note(q.plan.st)
	t.show(q.plan.st.Text)
	for _, s := range statements {
		m := mirrored{plan: q.plan, redoStatement: redoStatement{text: s.Text, args: s.Args, rows: s.Rows, query: s.Query}, ahead: c.co.window.ahead()}
		if err := c.lane.add(t.ctx, laneJob{size: m.size(), run: func(ctx context.Context) error { return t.repeat(ctx, m) }}); err != nil {
			return nil, nil, err
		}
	}
	n := b.count()
	if b.strip(p.rows.Extra); q.plan.st.Returns {
		rows = b
	} else {
		rows = noRows()
	}
	return driver.RowsAffected(n), rows, nil
}

// forgetCaptured drops what is known of tables behind a statement after which it may not hold any more.
func (t *tx) forgetCaptured(st *sqltext.Statement) {
	switch {
	case st.Kind == sqltext.Write && st.Counts, st.Kind == sqltext.Savepoint && st.Savepoint.Op != sqltext.RollbackToSavepoint:
	default:
		t.c.captured = captured{}
		t.rearranged = true
	}
}
