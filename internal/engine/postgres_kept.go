package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// keptStatement is a statement of dualsql's own that a session keeps prepared, by SQL, as part of simple queries: to parse and plan
// one takes the server longer than to run it.
type keptStatement struct {
	what  string
	names int  // that it has had: none is used twice
	there bool // the session has it
}

func (k *keptStatement) name() string { return fmt.Sprintf("dualsql_%s_%d", k.what, k.names) }

// define goes in front of the first execute of a text; it is "" where the session has the statement.
func (k *keptStatement) define(params, text string) string {
	if k.there {
		return ""
	}
	return "prepare " + k.name() + "(" + params + ") as " + text + "; "
}

func (k *keptStatement) execute(args ...string) string {
	return "execute " + k.name() + "(" + strings.Join(args, ", ") + ")"
}

// answered must be called with what became of a text that had the statement, or of what came with it.
func (k *keptStatement) answered(err error) {
	var pe *pgconn.PgError
	switch {
	case err == nil:
		k.there = true
	case !k.there, errors.As(err, &pe) && pe.Code == "26000": // invalid_sql_statement_name: somebody has deallocated it
		k.forget()
	}
}

// forget: the session does not have the statement any more, or nobody knows whether it has.
func (k *keptStatement) forget() {
	k.there = false
	k.names++
}
