package dualsql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
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
	c.captured = captured{}
	if resetsAll(q.plan.st) {
		if q.plan.st.Verb == "DISCARD" {
			err = c.primary.Forget(ctx) // the server has
		}
		if err == nil {
			err = c.primary.Setup(ctx)
		}
		if err != nil {
			c.broken = true
			return nil, nil, err
		}
	}
	for _, s := range newSettings(q.plan.st) {
		c.keep(s)
	}
	return res, rows, nil
}

// keep adds a setting in the place of those that it overrides, so that the list stays short.
func (c *Conn) keep(s setting) {
	c.settings = slices.DeleteFunc(c.settings, func(old setting) bool {
		// RESET ALL does not reset these two.
		return old.name == s.name || s.name == settingAll && old.name != "role" && old.name != "session authorization"
	})
	c.settings = append(c.settings, s)
}

// setUpBehind gives a session back what a statement of a transaction has taken from it.
func setUpBehind(ctx context.Context, s engine.Session, st *sqltext.Statement) error {
	if resetsAll(st) {
		if err := s.Setup(ctx); err != nil {
			return err
		}
	}
	if st.Deallocates {
		return s.Forget(ctx)
	}
	return nil
}

// settingAll is the name of RESET ALL and DISCARD ALL.
const settingAll = "all"

// resetsAll reports whether a statement may undo what dualsql has set for the session.
func resetsAll(st *sqltext.Statement) bool {
	return slices.ContainsFunc(st.Settings, func(s sqltext.Setting) bool { return s.Name == settingAll })
}

// restore gives a secondary again what it had from the primary, behind a statement that has reset it.
func restore(ctx context.Context, s engine.Session, set sqltext.Setting) error {
	if a, ok := s.(engine.Ambient); ok {
		return a.Restore(ctx, set)
	}
	return nil
}

// newSettings returns what a text leaves behind for the session, statement by statement: not what ends with its transaction,
// and not what SQLite keeps in the database.
func newSettings(st *sqltext.Statement) []setting {
	var all []setting
	for _, s := range st.Settings {
		switch {
		case s.Local, s.Name == "transaction", s.Name == "constraints", inDatabase(s):
		default:
			all = append(all, setting{redoStatement: redoStatement{text: s.Text, rows: -1, session: true}, name: s.Name, from: s})
		}
	}
	if len(st.Settings) == 0 && st.Kind == sqltext.Session { // such as DISCARD TEMP
		all = append(all, setting{redoStatement: redoStatement{text: st.Text, rows: -1, session: true}, name: st.Text})
	}
	return all
}

// inDatabase: SQLite keeps these in the file.
func inDatabase(s sqltext.Setting) bool {
	return s.Name == "user_version" || s.Name == "application_id"
}

// callsSetConfig reports whether a text sets session state by PostgreSQL's function for it.
func callsSetConfig(st *sqltext.Statement) bool {
	return slices.ContainsFunc(st.Calls, func(f sqltext.Function) bool { return f.Name == "set_config" })
}

// configures reports whether a text calls set_config in a way that may outlast its transaction.
func configures(st *sqltext.Statement) bool {
	if !callsSetConfig(st) {
		return false
	}
	text := strings.ToLower(strings.Join(strings.Fields(st.Text), ""))
	return strings.Contains(text, ",false)") || strings.Count(text, "set_config(") > strings.Count(text, ",true)")
}

// noteSettings keeps what a statement that has run in the transaction leaves behind for the session, if it commits. r is the
// statement as the secondary has it; nil if the secondary has not.
func (t *tx) noteSettings(st *sqltext.Statement, r *redoStatement) {
	switch st.Savepoint.Op {
	case sqltext.SetSavepoint:
		t.marks = append(t.marks, savepointMark{st.Savepoint.Name, len(t.settings), slices.Clip(t.seen)})
	case sqltext.RollbackToSavepoint, sqltext.ReleaseSavepoint:
		for i := len(t.marks) - 1; i >= 0; i-- {
			if t.marks[i].savepoint != st.Savepoint.Name {
				continue
			}
			if forgets := t.c.co.sides[engine.Primary].engine.Forgets(); st.Savepoint.Op == sqltext.RollbackToSavepoint && forgets {
				t.marks = t.marks[:i+1] // its settings stay
			} else if st.Savepoint.Op == sqltext.RollbackToSavepoint {
				t.settings, t.marks = t.settings[:t.marks[i].settings], t.marks[:i+1]
			} else {
				t.marks = t.marks[:i]
			}
			if st.Savepoint.Op == sqltext.RollbackToSavepoint {
				t.seen = t.marks[i].seen // the tables are what they were; what ran since then is gone
			}
			break
		}
	}
	if len(st.Settings) > 0 && t.c.routeSession(st) == onPrimary {
		return // the secondary does not have such a setting
	}
	t.levelled = t.levelled || slices.ContainsFunc(st.Settings, isolates)
	for _, s := range newSettings(st) {
		if strings.HasSuffix(s.name, "foreign_keys") {
			continue // SQLite does not change it inside a transaction
		}
		s.applied = r != nil
		t.settings = append(t.settings, s)
	}
	switch {
	case !configures(st):
	case r == nil || st.Count > 1 || len(st.Calls) > 1:
		t.unrepeatable = true
	default:
		s := setting{redoStatement: *r, name: fmt.Sprint(st.Text, r.args), applied: true}
		s.rows, s.query, s.session = -1, false, true
		t.settings = append(t.settings, s)
	}
}

// savepointMark is what a transaction had when it set a savepoint.
type savepointMark struct {
	savepoint string
	settings  int
	seen      []engine.Seen
}
