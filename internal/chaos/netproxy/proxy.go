package netproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/dualsql/dualsql/internal/testdb/localport"
)

// Proxy is a TCP proxy on 127.0.0.1 in front of one server, with the faults of a network and, for PostgreSQL and TDS,
// faults at single messages (OnRequest). Its methods are safe for concurrent use.
type Proxy struct {
	addr   string
	target string

	control sync.Mutex // held by Down, Up and Close for their whole time

	mu        sync.Mutex
	listener  net.Listener  // nil while down
	accepting chan struct{} // closed when the listener's accept loop has ended
	links     map[*link]struct{}
	rules     []*Rule
	thawed    chan struct{} // closed unless frozen
	delay     time.Duration

	work sync.WaitGroup // the links' goroutines
}

// Listen starts a proxy to the server at target (host:port).
func Listen(target string) (*Proxy, error) {
	listener, err := localport.Listen()
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		addr: listener.Addr().String(), target: target,
		links: map[*link]struct{}{}, thawed: make(chan struct{}),
	}
	close(p.thawed)
	p.listen(listener)
	return p, nil
}

// Via returns the DSN, a URL with a host (postgres:// or sqlserver://), with the proxy's address in place of the server's.
func (p *Proxy) Via(dsn string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" {
		return "", errors.New("the DSN is not a URL with a host") // it may hold a password: it is not shown
	}
	u.Host = p.addr
	return u.String(), nil
}

// Addr returns the proxy's host:port. It stays the same for ever.
func (p *Proxy) Addr() string { return p.addr }

// Down cuts all connections and refuses new ones, as a server that has been stopped does. When it returns, all are
// closed. It does nothing to a proxy that is down.
func (p *Proxy) Down() {
	p.control.Lock()
	defer p.control.Unlock()
	p.mu.Lock()
	listener, accepting := p.listener, p.accepting
	p.listener = nil
	p.mu.Unlock()
	if listener == nil {
		return
	}
	_ = listener.Close() // what was refused before is refused still
	<-accepting
	p.Cut()
}

// Up takes connections again after Down. It does nothing to a proxy that is up. It fails if another process has taken the
// port in the meantime.
func (p *Proxy) Up() error {
	p.control.Lock()
	defer p.control.Unlock()
	p.mu.Lock()
	up := p.listener != nil
	p.mu.Unlock()
	if up {
		return nil
	}
	listener, err := net.Listen("tcp4", p.addr)
	if err != nil {
		return fmt.Errorf("take the proxy's port back: %w", err)
	}
	p.listen(listener)
	return nil
}

// Cut closes all connections that there are, at once; new ones are taken.
func (p *Proxy) Cut() {
	p.mu.Lock()
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	p.mu.Unlock()
	for _, l := range links {
		l.cut()
	}
}

// Freeze stops all bytes in both directions, and the closing of connections too: a black hole, in which new connections
// are taken and never answered. Like packets that are lost and sent again, what is sent now arrives after Thaw.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thawed:
		p.thawed = make(chan struct{})
	default: // frozen already
	}
}

// Thaw ends Freeze.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thawed:
	default:
		close(p.thawed)
	}
}

// Delay makes what arrives from either side go on d after its arrival, the end of a connection included. Bytes that arrive
// while earlier ones wait do not wait longer for it: latency grows, throughput does not shrink. Zero ends it.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Close cuts all connections, held and frozen ones included, and returns when all goroutines of the proxy have ended.
func (p *Proxy) Close() {
	p.Down()
	p.work.Wait()
}

func (p *Proxy) listen(listener net.Listener) {
	accepting := make(chan struct{})
	p.mu.Lock()
	p.listener, p.accepting = listener, accepting
	p.mu.Unlock()
	go func() {
		defer close(accepting)
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil { // otherwise the client has gone before it was accepted
				p.serve(conn)
			}
		}
	}()
}

// serve is called by the accept loop alone, which Down waits for: after it no link can appear.
func (p *Proxy) serve(conn net.Conn) {
	l := newLink(p, conn)
	p.mu.Lock()
	p.links[l] = struct{}{}
	p.mu.Unlock()
	p.work.Go(func() {
		l.run()
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
	})
}

func (p *Proxy) currentDelay() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay
}

// flows waits until the proxy is not frozen. It returns false when ctx is done.
func (p *Proxy) flows(ctx context.Context) bool {
	p.mu.Lock()
	thawed := p.thawed
	p.mu.Unlock()
	select {
	case <-thawed:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
