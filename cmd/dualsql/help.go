package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

const intro = `dualsql: one *sql.DB on two databases

Usage:

  dualsql COMMAND [flags]

Commands:

`

const outro = `
"dualsql COMMAND -h" explains a command. Start with

  dualsql demo

which needs no server and shows in half a minute what dualsql does when the program is killed again and again.

Exit codes: 0 all is well; 1 an error or a problem; 2 wrong usage; 3 a transaction is open (status, recover).
`

func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString(intro)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.summary)
	}
	b.WriteString(outro)
	_, _ = io.WriteString(w, b.String()) // there is nobody to tell
}

func (c command) printHelp(w io.Writer, flags *flag.FlagSet) {
	var b strings.Builder
	fmt.Fprintf(&b, "dualsql %s: %s\n\n%s\nFlags:\n\n", c.name, c.summary, strings.TrimLeft(c.help, "\n"))
	flags.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, "  --%s", f.Name)
		if kind != "" {
			b.WriteString(" " + kind)
		}
		fmt.Fprintf(&b, "\n        %s", text)
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" {
			fmt.Fprintf(&b, " (default %s)", f.DefValue)
		}
		b.WriteByte('\n')
	})
	_, _ = io.WriteString(w, b.String())
}
