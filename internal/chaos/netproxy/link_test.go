package netproxy_test

import (
	"net"
	"testing"

	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/chaos/netproxy"
)

// bothEnds returns a proxy, and the two ends of a connection through it.
func bothEnds(t *testing.T) (p *chaos.Proxy, client, server net.Conn) {
	t.Helper()
	chaos.CheckGoroutines(t)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p = chaos.NewProxy(t, listener.Addr().String())
	client = dial(t, p)
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return p, client, server
}

// Pieces of PostgreSQL's protocol.
const (
	startup = "\x00\x00\x00\x09\x00\x03\x00\x00\x00"
	query   = "Q\x00\x00\x00\x06x\x00"
	row     = "D\x00\x00\x00\x04"
	ready   = "Z\x00\x00\x00\x05I"
	strange = "X\x00\x00\x00\x00"
)

// What a side has sent before the other sends something strange is passed on: a part of an answer that was kept for a rule,
// and a part of a request.
func TestLinkThatIsNoLongerUnderstood(t *testing.T) {
	p, client, server := bothEnds(t)
	p.OnRequest(netproxy.SQLContains("x"), netproxy.HoldReply)
	send(t, client, startup+query+query[:4])
	expect(t, server, startup+query)
	send(t, server, ready+row)
	expect(t, client, ready)
	send(t, server, row+strange)
	expect(t, client, row+row+strange)
	send(t, client, query[4:])
	expect(t, server, query)

	p.OnRequest(netproxy.SQLContains("x"), netproxy.CutBefore)
	send(t, client, query)
	expect(t, server, query)
	send(t, server, ready)
	expect(t, client, ready)
}

// The answer that has begun when the client sends something strange is passed on too.
func TestLinkWhoseClientIsNoLongerUnderstood(t *testing.T) {
	p, client, server := bothEnds(t)
	p.OnRequest(netproxy.SQLContains("x"), netproxy.HoldReply)
	send(t, client, startup+query)
	expect(t, server, startup+query)
	send(t, server, ready+row+row[:2])
	expect(t, client, ready)
	send(t, client, strange)
	expect(t, server, strange)
	send(t, server, row[2:])
	expect(t, client, row+row)
}
