package tds

import (
	"errors"
	"net"
	"sync"
)

// Server serves the clients of one listener. Its methods are safe for concurrent use.
type Server struct {
	listener net.Listener
	backend  Backend

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	rules  []*Rule
	spid   uint16 // the newest connection's

	work sync.WaitGroup // the accept loop and the connections
}

// firstUserSPID is the least process id of SQL Server that is not one of its own.
const firstUserSPID = 51

// Serve starts to take connections from l, which it closes in Close.
func Serve(l net.Listener, b Backend) *Server {
	s := &Server{listener: l, backend: b, conns: map[*conn]struct{}{}, spid: firstUserSPID - 1}
	s.work.Go(s.accept)
	return s
}

// Close takes no more connections and cuts those that there are. When it returns, all sessions are closed and all goroutines
// have ended.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.listener.Close() // an error: it was closed before
	s.Cut()
	s.work.Wait()
}

// Cut closes all connections at once. Their sessions are closed soon after.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.cut()
	}
}

func (s *Server) accept() {
	for {
		socket, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // otherwise the client has gone before it was accepted
			s.start(socket)
		}
	}
}

func (s *Server) start(socket net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = socket.Close() // nobody has been promised anything
		return
	}
	s.spid++
	c := newConn(s, socket, s.spid)
	s.conns[c] = struct{}{}
	s.work.Go(func() {
		c.run()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
}
