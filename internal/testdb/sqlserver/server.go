package sqlserver

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/localport"
	"github.com/dualsql/dualsql/internal/testdb/tds"
	"github.com/dualsql/dualsql/internal/testdb/tds/tsql"
)

const envServers = "DUALSQL_TEST_SQLSERVER"

// Server is a SQL Server for tests. Its methods are safe for concurrent use; who stops one stops it, and the PostgreSQL cluster
// of the same number, for all.
type Server struct {
	named *url.URL // set for a real server; then all below is unset

	cluster *testdb.Cluster
	addr    string

	mu       sync.Mutex
	endpoint *tds.Server // nil while it is stopped
	backend  *tsql.Server
}

// shared are the servers that live as long as the process.
var shared struct {
	sync.Mutex
	servers []*Server
}

// Servers returns n different servers that all tests of the process share. Number i stands in front of number i of
// [testdb.Clusters], on which the same conditions hold. It is safe for concurrent use.
func Servers(tb testing.TB, n int) []*Server {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if named := strings.Fields(os.Getenv(envServers)); len(named) > 0 {
		nameShared(tb, named, n)
		return append([]*Server(nil), shared.servers[:n]...)
	}
	clusters := testdb.Clusters(tb, n)
	for i := len(shared.servers); i < n; i++ {
		s := &Server{cluster: clusters[i]}
		if err := s.listen(); err != nil {
			tb.Fatalf("start the SQL Server endpoint: %v", err)
		}
		shared.servers = append(shared.servers, s)
	}
	return append([]*Server(nil), shared.servers[:n]...)
}

func nameShared(tb testing.TB, dsns []string, n int) {
	tb.Helper()
	if len(dsns) < n {
		tb.Skipf("%s names %d servers, this test needs %d", envServers, len(dsns), n)
	}
	for i := len(shared.servers); i < n; i++ {
		u, err := url.Parse(dsns[i])
		if err != nil || u.Scheme != "sqlserver" || u.Host == "" {
			tb.Fatalf("%s: entry %d is not a URL like sqlserver://sa:password@host:1433", envServers, i+1)
		}
		shared.servers = append(shared.servers, &Server{named: u})
	}
}

// Start starts an endpoint of the test's own, in front of a cluster of its own with these settings. It is gone when the test
// ends.
func Start(tb testing.TB, settings map[string]string) *Server {
	tb.Helper()
	s := &Server{cluster: testdb.StartCluster(tb, settings)}
	if err := s.listen(); err != nil {
		tb.Fatalf("start the SQL Server endpoint: %v", err)
	}
	tb.Cleanup(s.close)
	return s
}

// Main is the body of a TestMain, in the place of [testdb.Main].
func Main(m *testing.M) {
	testdb.MainThen(m, func() {
		shared.Lock()
		defer shared.Unlock()
		for _, s := range shared.servers {
			s.close()
		}
		shared.servers = nil
	})
}

// listen takes connections, at the address that the server has had before if it has.
func (s *Server) listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.endpoint != nil {
		return nil
	}
	var l net.Listener
	var err error
	if s.addr == "" {
		l, err = localport.Listen()
	} else {
		l, err = net.Listen("tcp4", s.addr)
	}
	if err != nil {
		return err
	}
	s.addr = l.Addr().String()
	s.backend = tsql.New(func(database string) string {
		if database == "master" {
			database = "postgres"
		}
		return s.cluster.DSN(database)
	})
	s.endpoint = tds.Serve(l, s.backend)
	return nil
}

func (s *Server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.endpoint != nil {
		s.endpoint.Close()
		s.backend.Close()
		s.endpoint = nil
	}
}

// DSN returns the URL of a database of the server.
func (s *Server) DSN(database string) string {
	u := url.URL{Scheme: "sqlserver", User: url.UserPassword("sa", "endpoint"), Host: s.addr, RawQuery: "encrypt=disable"}
	if s.named != nil {
		u = *s.named
	}
	q := u.Query()
	q.Set("database", database)
	u.RawQuery = q.Encode()
	return u.String()
}

// Real reports whether this is a SQL Server, and not the endpoint.
func (s *Server) Real() bool { return s.named != nil }

// MayStop skips the test if this is a SQL Server: it is not stopped or started by tests.
func (s *Server) MayStop(tb testing.TB) {
	tb.Helper()
	if s.Real() {
		tb.Skipf("a server that %s names is not stopped or started by tests", envServers)
	}
	s.cluster.MayStop(tb)
}

// StopImmediate stops the endpoint's cluster as a crash does: sessions are cut, and nobody answers until Start. What is still
// stopped when the test ends is started again. With a real server the test is skipped.
func (s *Server) StopImmediate(tb testing.TB) {
	tb.Helper()
	s.MayStop(tb)
	tb.Cleanup(func() {
		if err := s.listen(); err != nil {
			tb.Errorf("start the SQL Server endpoint that the test left stopped: %v", err)
		}
	})
	s.cluster.StopImmediate(tb)
	s.close()
}

// Start starts a stopped server.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	s.cluster.Start(tb)
	if err := s.listen(); err != nil {
		tb.Fatalf("start the SQL Server endpoint: %v", err)
	}
}

// Restart is StopImmediate, and Start.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.StopImmediate(tb)
	s.Start(tb)
}

func (s *Server) String() string {
	if s.Real() {
		return fmt.Sprintf("SQL Server at %s", s.named.Host)
	}
	return "SQL Server endpoint at " + s.addr
}
