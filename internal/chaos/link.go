package chaos

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

const chunkSize = 32 << 10

// link is one connection through a proxy. Two goroutines carry it, forward (link_request.go) and backward
// (link_reply.go).
type link struct {
	proxy  *Proxy
	ctx    context.Context // done when the link is cut
	cancel context.CancelFunc
	client net.Conn

	mu       sync.Mutex
	server   net.Conn // nil until dialed
	protocol protocol
	// unanswered is set while the answer to a request for encryption is due: one byte, not a message.
	unanswered bool
	// replies are the rules for answers that are still to come, by the number of the ReadyForQuery that ends the answer.
	// The one that ends the startup is number 0.
	replies map[int][]*Rule
}

// protocol is what a link's bytes are taken for.
type protocol int

const (
	unknown  protocol = iota // the client has not begun: a server that speaks first is not PostgreSQL
	postgres                 // messages, to which rules apply
	opaque                   // encrypted, or another protocol
)

func newLink(p *Proxy, client net.Conn) *link {
	l := &link{proxy: p, client: client, replies: map[int][]*Rule{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// run carries the link until both directions have ended or it is cut.
func (l *link) run() {
	defer l.cut()
	if !l.proxy.flows(l.ctx) {
		return
	}
	server, err := (&net.Dialer{}).DialContext(l.ctx, "tcp", l.proxy.target)
	if err != nil {
		return
	}
	l.mu.Lock()
	l.server = server
	l.mu.Unlock()
	if l.ctx.Err() != nil {
		return
	}
	var directions sync.WaitGroup
	directions.Go(func() { l.carry(l.client, l.server, l.forward()) })
	directions.Go(func() { l.carry(l.server, l.client, l.backward()) })
	directions.Wait()
}

// cut closes both sides at once. It can be repeated.
func (l *link) cut() {
	l.cancel()
	_ = l.client.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		_ = l.server.Close()
	}
}

// carry reads from one side and hands each chunk to handle, until handle returns false or the side has ended. However a
// client ends, it is passed on as an orderly end, so that all it has sent arrives; a server that resets cuts the link.
func (l *link) carry(from, to net.Conn, handle func(chunk []byte) bool) {
	buffer := make([]byte, chunkSize)
	for {
		n, err := from.Read(buffer)
		if !l.proxy.delayed(l.ctx) || n > 0 && !handle(buffer[:n]) {
			return
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, io.EOF) && from != l.client || to.(*net.TCPConn).CloseWrite() != nil {
			l.cut()
		}
		return
	}
}

func (l *link) speaks() protocol {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.protocol
}

func (l *link) setProtocol(p protocol) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.protocol = p
}
