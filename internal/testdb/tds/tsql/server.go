package tsql

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// Server is a [tds.Backend] on PostgreSQL databases. It is safe for concurrent use.
type Server struct {
	dsnOf func(database string) string

	programs sync.Map // of *program or *failure by their text
	cached   atomic.Int32
	sessions atomic.Int32  // for @@SPID
	changes  atomic.Uint64 // of schemas, so that what is known of a table is not kept too long

	idle backends
}

// New returns a server that finds the database of a session at the DSN that dsnOf returns; "" says that there is none. Close it.
func New(dsnOf func(database string) string) *Server { return &Server{dsnOf: dsnOf} }

// Close closes what the server has kept. No session may be open.
func (s *Server) Close() { s.idle.close() }

// firstSPID: the numbers up to it are the server's own.
const firstSPID = 50

const loginLimit = 30 * time.Second

// Login opens a session; whoever it is, is the superuser.
func (s *Server) Login(user, password, database string) (tds.Session, error) {
	dsn := s.dsnOf(database)
	if dsn == "" {
		return nil, noDatabase(database)
	}
	ctx, cancel := context.WithTimeout(context.Background(), loginLimit)
	defer cancel()
	spid := firstSPID + s.sessions.Add(1)
	for b := s.idle.take(database); b != nil; b = s.idle.take(database) {
		if b.wake(ctx, spid) == nil {
			return newSession(s, b, user, spid), nil
		}
		_ = b.pg.Close(ctx) // it was lost while it was idle
	}
	b, err := connect(ctx, dsn, database)
	if err != nil {
		return nil, err
	}
	if err := b.wake(ctx, spid); err != nil {
		return nil, errors.Join(err, b.pg.Close(ctx))
	}
	return newSession(s, b, user, spid), nil
}

func noDatabase(database string) error {
	return fmt.Errorf("%w: %q", tds.ErrNoDatabase, database)
}

//go:embed support/*.sql
var supportFiles embed.FS

// support is the text that makes the support objects of a database. It is one transaction, which at most one session at a time
// runs.
var support = sync.OnceValues(func() (string, error) {
	names, err := fs.Glob(supportFiles, "support/*.sql") // in the order of their numbers
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("begin; set local client_min_messages = warning;\n")
	for _, name := range names {
		text, err := supportFiles.ReadFile(name)
		if err != nil {
			return "", err
		}
		b.Write(text)
		b.WriteString(";\n")
	}
	b.WriteString("commit")
	return b.String(), nil
})

// cacheLimit bounds the programs that are kept; then all are forgotten.
const cacheLimit = 2000

// parse parses a text once. A text that holds a value of its own each time, as most do here, makes it forget.
func (s *Server) parse(text string) (*program, error) {
	if known, ok := s.programs.Load(text); ok {
		return known.(*program), nil
	}
	prog, err := parse(text)
	if err != nil {
		return nil, err
	}
	if s.cached.Add(1) > cacheLimit {
		s.programs.Clear()
		s.cached.Store(0)
	}
	s.programs.Store(text, prog)
	return prog, nil
}
