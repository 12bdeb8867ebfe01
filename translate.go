package dualsql

import (
	"context"
	"errors"
	"fmt"

	"github.com/dualsql/dualsql/internal/ddl"
	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// translation is what becomes of a text that changes the schema, where the secondary is another vendor's.
type translation struct {
	plan  *plan   // of the secondary's text; nil: it gets the primary's
	parts []*plan // the statements of a text of several; nil: it goes as a whole
	err   error   // why it cannot be translated
}

// translates reports whether the secondary gets changes of the schema in its own words.
func translates(m Mirror, sides [2]*side) bool {
	return m != MirrorStatement && ddl.Can(sides[engine.Primary].engine.Dialect(), sides[engine.Secondary].engine.Dialect())
}

// translate finds what the secondary gets of a text that changes the schema. What cannot be said there is refused before it runs.
func (c *Conn) translate(ctx context.Context, q *call) error {
	t := q.plan.other.Load()
	if t == nil {
		t = c.co.translation(q.plan.st)
		q.plan.other.Store(t)
	}
	if t.err != nil {
		if err := c.wrong(ctx, *q); err != nil {
			return err
		}
		return t.err
	}
	q.variant, q.parts = t.plan, t.parts
	return nil
}

func (co *coordinator) translation(st *sqltext.Statement) *translation {
	if st.Count == 1 {
		return co.translateOne(st, 0, st)
	}
	foreign := false
	var flow *sqltext.Statement // T-SQL's that others depend on
	split := st.Split()
	for _, part := range split {
		if flow == nil && part.Dialect == sqltext.SQLServer && part.Kind == sqltext.Read && part.Verb != "SELECT" && part.Verb != "WITH" {
			flow = part
		}
		one := co.translateOne(part, part.Offset, st)
		if one.err != nil {
			return one
		}
		foreign = foreign || one.plan != nil
	}
	switch {
	case !foreign:
		return &translation{}
	case flow != nil:
		return &translation{err: co.untranslated(st, flow.Offset, errors.New(flow.Verb+" beside a change of the schema"))}
	}
	return &translation{parts: co.plansOf(split)}
}

// translateOne translates a statement that begins at an offset of a whole text.
func (co *coordinator) translateOne(st *sqltext.Statement, offset int, whole *sqltext.Statement) *translation {
	if st.Kind != sqltext.DDL && st.Kind != sqltext.NoTx && st.Verb != "TRUNCATE" {
		return &translation{}
	}
	text, err := ddl.Translate(st.Text, st.Dialect, co.variants.dialect)
	var unknown *ddl.Error
	if errors.As(err, &unknown) {
		return &translation{err: co.untranslated(whole, offset+unknown.Offset, unknown)}
	}
	return &translation{plan: &plan{st: sqltext.Parse(text, co.variants.dialect)}, err: err}
}

// untranslated names what stands at an offset of a text, and says how to say it for the other side.
func (co *coordinator) untranslated(st *sqltext.Statement, offset int, why error) error {
	line, column := ddl.Position(st.Text, offset)
	return fmt.Errorf("dualsql: %q: %w: line %d, column %d: %w: it is not translated for the secondary, which is %s; give that side a text of its own with dualsql.WithSecondarySQL or /* dualsql:secondary TEXT */, keep it to the primary with dualsql.WithPrimaryOnly or /* dualsql:primary */, or give both this one with dualsql.WithMirror or /* dualsql:mirror */; nothing has run",
		shorten(st.Text), ErrNotMirrored, line, column, why, co.sides[engine.Secondary].engine.Name())
}
