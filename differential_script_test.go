package dualsql_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// diffDialect is a kind of database.
type diffDialect int

const (
	postgresDialect diffDialect = iota
	sqliteDialect
	sqlserverDialect
)

func (d diffDialect) driver() string { return [...]string{"pgx", "sqlite", "sqlserver"}[d] }

// diffStyle is the dialect's own style of placeholders.
func (d diffDialect) style() diffStyle { return [...]diffStyle{dollar, numbered, at}[d] }

// catalog lists the tables that are not dualsql's own.
func (d diffDialect) catalog() string {
	return [...]string{
		"select tablename::text from pg_tables where schemaname = 'public'",
		`select name from sqlite_master where type = 'table' and name not like 'sqlite\_%' escape '\' and name not like 'dualsql\_%' escape '\'`,
		"select name from sys.tables where schema_id = schema_id(N'dbo')",
	}[d]
}

// diffStyle is a style of placeholders.
type diffStyle int

const (
	dollar   diffStyle = iota // $1
	question                  // ?
	at                        // @p1
	named                     // @n1, with sql.Named
	styles                    // how many callers of dualsql may use

	numbered // ?1
)

// How a step is prepared.
const (
	prepareNot  = iota
	prepareOnce // for this step alone
	prepareKept // for the pool, and used again
)

// diffScript is one transaction, or one statement outside of any.
type diffScript struct {
	explicit bool
	options  sql.TxOptions
	steps    []diffStep
	cancelAt int // the step before which BeginTx's context is cancelled; -1: none
	commit   bool
}

// diffStep is one statement.
type diffStep struct {
	template  string // placeholders are {1}, {2} and so on, in order
	args      []diffValue
	style     diffStyle // of the text for dualsql
	prepare   int
	query     bool // QueryContext, else ExecContext
	counts    bool // SQL defines its rows affected
	cancelled bool // its context is cancelled beforehand
	refused   bool // the pair has to refuse it, with nothing changed
}

// diffValue makes an argument: each database gets its own, as arguments may be changed by their use.
type diffValue func() any

func (st *diffStep) values() []any {
	values := make([]any, len(st.args))
	for i, v := range st.args {
		values[i] = v()
	}
	return values
}

var placeholder = regexp.MustCompile(`\{(\d+)\}`)

func (st *diffStep) render(to diffStyle) string {
	return placeholder.ReplaceAllStringFunc(st.template, func(s string) string {
		n := strings.Trim(s, "{}")
		switch to {
		case dollar:
			return "$" + n
		case question:
			return "?"
		case at:
			return "@p" + n
		case named:
			return "@n" + n
		case numbered:
			return "?" + n
		}
		panic("unknown style " + strconv.Itoa(int(to)))
	})
}

func (st *diffStep) String() string {
	var args []string
	for _, v := range st.values() {
		args = append(args, fmt.Sprintf("%T(%v)", v, v))
	}
	return fmt.Sprintf("%q args=%v diffStyle=%d prepare=%d query=%v cancelled=%v", st.template, args, st.style, st.prepare, st.query, st.cancelled)
}

// diff returns how two runs of the script differ, or "".
func (s *diffScript) diff(got, want []diffResult) string {
	for i := range want {
		if !got[i].equal(want[i]) {
			return fmt.Sprintf("step %d differs:\n%s", i, s.describe(got, want))
		}
	}
	return ""
}

func (s *diffScript) describe(got, want []diffResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "explicit=%v options=%+v cancelAt=%d commit=%v\n", s.explicit, s.options, s.cancelAt, s.commit)
	for i := range want {
		what := "end"
		if i < len(s.steps) {
			what = s.steps[i].String()
		}
		mark := " "
		if !got[i].equal(want[i]) {
			mark = "!"
		}
		fmt.Fprintf(&b, "%s %d %s\n     dualsql: %v\n     plain:   %v\n", mark, i, what, got[i], want[i])
	}
	return b.String()
}
