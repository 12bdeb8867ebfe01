package netproxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	chunkSize = 32 << 10
	// inTransit is how many chunks may have arrived in one direction and not gone on, because they are delayed, frozen or
	// held. Then nothing more is read, as a network's buffers are full too.
	inTransit = 256
)

// link is one connection through a proxy. What it carries is forward's (link_request.go) and backward's (link_reply.go).
type link struct {
	proxy  *Proxy
	ctx    context.Context // done when the link is cut
	cancel context.CancelFunc
	client net.Conn

	mu       sync.Mutex
	server   net.Conn // nil until dialed
	protocol protocol // opaque until the client has begun: no protocol that is understood has a server that speaks first
	// replies are the rules for answers that are still to come, by the number of the answer, counted from 0 on the link.
	replies map[int][]*Rule
}

func newLink(p *Proxy, client net.Conn) *link {
	l := &link{proxy: p, client: client, protocol: opaque{}, replies: map[int][]*Rule{}}
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
	var carrying sync.WaitGroup
	for _, d := range []struct {
		from, to net.Conn
		handle   func(chunk []byte) bool
	}{{l.client, l.server, l.forward()}, {l.server, l.client, l.backward()}} {
		arrivals := make(chan arrival, inTransit)
		carrying.Go(func() { l.read(d.from, arrivals) })
		carrying.Go(func() { l.deliver(arrivals, d.from, d.to, d.handle) })
	}
	carrying.Wait()
}

// arrival is what has been read at once: some bytes, the end of a connection, or both.
type arrival struct {
	due   time.Time // when it goes on
	bytes []byte
	err   error
}

// read ends with the connection, or when the link is cut.
func (l *link) read(from net.Conn, arrivals chan<- arrival) {
	defer close(arrivals)
	buffer := make([]byte, chunkSize)
	for {
		n, err := from.Read(buffer)
		a := arrival{time.Now().Add(l.proxy.currentDelay()), bytes.Clone(buffer[:n]), err}
		select {
		case arrivals <- a:
		case <-l.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// deliver hands the bytes to handle when they are due, in the order of their arrival, until handle returns false (the link
// is cut) or the connection has ended. However a client ends, it is passed on as an orderly end, so that all it has sent
// arrives; a server that resets cuts the link.
func (l *link) deliver(arrivals <-chan arrival, from, to net.Conn, handle func(chunk []byte) bool) {
	for a := range arrivals {
		if !l.awaits(a.due) || !l.proxy.flows(l.ctx) || len(a.bytes) > 0 && !handle(a.bytes) {
			return
		}
		if a.err == nil {
			continue
		}
		if !errors.Is(a.err, io.EOF) && from != l.client || to.(*net.TCPConn).CloseWrite() != nil {
			l.cut()
		}
		return
	}
}

// awaits waits for a moment. It returns false when the link is cut before.
func (l *link) awaits(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
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

func (l *link) spoken() protocol {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.protocol
}

func (l *link) speak(p protocol) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.protocol = p
}
