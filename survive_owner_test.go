package dualsql_test

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
)

// as is the world as a process has it that works under a role of its own on the side that prepares.
func (w *world) as(role, options string) *world {
	w.Helper()
	w.exec(w.follows, "create role "+role+" login")
	w.Cleanup(func() {
		if _, err := w.raw[w.follows].Exec("drop owned by " + role); err != nil {
			w.Error(err)
		}
		if _, err := w.raw[w.follows].Exec("drop role " + role); err != nil {
			w.Error(err)
		}
	})
	for _, schema := range []string{"public", "dualsql"} {
		w.exec(w.follows, "grant usage on schema "+schema+" to "+role)
		w.exec(w.follows, "grant all on all tables in schema "+schema+" to "+role)
	}
	other := w.another(options)
	u, err := url.Parse(w.dsn[w.follows])
	if err != nil {
		w.Fatal(err)
	}
	u.User = url.User(role)
	other.dsn[w.follows] = u.String()
	return other
}

// Only the role that has prepared a transaction can end it, and a superuser. Whoever cannot says who could.
func TestSurviveOwnerIsAnotherRole(t *testing.T) {
	t.Parallel()
	on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
		w.close(w.openWarm()) // as the superuser, who makes the schema
		suffix := strings.ToLower(rand.Text())
		a, b := w.as("owner_"+suffix, ""), w.as("other_"+suffix, "orphan_age=1ms")
		a.crash(crash{at: "decided#2"})

		n, _ := b.recover()
		p := b.pending(n, dualsql.HalfDone)[0]
		if !strings.Contains(p.Problem, fmt.Sprintf("%q", "owner_"+suffix)) || !strings.Contains(p.Problem, "42501") || !strings.Contains(p.Problem, "other_"+suffix) {
			t.Errorf("the problem is %q, which does not name the roles", p.Problem)
		}
		if got := w.prepared(w.follows); got != 1 {
			t.Errorf("%d are prepared", got)
		}
		// The owner's own process, with its journal, or a superuser's.
		able := a
		if w.engines[primary] == "sqlite" {
			able = w.another("orphan_age=1ms")
		}
		m, _ := able.recover()
		able.pending(m)
		w.nothingPrepared()
		w.is(2, both)
		b.settled(n)
		w.is(w.writes(n, 3)-1, both)
	})
}
