package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dualsql/dualsql"
)

var journalCommand = command{
	name:    "journal",
	summary: "print the journal's records, oldest first",
	help: `
It reads the files and nothing else, and may run beside the application. The arguments of statements may be personal
data: they are left out unless --args is given. The statements of an encrypted journal need its key.

` + dsnHelp + `Or give the journal's directory alone.

With --json, one object a line.

  dualsql journal --journal /var/lib/shop/dualsql
  dualsql journal --journal /var/lib/shop/dualsql --args --json
`,
	setup: func(inv *invocation) func(context.Context) (int, error) {
		var j journalFlags
		var args bool
		j.define(inv)
		inv.flags.BoolVar(&args, "args", false, "show the arguments of statements")
		return func(ctx context.Context) (int, error) {
			dir, key, err := j.resolve()
			if err != nil {
				return exitUsage, err
			}
			return exitOK, dumpJournal(ctx, inv, dir, key, args)
		}
	},
}

func dumpJournal(ctx context.Context, inv *invocation, dir string, key []byte, args bool) error {
	records := 0
	info, err := dualsql.ReadJournal(dir, key, func(r dualsql.JournalRecord) error {
		records++
		if inv.json {
			return writeRecord(inv, r, args)
		}
		printRecord(inv, r, args)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if !inv.json {
		fmt.Fprintf(inv.out, "journal %s (%s): %d records, %d segments, %d bytes\n", info.ID, dir, records, info.Segments, info.Bytes)
	}
	return nil
}

func printRecord(inv *invocation, r dualsql.JournalRecord, args bool) {
	fmt.Fprintf(inv.out, "%s  %s", r.TxID, r.Kind)
	switch r.Kind {
	case "end":
		fmt.Fprintf(inv.out, "  %s", r.Outcome)
	case "intent":
		fmt.Fprintf(inv.out, "  %s  %s  %s -> %s", r.At.Format(time.RFC3339Nano), r.Protocol, r.Sides[0], r.Sides[1])
	}
	if r.Sealed {
		fmt.Fprint(inv.out, "  (statements are encrypted; give --key)")
	}
	fmt.Fprintln(inv.out)
	for _, s := range r.Statements {
		fmt.Fprintf(inv.out, "    %s", oneLine(s.Text))
		if s.Rows >= 0 {
			fmt.Fprintf(inv.out, "  [%d rows]", s.Rows)
		}
		fmt.Fprintln(inv.out)
		if args && len(s.Args) > 0 {
			fmt.Fprintf(inv.out, "      %s\n", showArgs(s.Args))
		}
	}
}

func showArgs(args []any) string {
	s := ""
	for i, a := range args {
		if i > 0 {
			s += ", "
		}
		switch a := a.(type) {
		case nil:
			s += "null"
		case string:
			s += fmt.Sprintf("%q", a)
		case []byte:
			s += fmt.Sprintf("\\x%x", a)
		case time.Time:
			s += a.Format(time.RFC3339Nano)
		default:
			s += fmt.Sprint(a)
		}
	}
	return s
}

// writeRecord leaves out the args field altogether where arguments are hidden: an empty list would say that there are none.
func writeRecord(inv *invocation, r dualsql.JournalRecord, args bool) error {
	if args {
		return writeLine(inv.out, r)
	}
	type hidden struct {
		Text string `json:"text"`
		Rows int64  `json:"rows"`
	}
	v := struct {
		dualsql.JournalRecord
		Statements []hidden `json:"statements,omitempty"`
	}{JournalRecord: r}
	for _, s := range r.Statements {
		v.Statements = append(v.Statements, hidden{s.Text, s.Rows})
	}
	return writeLine(inv.out, v)
}
