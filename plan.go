package dualsql

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/dualsql/dualsql/internal/engine"
	"github.com/dualsql/dualsql/internal/sqltext"
)

// plan is what is known of one text: its parts and, for each side, the text with that side's placeholders. Safe for
// concurrent use.
type plan struct {
	st    *sqltext.Statement
	bound [2]atomic.Pointer[binding] // the last binding of a side: callers mostly pass one number of arguments
	calls atomic.Pointer[callClass]
	other atomic.Pointer[translation]
}

// binding is a text in one side's style and where its parameters come from.
type binding struct {
	args   int // positional arguments that it is for
	text   string
	params []sqltext.Param // nil: the arguments in their order
}

// callClass is what the primary's catalog says of the functions that a text calls.
type callClass struct {
	generation      int64 // of the catalog cache
	mirror, primary bool  // calls functions that may write; calls such that belong to the primary
}

// bind returns the text for a side. args are the statement's own, without pgx's leading options.
func (p *plan) bind(s *side, args []driver.NamedValue) (*binding, error) {
	named := false
	for i := range args {
		named = named || args[i].Name != ""
	}
	if b := p.bound[s.role].Load(); b != nil && !named && b.args == len(args) {
		return b, nil
	}
	shape := sqltext.Shape{}
	for _, a := range args {
		if a.Name == "" {
			shape.Positional++
		} else {
			shape.Names = append(shape.Names, a.Name)
		}
	}
	b := &binding{args: len(args)}
	var err error
	if ref := p.st.Savepoint; ref.Op != sqltext.NoSavepoint && p.st.Dialect != s.engine.Dialect() && speaksSQLServer(p.st.Dialect, s.engine.Dialect()) {
		b.text = ref.TextFor(s.engine.Dialect())
	} else if b.text, b.params, err = p.st.Bind(shape, s.engine.Style()); err != nil {
		return nil, err
	}
	if !named {
		p.bound[s.role].Store(b)
	}
	return b, nil
}

// speaksSQLServer: all others have one way to say savepoints.
func speaksSQLServer(a, b sqltext.Dialect) bool {
	return a == sqltext.SQLServer || b == sqltext.SQLServer
}

// arrange puts args into the order that the side's text wants. The result shares nothing with args.
func (b *binding) arrange(args []driver.NamedValue) ([]driver.NamedValue, error) {
	if b.params == nil {
		return append([]driver.NamedValue(nil), args...), nil
	}
	out := make([]driver.NamedValue, len(b.params))
	for i, p := range b.params {
		j := p.Index
		if p.Name != "" {
			j = slices.IndexFunc(args, func(a driver.NamedValue) bool { return a.Name == p.Name })
			if j < 0 {
				return nil, fmt.Errorf("no argument has the name @%s", p.Name)
			}
		}
		if j >= len(args) {
			return nil, fmt.Errorf("the statement has a placeholder for argument %d; %d were passed", j+1, len(args))
		}
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: args[j].Value}
	}
	return out, nil
}

// maxPlans bounds the cache; a program that builds texts with literals in them must not fill the memory.
const maxPlans = 2048

type planCache struct {
	dialect sqltext.Dialect
	mu      sync.RWMutex
	m       map[string]*plan
}

func newPlanCache(e engine.Engine) *planCache {
	return &planCache{dialect: e.Dialect(), m: map[string]*plan{}}
}

func (c *planCache) get(text string) *plan {
	c.mu.RLock()
	p := c.m[text]
	c.mu.RUnlock()
	if p != nil {
		return p
	}
	p = &plan{st: sqltext.Parse(text, c.dialect)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.m) >= maxPlans {
		for victim := range c.m {
			delete(c.m, victim)
			break
		}
	}
	c.m[text] = p
	return p
}
