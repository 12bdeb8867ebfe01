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
	all := &translation{}
	foreign := false
	for _, part := range st.Split() {
		one := co.translateOne(part, part.Offset, st)
		if one.err != nil {
			return one
		}
		foreign = foreign || one.plan != nil
		all.parts = append(all.parts, co.plans.get(part.Text))
	}
	if !foreign {
		return &translation{}
	}
	return all
}

// translateOne translates a statement that begins at an offset of a whole text.
func (co *coordinator) translateOne(st *sqltext.Statement, offset int, whole *sqltext.Statement) *translation {
	if st.Kind != sqltext.DDL && st.Kind != sqltext.NoTx && st.Verb != "TRUNCATE" {
		return &translation{}
	}
	text, err := ddl.Translate(st.Text, st.Dialect, co.variants.dialect)
	var unknown *ddl.Error
	if errors.As(err, &unknown) {
		line, column := ddl.Position(whole.Text, offset+unknown.Offset)
		return &translation{err: fmt.Errorf("dualsql: %q: %w: line %d, column %d: %w: it is not translated for the secondary, which is %s; give that side a text of its own with dualsql.WithSecondarySQL or /* dualsql:secondary TEXT */, keep it to the primary with dualsql.WithPrimaryOnly or /* dualsql:primary */, or give both this one with dualsql.WithMirror or /* dualsql:mirror */; nothing has run",
			shorten(whole.Text), ErrNotMirrored, line, column, unknown, co.sides[engine.Secondary].engine.Name())}
	}
	return &translation{plan: &plan{st: sqltext.Parse(text, co.variants.dialect)}, err: err}
}
