package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dualsql/dualsql"
)

var sequencesCommand = command{
	name:    "sequences",
	summary: "bring the secondary's sequences level with the primary's",
	help: `
As long as all writes go through dualsql, what numbers the secondary would give next is of no account, and its sequences
(PostgreSQL), identities (SQL Server) and AUTOINCREMENT columns (SQLite) may stay behind. Before the secondary takes the
primary's place they have to be level, or it would give numbers that are taken. Stop the application first: nothing is
locked, and numbers that the primary gives meanwhile are not seen.

With --check nothing is changed. A sequence that the secondary does not have, or has further on, is left alone.

` + dsnHelp + `
Exit codes: 0 all are level now; 1 it failed; 3 with --check, some are behind.

  dualsql sequences --check
  dualsql sequences
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var p pairFlags
		var check bool
		p.define(inv)
		inv.flags.BoolVar(&check, "check", false, "list where they stand, and change nothing")
		return func(ctx context.Context) (int, error) {
			c, err := p.connector()
			if err != nil {
				return exitError, err
			}
			act := c.LevelSequences
			if check {
				act = c.Sequences
			}
			list, err := act(ctx)
			if err = errors.Join(err, c.Close()); err != nil {
				return exitError, err
			}
			return showSequences(inv, list, check)
		}
	},
}

func showSequences(inv *invocation, list []dualsql.SequenceState, check bool) (int, error) {
	behind, code := 0, exitOK
	for _, s := range list {
		if s.Behind {
			behind++
		}
	}
	if check && behind > 0 {
		code = exitOpen
	}
	if inv.json {
		return code, writeJSON(inv.out, list)
	}
	for _, s := range list {
		what := "level"
		switch {
		case s.Missing:
			what = "the secondary has none"
		case s.Behind && check:
			what = fmt.Sprintf("behind: the secondary's next is %d", s.Secondary)
		case s.Behind:
			what = fmt.Sprintf("was %d on the secondary, is level now", s.Secondary)
		case s.Secondary != s.Primary:
			what = fmt.Sprintf("the secondary is further on: %d", s.Secondary)
		}
		fmt.Fprintf(inv.out, "%-40s next %-12d %s\n", s.Name, s.Primary, what)
	}
	verb := "were brought level"
	if check {
		verb = "are behind"
	}
	fmt.Fprintf(inv.out, "\n%d sequences, of which %d %s.\n", len(list), behind, verb)
	return code, nil
}
