package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
)

var statusCommand = command{
	name:    "status",
	summary: "list the transactions that have not ended on both sides",
	help: `
It reads the journal and nothing else, so it needs no database, changes nothing, and may run beside the application.

` + dsnHelp + `Or give the journal's directory alone.

A transaction is listed as
  half done     it is committed on one side, not yet on the other
  in doubt      nobody knows yet whether it is committed
  under way     the application is committing it just now; this counts as nothing open

Exit codes: 0 nothing is open; 3 something is; 1 the journal cannot be read.

  dualsql status --journal /var/lib/shop/dualsql
  DUALSQL_DSN="primary='...' secondary='...' journal=/var/lib/shop/dualsql" dualsql status --json
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var j journalFlags
		j.define(inv)
		return func(context.Context) (int, error) {
			dir, key, err := j.resolve()
			if err != nil {
				return exitUsage, err
			}
			s, err := readStatus(dir, key)
			if err != nil {
				return exitError, err
			}
			code := exitOK
			if s.Open > 0 {
				code = exitOpen
			}
			if inv.json {
				return code, writeJSON(inv.out, s)
			}
			s.print(inv)
			return code, nil
		}
	},
}

// status is the JSON of the command.
type status struct {
	Journal      string              `json:"journal"`
	ID           uuid.UUID           `json:"id"`
	Segments     int                 `json:"segments"`
	Bytes        int64               `json:"bytes"`
	Holder       dualsql.Holder      `json:"holder"`
	Open         int                 `json:"open"` // without those under way
	Transactions []statusTransaction `json:"transactions"`
}

type statusTransaction struct {
	TxID       uuid.UUID        `json:"txid"`
	State      string           `json:"state"`
	Protocol   dualsql.Protocol `json:"protocol"`
	Since      time.Time        `json:"since"`
	AgeSeconds float64          `json:"age_seconds"`
	Sides      [2]string        `json:"sides"`
	Statements []string         `json:"statements"` // the texts, without arguments
	Sealed     bool             `json:"sealed"`     // the statements are encrypted and no key was given
	Told       bool             `json:"told"`       // a caller or a start of the application has been told of it
}

func readStatus(dir string, key []byte) (*status, error) {
	// First who holds it: a commit that begins in between is then taken for one under way.
	holder, err := dualsql.JournalHolder(dir)
	if err != nil {
		return nil, err
	}
	list, info, err := dualsql.OpenIntents(dir, key)
	if err != nil {
		return nil, err
	}
	s := &status{Journal: dir, ID: info.ID, Segments: info.Segments, Bytes: info.Bytes, Holder: holder, Transactions: []statusTransaction{}}
	for _, o := range list {
		t := statusTransaction{TxID: o.TxID, Protocol: o.Protocol, Since: o.At, AgeSeconds: time.Since(o.At).Seconds(), Sides: o.Sides,
			Statements: []string{}, Sealed: o.Sealed, Told: o.Told}
		switch {
		case holder.Held && !o.Told:
			t.State = "under way"
		case o.Decided:
			t.State = dualsql.HalfDone.String()
		default:
			t.State = dualsql.InDoubt.String()
		}
		if t.State != "under way" {
			s.Open++
		}
		for _, st := range o.Statements {
			t.Statements = append(t.Statements, st.Text)
		}
		s.Transactions = append(s.Transactions, t)
	}
	return s, nil
}

func (s *status) print(inv *invocation) {
	by := "no process"
	if s.Holder.Held {
		by = fmt.Sprintf("process %d", s.Holder.PID)
	}
	fmt.Fprintf(inv.out, "journal %s, held by %s, %d segments, %d bytes\n", s.Journal, by, s.Segments, s.Bytes)
	for _, t := range s.Transactions {
		fmt.Fprintf(inv.out, "\n%s  %s\n  since      %s\n  protocol   %s\n  primary    %s\n  secondary  %s\n",
			t.TxID, t.State, ago(t.Since), t.Protocol, t.Sides[0], t.Sides[1])
		if t.Sealed {
			fmt.Fprintln(inv.out, "  statements are encrypted; give --key")
		}
		for _, text := range t.Statements {
			fmt.Fprintf(inv.out, "  statement  %s\n", oneLine(text))
		}
	}
	if len(s.Transactions) > 0 {
		fmt.Fprintln(inv.out)
	}
	switch {
	case s.Open == 0:
		fmt.Fprintln(inv.out, "Nothing is open.")
	case s.Holder.Held:
		fmt.Fprintf(inv.out, "%d open. The application goes on trying to end them; its log says why it could not yet.\n", s.Open)
	default:
		fmt.Fprintf(inv.out, "%d open. The next start of the application ends them, or `dualsql recover` does it now.\n", s.Open)
	}
}
