package tsql

import (
	"context"
	"sync"
	"time"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// session is one client's. Its methods are called one at a time, but for Cancel and Close.
type session struct {
	server *Server
	*backend
	user string
	spid int32

	settings
	tran           transactionState
	tries          int // TRY blocks that are being run
	depth          int // scopes that are being run: @@NESTLEVEL + 1
	rowCount       int64
	lastError      int32
	applocks       []applock
	shapes         map[string]tableShape
	shapesAt       uint64 // Server.changes when shapes were read
	sentTimeout    int    // what lock_timeout PostgreSQL has; unknownTimeout if it may have been rolled back
	identityInsert string // the table that IDENTITY_INSERT is ON for

	mu        sync.Mutex
	running   bool          // a request
	cancelled chan struct{} // closed when the request is
	asked     uint64        // counts what PostgreSQL has been asked to run
	busy      bool          // it is running that
	closed    bool
}

// settings are what SET changes and a reset puts back.
type settings struct {
	level       tds.Isolation
	xactAbort   bool
	noCount     bool
	lockTimeout int // milliseconds; -1 waits for ever
}

var loginSettings = settings{level: tds.ReadCommitted, lockTimeout: -1}

func newSession(s *Server, b *backend, user string, spid int32) *session {
	return &session{server: s, backend: b, user: user, spid: spid, settings: loginSettings, sentTimeout: unknownTimeout}
}

// Reset is [tds.Session.Reset].
func (s *session) Reset(keepTran bool, out tds.Sink) error {
	if err := s.start(); err != nil { // Close must not close the connection under it
		return err
	}
	defer s.finish()
	level := s.level
	s.settings = loginSettings
	s.level = level // "sp_reset_connection" keeps the isolation level
	s.identityInsert, s.rowCount, s.lastError = "", 0, 0
	s.sentTimeout = unknownTimeout
	if keepTran && s.tran.count > 0 {
		return nil
	}
	f := &frame{s: s, out: out}
	if s.tran.count > 0 {
		if err := f.endTransaction("rollback", tds.TranRolledBack); err != nil {
			return err
		}
	}
	s.applocks = nil
	ctx, cancel := context.WithTimeout(context.Background(), loginLimit)
	defer cancel()
	_, err := s.ask(ctx, "select pg_advisory_unlock_all(); discard temporary; discard sequences")
	return err
}

const closeLimit = 5 * time.Second

// Close is [tds.Session.Close]: what is running is cancelled, so that PostgreSQL does not go on with it for nobody.
func (s *session) Close() {
	s.mu.Lock()
	s.closed = true
	running := s.running
	s.mu.Unlock()
	if running {
		s.Cancel()
		return // the request closes the connection when it ends
	}
	s.shut()
}

func (s *session) shut() {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if s.rest(ctx) != nil {
		_ = s.pg.Close(ctx) // nobody is left to tell
		return
	}
	s.server.idle.put(s.backend)
}
