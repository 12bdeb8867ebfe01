package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
)

var initCommand = command{
	name:    "init",
	summary: "create what dualsql keeps in the databases, and make them a pair",
	help: `
The application's first connection does this by itself where its role may. Where it may not, run this once with a DSN
of roles that may; it can be repeated. Or let an administrator run the SQL that --print shows.

What the application's role needs on PostgreSQL:

` + indent(appGrants) + `
and on SQL Server:

` + indent(mssqlGrants) + `
--print needs no DSN and connects to nothing.

` + dsnHelp + `
  dualsql init --dsn "primary='postgres://admin@db0/shop' secondary='postgres://admin@db1/shop' journal=/tmp/unused"
  dualsql init --print
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var p pairFlags
		var show bool
		p.define(inv)
		inv.flags.BoolVar(&show, "print", false, "print the SQL for each engine and do nothing")
		return func(ctx context.Context) (int, error) {
			if show {
				return exitOK, printSchemas(inv)
			}
			c, err := p.connector()
			if err != nil {
				return exitError, err
			}
			if err := errors.Join(c.Init(ctx), c.Close()); err != nil {
				return exitError, err
			}
			if inv.json {
				return exitOK, writeJSON(inv.out, map[string]bool{"initialized": true})
			}
			fmt.Fprintln(inv.out, "Both databases have the dualsql tables, and are a pair.")
			fmt.Fprintln(inv.out, "The application's role, if it is another one, still needs, on PostgreSQL:")
			fmt.Fprint(inv.out, "\n", indent(appGrants))
			fmt.Fprintln(inv.out, "\nand on SQL Server:")
			fmt.Fprint(inv.out, "\n", indent(mssqlGrants))
			return exitOK, nil
		}
	},
}

var (
	appGrants   = fmt.Sprintf(engine.PostgresGrants, "the_application") + ";\n"
	mssqlGrants = fmt.Sprintf(engine.SQLServerGrants, "the_application") + ";\n"
)

// schema is the SQL for one engine.
type schema struct {
	Engine string `json:"engine"`
	Create string `json:"create"`
	Grant  string `json:"grant"` // empty where the engine has no roles
}

func printSchemas(inv *invocation) error {
	list := []schema{
		{engine.Postgres.Name(), strings.TrimSpace(engine.PostgresInitSQL) + ";\n", appGrants},
		{engine.SQLServer.Name(), strings.TrimSpace(engine.SQLServerInitSQL) + "\n", mssqlGrants},
		{engine.SQLite.Name(), strings.TrimSpace(engine.SQLiteInitSQL) + ";\n", ""},
	}
	if inv.json {
		return writeJSON(inv.out, list)
	}
	for i, s := range list {
		if i > 0 {
			fmt.Fprintln(inv.out)
		}
		fmt.Fprintf(inv.out, "-- %s: on both sides, once, as a role that may create them\n%s", s.Engine, s.Create)
		if s.Grant != "" {
			fmt.Fprintf(inv.out, "\n-- %s: what the application's role needs\n%s", s.Engine, s.Grant)
		}
	}
	return nil
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}
