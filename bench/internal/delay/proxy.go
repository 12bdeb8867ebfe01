// Package delay puts a delay into connections: a TCP proxy that hands everything on a fixed time after it has arrived, in
// each direction.
//
// It differs from internal/chaos/netproxy in what a measurement needs. It reads nothing of what it carries, so it takes
// little of the processors that servers and client share with it; it sleeps to some ten microseconds, where a timer of
// Go's rests on waits of whole milliseconds; and [Start] runs it in a process of its own, so that what it uses is not counted as the
// client's.
package delay

import (
	"errors"
	"net"
	"runtime"
	"sync"
	"time"
)

const chunkSize = 16 << 10

// proxy hands on what it reads, in the order of its arrival: everything waits equally long, so one queue does for all
// connections.
type proxy struct {
	target   string
	delay    time.Duration
	listener net.Listener
	queue    chan chunk
}

type chunk struct {
	due   time.Time
	bytes []byte // nil: the sender has ended
	to    chan<- []byte
}

// listen starts a proxy to the server at target (host:port) on a free port of 127.0.0.1. It runs until the process ends.
func listen(target string, d time.Duration) (*proxy, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{target: target, delay: d, listener: listener, queue: make(chan chunk, 4096)}
	go p.clock()
	go p.accept()
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // the client has gone already
			continue
		}
		go p.connect(client.(*net.TCPConn))
	}
}

func (p *proxy) connect(client *net.TCPConn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	var carrying sync.WaitGroup
	p.carry(&carrying, client, server.(*net.TCPConn))
	p.carry(&carrying, server.(*net.TCPConn), client)
	carrying.Wait()
	_, _ = client.Close(), server.Close()
}

// carry starts what takes one direction's bytes into the queue and out of it.
func (p *proxy) carry(carrying *sync.WaitGroup, from, to *net.TCPConn) {
	out := make(chan []byte, 1024)
	carrying.Go(func() {
		for {
			b := make([]byte, chunkSize)
			n, err := from.Read(b)
			due := time.Now().Add(p.delay)
			if n > 0 {
				p.queue <- chunk{due, b[:n], out}
			}
			if err != nil {
				p.queue <- chunk{due, nil, out}
				return
			}
		}
	})
	carrying.Go(func() {
		for b := range out {
			if b == nil {
				_ = to.CloseWrite()
				return
			}
			if _, err := to.Write(b); err != nil {
				_ = from.Close() // whatever it still sends has nobody to read it
			}
		}
	})
}

// clock hands on what is due.
func (p *proxy) clock() {
	runtime.LockOSThread()
	precise()
	for c := range p.queue {
		if wait := time.Until(c.due); wait > 0 {
			sleep(wait)
		}
		c.to <- c.bytes
	}
}
