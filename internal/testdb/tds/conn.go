package tds

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// conn is one client. One goroutine reads: it logs the client in, and from then on hands requests to another, which executes
// them, so that an attention and the client's end are noticed while a request is running.
type conn struct {
	server     *Server
	socket     net.Conn
	spid       uint16
	packetSize int
	session    Session

	requests chan message  // to the executing goroutine, which is idle when one is sent
	dead     chan struct{} // closed by cut
	once     sync.Once     // of cut
	work     sync.WaitGroup

	writing sync.Mutex // held while packets are written; taken before mu

	mu      sync.Mutex
	running *running // nil while no request is

	// These are the executing goroutine's.
	descriptor uint64 // of the transaction, 0 outside of one
	prepared   map[int64]statement
	lastHandle int64
	bulk       string // the INSERT BULK that rows are to follow
	acted      *Rule  // the rule that has cut the connection
}

// running is the state of a request from when it was read until its reply is written.
type running struct {
	attention bool          // guarded by conn.mu
	finished  chan struct{} // closed when the session has returned
	canceller sync.WaitGroup
}

func newConn(s *Server, socket net.Conn, spid uint16) *conn {
	return &conn{
		server: s, socket: socket, spid: spid, packetSize: defaultPacketSize,
		requests: make(chan message), dead: make(chan struct{}), prepared: map[int64]statement{},
	}
}

// cut ends the connection. The reading goroutine closes the session then.
func (c *conn) cut() {
	c.once.Do(func() {
		close(c.dead)
		_ = c.socket.Close() // it is of no more use either way
	})
}

func (c *conn) run() {
	in := bufio.NewReaderSize(c.socket, mostPacketSize+1)
	if c.logIn(in) {
		c.work.Go(c.execute)
		c.read(in)
		c.cut()
		c.session.Close()
		c.work.Wait()
		if c.acted != nil {
			close(c.acted.fired)
		}
	}
	c.cut()
}

// read hands the client's requests on until it goes, or breaks the protocol.
func (c *conn) read(in *bufio.Reader) {
	for {
		m, err := readMessage(in)
		switch {
		case err != nil:
			return
		case m.kind == msgAttention:
			c.attention()
		case !c.begin():
			return // a request while another is running
		default:
			select {
			case c.requests <- m:
			case <-c.dead:
				return
			}
		}
	}
}

// begin says that a request is running, and returns false if one is already.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		return false
	}
	c.running = &running{finished: make(chan struct{})}
	return true
}

// attention cancels the request that is running, whose reply acknowledges it then. Without one, the acknowledgement is a reply of
// its own (MS-TDS 2.2.1.7).
func (c *conn) attention() {
	c.mu.Lock()
	r := c.running
	if r != nil && !r.attention {
		r.attention = true
		r.canceller.Go(func() { c.cancel(r) })
	}
	c.mu.Unlock()
	if r != nil {
		return
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	p := packer{size: c.packetSize, spid: c.spid}
	packets, _ := p.pack(done{token: tokenDone, status: doneAttention}.append(nil), true)
	c.writeLocked(packets)
}

// cancel asks the session to end the request until it has: the first time may have been before the session got it.
func (c *conn) cancel(r *running) {
	const again = 5 * time.Millisecond
	ticker := time.NewTicker(again)
	defer ticker.Stop()
	for {
		c.session.Cancel()
		select {
		case <-r.finished:
			return
		case <-ticker.C:
		}
	}
}

func (c *conn) cancelled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running != nil && c.running.attention
}

// finish sends what is left of a reply, and ends the request. An attention that comes from then on is answered on its own, after
// the reply: the reply is sent with writing held, since before the request ended.
func (c *conn) finish(o *response) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	r := c.running
	c.running = nil
	attention := r.attention
	c.mu.Unlock()
	close(r.finished)
	r.canceller.Wait() // a Cancel must not meet the next request
	if attention {
		o.hold(done{token: tokenDone, status: doneAttention})
	}
	packets, _ := o.packer.pack(o.held.append(o.out), true)
	c.writeLocked(packets)
}

func (c *conn) write(packets []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.writeLocked(packets)
}

func (c *conn) writeLocked(packets []byte) {
	if _, err := c.socket.Write(packets); err != nil {
		c.cut()
	}
}
