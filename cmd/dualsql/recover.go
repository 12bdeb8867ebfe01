package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
)

var recoverCommand = command{
	name:    "recover",
	summary: "end what a crash has left open, now",
	help: `
It does what the application does when it starts. It needs the journal for itself: while the application runs, there
is no need for it, as the application goes on trying by itself.

` + dsnHelp + `
--forget takes a transaction off the list. It is for one that cannot be ended, and only after you have compared the
two databases and made them equal by hand: dualsql will not touch it again. It may be repeated, asks nothing, and comes
before anything is recovered.

Exit codes: 0 all have ended; 3 something is still open; 1 the pair could not be used.

  dualsql recover
  dualsql recover --forget 0198c0de-7a3b-7c4d-8e5f-0123456789ab
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var p pairFlags
		var forget txids
		p.define(inv)
		inv.flags.Var(&forget, "forget", "take the transaction `TXID` off the list; may be repeated")
		return func(ctx context.Context) (int, error) {
			c, err := p.connector()
			if err != nil {
				return exitError, err
			}
			code, err := recoverNow(ctx, inv, c, forget)
			return code, errors.Join(err, c.Close())
		}
	},
}

// txids is a flag that may be repeated.
type txids []uuid.UUID

func (t *txids) String() string {
	var s []string
	for _, id := range *t {
		s = append(s, id.String())
	}
	return strings.Join(s, ",")
}

func (t *txids) Set(v string) error {
	id, err := uuid.Parse(v)
	if err != nil {
		return errors.New("it takes a transaction's id, as `dualsql status` lists them")
	}
	*t = append(*t, id)
	return nil
}

// recoverReport is the JSON of the command.
type recoverReport struct {
	Forgotten []uuid.UUID `json:"forgotten"`
	dualsql.Recovery
}

func recoverNow(ctx context.Context, inv *invocation, c *dualsql.Connector, forget txids) (int, error) {
	report := recoverReport{Forgotten: []uuid.UUID{}}
	for _, id := range forget {
		if err := c.Forget(ctx, id); err != nil {
			return exitError, err
		}
		report.Forgotten = append(report.Forgotten, id)
		if !inv.json {
			fmt.Fprintf(inv.out, "%s  forgotten: it is off the list, and neither database was touched\n", id)
		}
	}
	var err error
	if report.Recovery, err = c.Recover(ctx); err != nil {
		return exitError, err
	}
	code := exitOK
	if len(report.Pending) > 0 {
		code = exitOpen
	}
	if inv.json {
		return code, writeJSON(inv.out, report)
	}
	for _, id := range report.Committed {
		fmt.Fprintf(inv.out, "%s  committed on both sides\n", id)
	}
	for _, id := range report.RolledBack {
		fmt.Fprintf(inv.out, "%s  rolled back on both sides\n", id)
	}
	for _, t := range report.Pending {
		fmt.Fprintf(inv.out, "%s  still %s, since %s\n", t.TxID, t.State, ago(t.Since))
		for _, text := range t.Statements {
			fmt.Fprintf(inv.out, "  statement  %s\n", oneLine(text))
		}
		fmt.Fprintf(inv.out, "  problem    %s\n", t.Problem)
	}
	fmt.Fprintf(inv.out, "%d committed, %d rolled back, %d still open.\n", len(report.Committed), len(report.RolledBack), len(report.Pending))
	return code, nil
}
