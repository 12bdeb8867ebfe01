package dualsql

import (
	"context"
	"fmt"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// variantOf returns the plan of the text that the secondary gets in p's place; nil if it gets p's.
func (c *Conn) variantOf(ctx context.Context, p *plan) (*plan, error) {
	text, given := ctx.Value(secondaryKey{}).(string)
	if !given {
		if text = p.st.Secondary; text == "" {
			return nil, nil
		}
	}
	v := c.co.variants.get(text)
	switch {
	case v.st.Count == 0:
		return nil, fmt.Errorf("dualsql: %q has an empty text for the secondary; keep it to the primary with WithPrimaryOnly", shorten(p.st.Text))
	case !mayVary(p.st):
		return nil, fmt.Errorf("dualsql: %q takes no text of its own for the secondary: %s belongs to the driver or to the session", shorten(p.st.Text), p.st.Verb)
	case !mayVary(v.st):
		return nil, fmt.Errorf("dualsql: %q cannot be the secondary's text: %s belongs to the driver or to the session", shorten(text), v.st.Verb)
	case v.st.Kind == sqltext.NoTx && p.st.Kind != sqltext.NoTx:
		return nil, fmt.Errorf("dualsql: %q cannot be the secondary's text: %s cannot run in a transaction, and %q does", shorten(text), v.st.Verb, shorten(p.st.Text))
	}
	return v, nil
}

// mayVary reports whether a text is one of those that only change what is in the database.
func mayVary(st *sqltext.Statement) bool {
	switch st.Kind {
	case sqltext.TxControl, sqltext.Savepoint, sqltext.Session, sqltext.Local:
		return false
	}
	return st.Savepoint.Op == sqltext.NoSavepoint && len(st.Settings) == 0
}
