package dualsql

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// setSession runs a session statement, such as SET, outside of a transaction. The secondary gets it when it is next used:
// a program that only reads never touches the secondary.
func (c *Conn) setSession(ctx context.Context, q call, query bool) (res driver.Result, rows driver.Rows, err error) {
	if query {
		if rows, err = c.primary.Query(ctx, q.plan.st.Text, q.args); err == nil {
			rows, err = readAll(rows)
		}
	} else {
		res, err = c.primary.Exec(ctx, q.plan.st.Text, q.args)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, s := range newSetting(q.plan.st) {
		s.applied = false
		if s.name == "" {
			// RESET ALL, DISCARD ALL and their like may have undone what dualsql has set.
			if err := c.primary.Setup(ctx); err != nil {
				c.broken = true
				return nil, nil, err
			}
		} else {
			c.settings = slices.DeleteFunc(c.settings, func(old setting) bool { return old.name == s.name })
		}
		c.settings = append(c.settings, s)
	}
	return res, rows, nil
}

// resetsAll reports whether a statement may undo what dualsql has set for the session.
func resetsAll(st *sqltext.Statement) bool {
	return st.Kind == sqltext.Session && slices.ContainsFunc(st.Settings, func(s sqltext.Setting) bool { return s.Name == "all" })
}

// newSetting returns what a session statement leaves behind for the session; nothing if it ends with its transaction.
func newSetting(st *sqltext.Statement) []setting {
	s := setting{text: st.Text, applied: true}
	if len(st.Settings) == 1 && st.Settings[0].Name != "all" {
		s.name = st.Settings[0].Name
		if st.Settings[0].Local || s.name == "transaction" || s.name == "constraints" {
			return nil
		}
	}
	return []setting{s}
}
