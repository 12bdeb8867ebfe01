package dualsql

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/dualsql/dualsql/internal/engine"
)

var planSides = map[string]*side{
	"postgres": {role: engine.Primary, engine: engine.Postgres},
	"sqlite":   {role: engine.Primary, engine: engine.SQLite},
	"generic":  {role: engine.Primary, engine: engine.Generic},
}

func positional(values ...any) []driver.NamedValue {
	var args []driver.NamedValue
	for i, v := range values {
		args = append(args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return args
}

// TestBind: each way to write placeholders, on each kind of side.
func TestBind(t *testing.T) {
	ab := []driver.NamedValue{{Ordinal: 1, Name: "a", Value: "A"}, {Ordinal: 2, Name: "b", Value: "B"}}
	for _, c := range []struct {
		side, text string
		args       []driver.NamedValue
		want       string
		values     []any
	}{
		{"postgres", "update t set v = ? where id = ?", positional("A", "B"), "update t set v = $1 where id = $2", []any{"A", "B"}},
		{"postgres", "update t set v = $2 where id = $1", positional("A", "B"), "update t set v = $2 where id = $1", []any{"A", "B"}},
		{"postgres", "update t set v = @p2 where id = @p1", positional("A", "B"), "", nil},
		{"postgres", "update t set v = @b where id = @a or v = @b", ab, "", nil},
		{"postgres", "select '?', \"?\" where a = ?", positional("A"), "select '?', \"?\" where a = $1", []any{"A"}},
		{"sqlite", "update t set v = $2 where id = $1", positional("A", "B"), "", nil},
		{"sqlite", "update t set v = @b where id = @a", ab, "", nil},
		{"generic", "update t set v = :v where id = ?", positional("A"), "update t set v = :v where id = ?", []any{"A"}},
		{"generic", "update t set v = @b where id = @a", ab, "update t set v = @b where id = @a", []any{"A", "B"}},
	} {
		p := newPlanCache(planSides[c.side].engine).get(c.text)
		b, err := p.bind(planSides[c.side], c.args)
		if err != nil {
			t.Errorf("%s: %q: %v", c.side, c.text, err)
			continue
		}
		out, err := b.arrange(c.args)
		if err != nil {
			t.Errorf("%s: %q: %v", c.side, c.text, err)
			continue
		}
		var values []any
		for i, a := range out {
			values = append(values, a.Value)
			if a.Ordinal != i+1 {
				t.Errorf("%s: %q: argument %d has the ordinal %d", c.side, c.text, i+1, a.Ordinal)
			}
		}
		if c.want == "" {
			// The style is the engine's; what counts is that each placeholder gets its value.
			if got, want := filled(b.text, values), filledNamed(c.text, c.args); got != want {
				t.Errorf("%s: %q became %q with %v", c.side, c.text, b.text, values)
			}
			continue
		}
		if b.text != c.want || !reflect.DeepEqual(values, c.values) {
			t.Errorf("%s: %q became %q with %v; want %q with %v", c.side, c.text, b.text, values, c.want, c.values)
		}
	}
}

// filled puts values in the places of numbered or ordered placeholders.
func filled(text string, values []any) string {
	for i := len(values); i > 0; i-- {
		for _, mark := range []string{"$", "?", "@p"} {
			text = strings.ReplaceAll(text, fmt.Sprint(mark, i), values[i-1].(string))
		}
	}
	for _, v := range values {
		text = strings.Replace(text, "?", v.(string), 1)
	}
	return text
}

func filledNamed(text string, args []driver.NamedValue) string {
	for _, a := range args {
		for _, mark := range []string{fmt.Sprint("@p", a.Ordinal), fmt.Sprint("$", a.Ordinal), "@" + a.Name} {
			if mark != "@" {
				text = strings.ReplaceAll(text, mark, a.Value.(string))
			}
		}
	}
	return text
}

// TestBindMissing: a placeholder without an argument, and an argument without a placeholder, are errors.
func TestBindMissing(t *testing.T) {
	for text, want := range map[string]string{
		"select $3":   "3",
		"select @who": "no placeholder of that name",
	} {
		p := newPlanCache(engine.Postgres).get(text)
		args := []driver.NamedValue{{Ordinal: 1, Name: "a", Value: 1}}
		if strings.Contains(text, "$") {
			args = positional(1)
		}
		b, err := p.bind(planSides["postgres"], args)
		if err == nil {
			_, err = b.arrange(args)
		}
		if b != nil && b.params == nil {
			continue // the text is the side's own style: its driver counts
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestBindAgain: one text with other arguments is bound anew; names never come from the cache.
func TestBindAgain(t *testing.T) {
	p := newPlanCache(engine.Postgres).get("select @a, @b")
	for _, args := range [][]driver.NamedValue{
		{{Ordinal: 1, Name: "a", Value: "A"}, {Ordinal: 2, Name: "b", Value: "B"}},
		{{Ordinal: 1, Name: "b", Value: "B"}, {Ordinal: 2, Name: "a", Value: "A"}},
	} {
		b, err := p.bind(planSides["postgres"], args)
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.arrange(args)
		if err != nil {
			t.Fatal(err)
		}
		if got := filled(b.text, []any{out[0].Value, out[1].Value}); got != "select A, B" {
			t.Errorf("%q with %+v", b.text, out)
		}
	}
}

// TestBindForms: a text that is used with positional and with named arguments is bound for each as if it were the first.
func TestBindForms(t *testing.T) {
	byName := []driver.NamedValue{{Ordinal: 1, Name: "a", Value: "A"}}
	for _, text := range []string{"select ?", "select $1", "select @a", "select @p1"} {
		said := func(p *plan, args []driver.NamedValue) string {
			b, err := p.bind(planSides["postgres"], args)
			if err == nil {
				args, err = b.arrange(args)
			}
			return fmt.Sprint(args, err)
		}
		for _, order := range [][2][]driver.NamedValue{{byName, positional("A")}, {positional("A"), byName}} {
			used, fresh := newPlanCache(engine.Postgres).get(text), newPlanCache(engine.Postgres).get(text)
			said(used, order[0])
			if got, want := said(used, order[1]), said(fresh, order[1]); got != want {
				t.Errorf("%q after another form: %s; want %s", text, got, want)
			}
		}
	}
}

// TestPlanCache: a text is parsed once, and the cache stays within its bound.
func TestPlanCache(t *testing.T) {
	c := newPlanCache(engine.SQLite)
	if first := c.get("select 1"); first != c.get("select 1") {
		t.Error("parsed twice")
	}
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for i := range maxPlans {
				if p := c.get(fmt.Sprintf("select %d, %d", w, i)); p.st == nil {
					t.Error("a plan without its statement")
				}
			}
		})
	}
	workers.Wait()
	if len(c.m) > maxPlans {
		t.Errorf("%d plans are kept, the bound is %d", len(c.m), maxPlans)
	}
}
