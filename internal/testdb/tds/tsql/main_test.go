package tsql

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/tds"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// newServer returns a server with one empty database, "app".
func newServer(t *testing.T) *Server {
	t.Helper()
	dsn := testdb.Clusters(t, 1)[0].CreateDatabase(t)
	return New(func(database string) string {
		if database == "app" {
			return dsn
		}
		return ""
	})
}

// client is a session and what it has answered to its last request.
type client struct {
	t       *testing.T
	session tds.Session
	recorder
}

func login(t *testing.T, s *Server) *client {
	t.Helper()
	one, err := s.Login("sa", "secret", "app")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(one.Close)
	return &client{t: t, session: one}
}

// recorder is a [tds.Sink] that writes down what it gets.
type recorder struct {
	columns  []tds.Column
	lines    []string
	messages []tds.Message
}

func (r *recorder) Columns(columns []tds.Column) { r.columns = columns }

func (r *recorder) Row(values []any) {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte('|')
		}
		switch v := v.(type) {
		case nil:
			b.WriteString("NULL")
		case []byte:
			fmt.Fprintf(&b, "0x%X", v)
		case [16]byte:
			fmt.Fprintf(&b, "%x", v)
		case time.Time:
			b.WriteString(v.Format("2006-01-02 15:04:05.9999999 -07:00"))
		default:
			fmt.Fprint(&b, v)
		}
	}
	r.lines = append(r.lines, b.String())
}

func (r *recorder) Done(d tds.Done) {
	if d.Counted {
		r.lines = append(r.lines, fmt.Sprintf("(%d)", d.Rows))
	}
}

func (r *recorder) Message(m tds.Message) {
	r.messages = append(r.messages, m)
	switch {
	case m.Number == 3621: // it follows an error that is recorded
	case m.Class > 10:
		r.lines = append(r.lines, fmt.Sprintf("error %d", m.Number))
	default:
		r.lines = append(r.lines, "message "+m.Text)
	}
}

func (r *recorder) Tran(e tds.TranEvent, descriptor uint64) {
	if descriptor == 0 {
		panic("a transaction without a descriptor")
	}
	r.lines = append(r.lines, [...]string{"begun", "committed", "rolled back"}[e])
}

// run runs a batch and returns what it has answered: rows with | between values, (n) for a count, the events of transactions,
// errors by number and messages by text, with " / " between them.
func (c *client) run(text string, params ...tds.Param) string {
	c.t.Helper()
	c.recorder = recorder{}
	if _, err := c.session.Batch(text, params, c); err != nil {
		c.t.Fatalf("%s\n%v", text, err)
	}
	return strings.Join(c.lines, " / ")
}

// must runs a batch that has no error.
func (c *client) must(text string, params ...tds.Param) string {
	c.t.Helper()
	got := c.run(text, params...)
	for _, m := range c.messages {
		if m.Class > 10 {
			c.t.Fatalf("%s\nerror %d: %s", text, m.Number, m.Text)
		}
	}
	return got
}

// check runs a batch and compares what it answers.
func (c *client) check(text, want string, params ...tds.Param) {
	c.t.Helper()
	if got := c.run(text, params...); got != want {
		c.t.Errorf("%s\ngot  %s\nwant %s%s", text, got, want, c.texts())
	}
}

func (c *client) texts() string {
	var b strings.Builder
	for _, m := range c.messages {
		fmt.Fprintf(&b, "\n%d: %s", m.Number, m.Text)
	}
	return b.String()
}

// rule is one row of a test: a batch and what it answers.
type rule struct{ batch, want string }

// rules runs them one after the other in one session.
func rules(t *testing.T, all []rule) {
	t.Helper()
	c := login(t, newServer(t))
	for _, r := range all {
		c.check(r.batch, r.want)
	}
}
