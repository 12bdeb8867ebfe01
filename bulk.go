package dualsql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// bulk is a [CopyFrom] on its way through database/sql: the one argument of a statement.
type bulk struct {
	name    string // the table's, as the caller has it
	table   []string
	columns []string
	source  CopySource
	read    bool // the source has been asked: it cannot be asked again
}

// Value implements driver.Valuer for all drivers that do not know what a bulk is.
func (b *bulk) Value() (driver.Value, error) { return nil, errNotDualsql }

func bulkOf(args []driver.NamedValue) (b *bulk) {
	if len(args) == 1 {
		b, _ = args[0].Value.(*bulk)
	}
	return b
}

// insert is the text that inserts so many rows on an engine; nil: any. COPY gives identity columns what it has (PostgreSQL
// manual, COPY), and so does the text.
func (b *bulk) insert(rows int, e engine.Engine) string {
	var text strings.Builder
	text.WriteString("insert into " + pgx.Identifier(b.table).Sanitize())
	sep := " ("
	for _, c := range b.columns {
		text.WriteString(sep + pgx.Identifier{c}.Sanitize())
		sep = ", "
	}
	if sep = ") values ("; e == engine.Postgres {
		sep = ") overriding system value values ("
	}
	for n := range rows * len(b.columns) {
		text.WriteString(sep + "$" + strconv.Itoa(n+1))
		if sep = ", "; (n+1)%len(b.columns) == 0 {
			sep = "), ("
		}
	}
	text.WriteByte(')')
	return text.String()
}

// What an INSERT takes. SQL Server bounds both (learn.microsoft.com: "Maximum capacity specifications for SQL Server", "Table Value
// Constructor").
const (
	maxInsertRows = 256
	maxInsertArgs = 2000
)

// batch is how many of so many rows the next INSERT takes: a power of two, so that there are few texts.
func (b *bulk) batch(rows int) int {
	n := maxInsertRows
	for n > 1 && (n > rows || n*len(b.columns) > maxInsertArgs) {
		n /= 2
	}
	return n
}

// cannotCopy says why a copy cannot be run here.
func (c *Conn) cannotCopy(ctx context.Context, b *bulk, p *plan) error {
	why := ""
	for role, s := range c.co.sides {
		if s.engine == engine.Generic {
			why = fmt.Sprintf("the %s is of the generic engine, of which it is not known how names are quoted; use INSERT", engine.Role(role))
		}
	}
	switch {
	case c.tx != nil && c.tx.options.ReadOnly:
		why = "the transaction is read-only"
	case hintOf(ctx, p) == sqltext.HintPrimary:
		why = "it writes to both sides, and the context has WithPrimaryOnly; copy on Conn.Primary, or use INSERT"
	case ctx.Value(secondaryKey{}) != nil:
		why = "it takes no text of its own for the secondary"
	}
	if why != "" {
		return fmt.Errorf("dualsql: CopyFrom into %s: %s", b.name, why)
	}
	return nil
}

// copyFrom runs a bulk, in the open transaction or as one of its own.
func (c *Conn) copyFrom(ctx context.Context, b *bulk) (driver.Result, error) {
	w := &bulkWriter{bulk: b, c: c, chunk: chunk{binary: make([]bool, len(b.columns))}, plan: c.co.plans.get(b.insert(1, c.co.sides[engine.Primary].engine))}
	err := c.cannotCopy(ctx, b, w.plan)
	switch {
	case err != nil:
	case c.tx != nil:
		err = w.run(ctx, c.tx)
	default:
		if err = c.co.admit(ctx); err == nil {
			err = c.alone(ctx, func(t *tx) error { return w.run(ctx, t) })
		}
	}
	if err != nil {
		if b.read {
			err = settled("primary", "copy into "+b.name, err)
		}
		return nil, err
	}
	return driver.RowsAffected(w.written), nil
}

// maxChunk bounds the rows that are sent at once, in bytes as the journal would have them.
const maxChunk = 256 << 10

// bulkWriter brings the rows of a bulk to both sides, chunk by chunk. As all writes, each goes to the primary first, and into the
// lane when it is there.
type bulkWriter struct {
	*bulk
	c        *Conn
	plan     *plan // of an INSERT of one row on the primary: it says how the copy is mirrored
	captured bool  // the primary hands back the rows that it has made
	chunk    chunk
	taken    int   // rows
	written  int64 // as the primary has counted them
	lent     bool  // what a value refers to may change once the caller has it back
	sent     bool
}

// chunk is some of the rows.
type chunk struct {
	values []driver.NamedValue
	size   int64
	binary []bool // columns for which there have been bytes
}

func (w *bulkWriter) run(ctx context.Context, t *tx) error {
	if err := t.doomed(); err != nil {
		return err
	}
	nulls := make([]driver.NamedValue, len(w.columns))
	for i := range nulls {
		nulls[i].Ordinal = i + 1
	}
	rows, seen, err := w.c.captures(ctx, call{plan: w.plan, args: nulls}, nulls, false)
	if err != nil {
		return err
	}
	t.rely(seen)
	w.captured = rows != nil
	if err := t.enlist(ctx); err != nil {
		return err
	}
	err = w.all(ctx, t)
	if err != nil && !t.implicit {
		t.failCopy(ctx, w.bulk, err)
	}
	return err
}

// all takes the rows from the source.
func (w *bulkWriter) all(ctx context.Context, t *tx) error {
	w.read = true
	for w.source.Next() {
		row, err := w.source.Values()
		if err == nil {
			err = w.take(row)
		}
		if err != nil {
			return fmt.Errorf("dualsql: CopyFrom into %s: row %d: %w", w.name, w.taken+1, err)
		}
		if w.chunk.size < maxChunk {
			continue
		}
		if err := w.flush(ctx, t); err != nil {
			return err
		}
	}
	if err := w.source.Err(); err != nil {
		return fmt.Errorf("dualsql: CopyFrom into %s: behind row %d: %w", w.name, w.taken, err)
	}
	if len(w.chunk.values) > 0 || !w.sent { // the databases have a word on the names, also without rows
		if err := w.flush(ctx, t); err != nil {
			return err
		}
	}
	if w.lent {
		return w.c.lane.barrier(ctx)
	}
	return nil
}

// take adds a row to the chunk.
func (w *bulkWriter) take(row []any) error {
	if len(row) != len(w.columns) {
		return fmt.Errorf("it has %d values for %d columns", len(row), len(w.columns))
	}
	first := len(w.chunk.values)
	for i, v := range row {
		v, plain, err := resolveValue(engine.Neutral(v))
		if err != nil {
			return fmt.Errorf("column %s: %w", w.columns[i], err)
		}
		w.lent = w.lent || !plain
		if _, is := v.([]byte); is {
			w.chunk.binary[i] = true
		}
		w.chunk.values = append(w.chunk.values, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	values := w.chunk.values[first:]
	if err := w.c.co.agree(values); err != nil {
		return err
	}
	w.chunk.size += argsSize(values)
	w.taken++
	return nil
}

// flush writes the chunk.
func (w *bulkWriter) flush(ctx context.Context, t *tx) error {
	w.sent = true
	full := w.chunk
	w.chunk = chunk{values: make([]driver.NamedValue, 0, len(full.values)), binary: slices.Clone(full.binary)}
	if err := t.doomed(); err != nil {
		return err
	}
	if w.captured {
		return w.byRows(ctx, t, full)
	}
	n, err := w.onPrimary(ctx, t, full)
	if err != nil {
		return err
	}
	w.written += n
	t.note(w.plan.st)
	t.show(w.plan.st.Text)
	if w.c.co.sides[engine.Primary].engine.OneWriter() {
		w.c.lane.hurry()
	}
	ahead := w.c.co.window.ahead()
	return w.c.lane.add(ctx, laneJob{size: full.size, run: func(ctx context.Context) error { return t.repeatBulk(ctx, w, full, n, ahead) }})
}

// byRows has INSERTs mirrored as all others are.
func (w *bulkWriter) byRows(ctx context.Context, t *tx, full chunk) error {
	for args := range w.batches(full) {
		p := w.c.co.plans.get(w.insert(len(args)/len(w.columns), engine.Postgres))
		res, _, err := t.mirror(ctx, call{plan: p, args: args}, false)
		if err != nil {
			return err
		}
		w.written += affected(res)
	}
	return nil
}

// batches returns the arguments of the INSERTs that write a chunk.
func (w *bulkWriter) batches(full chunk) func(yield func([]driver.NamedValue) bool) {
	return func(yield func([]driver.NamedValue) bool) {
		for left := full.values; len(left) > 0; {
			n := w.batch(len(left)/len(w.columns)) * len(w.columns)
			args := make([]driver.NamedValue, n)
			for i := range args {
				args[i] = driver.NamedValue{Ordinal: i + 1, Value: left[i].Value}
				if args[i].Value == nil && full.binary[i%len(w.columns)] {
					args[i].Value = []byte(nil) // SQL Server takes no other NULL for it
				}
			}
			left = left[n:]
			if !yield(args) {
				return
			}
		}
	}
}

// onPrimary writes a chunk to the primary, and returns how many rows that counts.
func (w *bulkWriter) onPrimary(ctx context.Context, t *tx, full chunk) (n int64, err error) {
	if s, ok := w.c.primary.(engine.Copying); ok {
		n, err = s.CopyFrom(ctx, w.copy(full))
		return n, w.c.primaryError(err)
	}
	for args := range w.batches(full) {
		p := w.c.co.plans.get(w.insert(len(args)/len(w.columns), w.c.co.sides[engine.Primary].engine))
		res, _, err := t.onPrimary(ctx, call{plan: p}, args, false)
		if err != nil {
			return 0, err
		}
		n += affected(res)
	}
	return n, nil
}

func (b *bulk) copy(rows chunk) *engine.Copy {
	return &engine.Copy{Table: b.table, Columns: b.columns, Values: rows.values}
}

// failCopy leaves a transaction in which a copy has failed as PostgreSQL does: failed, whatever the reason.
func (t *tx) failCopy(ctx context.Context, b *bulk, err error) {
	if t.doomed() != nil {
		return
	}
	s, ok := t.c.primary.(engine.Copying)
	if ok && t.c.primary.Status() == engine.TxOpen {
		ctx, cancel := cleanupContext(ctx)
		defer cancel()
		_, _ = s.CopyFrom(ctx, &engine.Copy{Table: b.table, Columns: b.columns, Err: err}) // it fails, and the transaction with it
	}
	if t.c.primary.Status() != engine.TxFailed || !t.c.co.sides[engine.Primary].engine.Revives() {
		t.err = &SideError{Side: "primary", Op: "copy into " + b.name, TxID: t.id, Err: err}
	}
}

// repeatBulk runs in the lane: a chunk's turn on the secondary has come.
func (t *tx) repeatBulk(ctx context.Context, w *bulkWriter, full chunk, want int64, ahead []*flight) error {
	c := t.c
	if err := t.turn(ctx, w.plan.st.Text, ahead); err != nil {
		return err
	}
	s, copies := c.secondary.(engine.Copying)
	repeats := t.protocol().repeats()
	var got int64
	var redo []redoStatement
	var err error
	if copies {
		got, err = s.CopyFrom(ctx, w.copy(full))
	}
	if err == nil && (!copies || repeats) {
		for args := range w.batches(full) {
			var m mirrored
			if m, err = w.forSecondary(ctx, args, repeats); err != nil {
				break
			}
			if !copies {
				var n int64
				if n, err = t.runSecondary(ctx, &m); err != nil {
					break
				}
				got += n
			}
			redo = append(redo, m.redoStatement)
		}
	}
	if err != nil {
		return t.secondaryError("copy into "+w.name, err)
	}
	if _, err := t.compare(w.plan.st.Text, want, got); err != nil || !repeats {
		return err
	}
	skipped := int(got)*len(w.columns) != len(full.values)
	for _, r := range redo {
		if skipped {
			r.rows = -1 // nobody knows which rows
		}
		if err := t.keepRedo(r); err != nil {
			return err
		}
	}
	return nil
}

// forSecondary makes the INSERT of some rows.
func (w *bulkWriter) forSecondary(ctx context.Context, args []driver.NamedValue, repeats bool) (m mirrored, err error) {
	side := w.c.co.sides[engine.Secondary]
	rows := len(args) / len(w.columns)
	m.plan = w.c.co.variants.get(w.insert(rows, side.engine))
	bound, err := m.plan.bind(side, args)
	if err != nil {
		return m, err
	}
	m.redoStatement = redoStatement{text: bound.text, rows: int64(rows)}
	if m.args, err = w.c.bindArgs(w.c.secondary, side, nil, bound, args); err == nil && repeats {
		m.args, err = w.c.secondary.Portable(ctx, m.text, m.args)
	}
	return m, err
}
