package main

import (
	"context"
	"fmt"

	"github.com/dualsql/dualsql"
)

var doctorCommand = command{
	name:    "doctor",
	summary: "examine both databases, the pair and the journal directory",
	help: `
It checks whether both sides can be reached, their versions, the permissions on the dualsql schema, prepared
transactions that are left over, the settings that decide whether a commit is durable, the clocks, whether the two
databases belong together, and the journal directory. It changes nothing and may run beside the application. Run it as
the application's user and with its DSN, or it examines another user's rights.

` + dsnHelp + `
Exit codes: 0 no problem (there may be warnings); 1 a problem.

  dualsql doctor
  dualsql doctor --json
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var p pairFlags
		p.define(inv)
		return func(ctx context.Context) (int, error) {
			c, err := p.connector()
			if err != nil {
				return exitError, err
			}
			findings := c.Doctor(ctx)
			if err := c.Close(); err != nil {
				return exitError, err
			}
			return showFindings(inv, findings)
		}
	},
}

// doctorReport is the JSON of the command.
type doctorReport struct {
	Problems int               `json:"problems"`
	Warnings int               `json:"warnings"`
	Findings []dualsql.Finding `json:"findings"`
}

func showFindings(inv *invocation, findings []dualsql.Finding) (int, error) {
	r := doctorReport{Findings: findings}
	for _, f := range findings {
		switch f.Level {
		case dualsql.LevelProblem:
			r.Problems++
		case dualsql.LevelWarning:
			r.Warnings++
		}
	}
	code := exitOK
	if r.Problems > 0 {
		code = exitError
	}
	if inv.json {
		return code, writeJSON(inv.out, r)
	}
	for _, f := range findings {
		fmt.Fprintf(inv.out, "%-8s %-9s  %-10s  %s\n", f.Level, f.Side, f.Check, f.Text)
		if f.Advice != "" {
			fmt.Fprintf(inv.out, "%-32s -> %s\n", "", f.Advice)
		}
	}
	fmt.Fprintf(inv.out, "\n%d problems, %d warnings.\n", r.Problems, r.Warnings)
	return code, nil
}
