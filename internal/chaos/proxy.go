package chaos

import (
	"testing"

	"github.com/dualsql/dualsql/internal/chaos/netproxy"
)

// Proxy is a [netproxy.Proxy] of a test: what fails fails the test.
type Proxy struct {
	*netproxy.Proxy
	tb testing.TB
}

// NewProxy starts a proxy to the server at target (host:port). It is closed when the test ends.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	p, err := netproxy.Listen(target)
	if err != nil {
		tb.Fatalf("chaos: %v", err)
	}
	tb.Cleanup(p.Close)
	return &Proxy{p, tb}
}

// Via returns the DSN, a URL, with the proxy's address in place of the server's.
func Via(dsn string, p *Proxy) string {
	p.tb.Helper()
	via, err := p.Via(dsn)
	if err != nil {
		p.tb.Fatalf("chaos: %v", err)
	}
	return via
}

// Up is [netproxy.Proxy.Up].
func (p *Proxy) Up() {
	p.tb.Helper()
	if err := p.Proxy.Up(); err != nil {
		p.tb.Fatalf("chaos: %v", err)
	}
}

// The proxy's rules, actions and messages.
type (
	Rule    = netproxy.Rule
	Action  = netproxy.Action
	Message = netproxy.Message
)

// The actions, as netproxy explains them.
const (
	CutBefore   = netproxy.CutBefore
	DropReply   = netproxy.DropReply
	HoldRequest = netproxy.HoldRequest
	LateRequest = netproxy.LateRequest
	HoldReply   = netproxy.HoldReply
)

// SQLContains is [netproxy.SQLContains].
func SQLContains(fragment string) func(Message) bool { return netproxy.SQLContains(fragment) }

// Nth is [netproxy.Nth].
func Nth(n int, match func(Message) bool) func(Message) bool { return netproxy.Nth(n, match) }
