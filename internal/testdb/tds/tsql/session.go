package tsql

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// session is one client's. Its methods are called one at a time, but for Cancel and Close.
type session struct {
	server         *Server
	pg             *pgconn.PgConn
	user, database string
	spid           int32
	kinds          map[uint32]tds.Kind // of PostgreSQL's types, by their OID

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

func newSession(s *Server, pg *pgconn.PgConn, user, database string, spid int32) *session {
	return &session{server: s, pg: pg, user: user, database: database, spid: spid, settings: loginSettings,
		sentTimeout: unknownTimeout}
}

// supportLock is the advisory lock that making the support objects holds.
const supportLock = "4860347236194570253"

// open makes the support objects where they are not there yet, and learns the types.
func (s *session) open(ctx context.Context) error {
	there, err := s.ask(ctx, "select to_regprocedure('tsql.raise_identity(regclass)')")
	if err != nil {
		return err
	}
	if there[0][0] == nil {
		if err := s.build(ctx); err != nil {
			return err
		}
	}
	rows, err := s.ask(ctx, "select oid, typname from pg_type where typnamespace = 'tsql'::regnamespace or oid in ('int2'::regtype, "+
		"'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype, 'uuid'::regtype, 'date'::regtype)")
	if err != nil {
		return err
	}
	byName := map[string]tds.Kind{}
	for kind, name := range pgNames {
		if len(name) > 5 && name[:5] == "tsql." {
			name = name[5:]
		}
		byName[name] = kind
	}
	s.kinds = map[uint32]tds.Kind{25: tds.NVarChar, 19: tds.NVarChar} // text and name, which only the catalog has
	for _, row := range rows {
		oid, err := strconv.ParseUint(string(row[0]), 10, 32)
		if err != nil {
			return err
		}
		if kind, ok := byName[string(row[1])]; ok {
			s.kinds[uint32(oid)] = kind
		}
	}
	return nil
}

func (s *session) build(ctx context.Context) error {
	text, err := support()
	if err != nil {
		return err
	}
	if _, err := s.ask(ctx, "select pg_advisory_lock("+supportLock+")"); err != nil {
		return err
	}
	there, err := s.ask(ctx, "select to_regprocedure('tsql.raise_identity(regclass)')")
	if err == nil && there[0][0] == nil {
		_, err = s.ask(ctx, text)
	}
	if _, unlockErr := s.ask(ctx, "select pg_advisory_unlock("+supportLock+")"); err == nil {
		err = unlockErr
	}
	return err
}

// ask runs a text outside of any request and returns the rows of its last result.
func (s *session) ask(ctx context.Context, text string) ([][][]byte, error) {
	results, err := s.pg.Exec(ctx, text).ReadAll()
	if err != nil || len(results) == 0 {
		return nil, err
	}
	return results[len(results)-1].Rows, nil
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
	_ = s.pg.Close(ctx) // nobody is left to tell
}
