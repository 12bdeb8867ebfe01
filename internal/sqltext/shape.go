package sqltext

import (
	"fmt"
	"strings"
)

// Style is how a placeholder is written. The zero value is AsIs.
type Style uint8

const (
	// AsIs leaves the text untouched and unchecked.
	AsIs Style = iota
	// Question is "?".
	Question
	// Numbered is "?1" (SQLite).
	Numbered
	// Dollar is "$1" (PostgreSQL).
	Dollar
	// AtP is "@p1" (SQL Server). @name is understood there as well, and kept.
	AtP
)

// Shape is what the caller passed as arguments. The zero value is none.
type Shape struct {
	// Positional is the number of arguments without a name.
	Positional int
	// Names are those of the named arguments, without a sign.
	Names []string
	// Unknown: the text is prepared, and its arguments are not known yet. The
	// other fields are ignored then.
	Unknown bool
}

// Param is the argument that a placeholder takes.
type Param struct {
	// Index is the argument's place among the positional ones, from 0 on, or -1.
	Index int
	// Name is the argument's name if Index is -1.
	Name string
}

func (sh Shape) String() string {
	if len(sh.Names) == 0 {
		return count(sh.Positional, "argument")
	}
	named := "@" + strings.Join(sh.Names, ", @")
	if sh.Positional == 0 {
		return count(len(sh.Names), "named argument") + " (" + named + ")"
	}
	return fmt.Sprintf("%s and %s (%s)", count(sh.Positional, "positional argument"),
		count(len(sh.Names), "named one"), named)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
