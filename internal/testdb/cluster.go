package testdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Cluster is a PostgreSQL cluster for tests. It listens on a free port of 127.0.0.1 (and on a unix socket in its
// directory where the path is short enough), trusts everybody, and has the superuser postgres. A cluster that the
// environment names (see the package comment) is somebody else's: it is never stopped or started.
//
// Its methods are safe for concurrent use, but one who stops a shared cluster stops it for all: such a test does not run
// in parallel with others of its package.
type Cluster struct {
	named *url.URL // set for a server that the environment names; then all below is unset

	dir  string
	port int

	mu         sync.Mutex // held for a request and its response
	pid        int        // of the postmaster, 0 when stopped
	supervisor *exec.Cmd
	requests   io.WriteCloser // closing it ends the cluster
	responses  io.ReadCloser
	stderr     *os.File

	spareMu sync.Mutex
	spare   map[string][]spare // by their kind
}

const logName = "log"

// defaults are the settings of every cluster. No test cuts the power, and a killed process loses nothing that it has
// handed to the operating system, so there is no need for fsync. synchronous_commit stays on: the code under test
// looks at it.
var defaults = map[string]string{
	"fsync":                     "off",
	"listen_addresses":          "127.0.0.1",
	"log_line_prefix":           "%m [%p] %d ",
	"max_connections":           "200",
	"max_prepared_transactions": "64",
}

// StartCluster starts a cluster of the test's own, with the settings on top of the defaults (fsync=off,
// max_prepared_transactions=64, max_connections=200). It is stopped and removed when the test ends. Without PostgreSQL
// the test is skipped, or fails where the environment requires it.
func StartCluster(tb testing.TB, settings map[string]string) *Cluster {
	tb.Helper()
	requirePostgres(tb)
	if _, err := binaries(); err != nil {
		tb.Skipf("this test needs a cluster of its own, and %s names servers only: %v", envServers, err)
	}
	c, err := NewCluster(settings)
	if err != nil {
		tb.Fatalf("start a PostgreSQL cluster: %v", err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Errorf("remove a PostgreSQL cluster: %v", err)
		}
	})
	return c
}

// NewCluster starts a cluster, as [StartCluster] does, for a program that is no test. The caller closes it; if the program
// dies before, the cluster goes as well.
func NewCluster(settings map[string]string) (*Cluster, error) {
	dir, err := binaries()
	if err != nil {
		return nil, err
	}
	c, err := startSupervisor()
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(defaults)
	maps.Copy(merged, settings)
	if err := c.request(request{Op: opCreate, Binaries: dir, Settings: merged}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// startSupervisor starts no goroutine: a test that counts goroutines may be the first to ask for a shared cluster.
func startSupervisor() (*Cluster, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// A pipe to the parent for stderr would need a goroutine to read it.
	stderr, err := os.CreateTemp("", "dualsql-supervisor-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(stderr.Name()); err != nil {
		return nil, errors.Join(err, stderr.Close())
	}
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), supervisorEnv+"=1")
	cmd.Stderr = stderr
	c := &Cluster{supervisor: cmd, stderr: stderr}
	if c.requests, err = cmd.StdinPipe(); err != nil {
		return nil, errors.Join(err, stderr.Close())
	}
	if c.responses, err = cmd.StdoutPipe(); err != nil {
		return nil, errors.Join(err, c.requests.Close(), stderr.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, stderr.Close())
	}
	return c, nil
}

// request has the supervisor do something and waits for its answer. The supervisor bounds the time.
func (c *Cluster) request(r request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var answer response
	err := json.NewEncoder(c.requests).Encode(r)
	if err == nil {
		err = json.NewDecoder(c.responses).Decode(&answer)
	}
	if err != nil {
		return fmt.Errorf("the supervisor did not answer %q: %w%s", r.Op, err, c.complaint())
	}
	if r.Op == opCreate { // they never change, and are read without the lock
		c.dir, c.port = answer.Dir, answer.Port
	}
	c.pid = answer.PID
	if answer.Err != "" {
		return fmt.Errorf("%s: %s", r.Op, answer.Err)
	}
	return nil
}

// Close stops the cluster and removes it. It is for clusters of [NewCluster].
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.requests.Close() // it fails if the supervisor is gone, and then Wait says so
	err := c.supervisor.Wait()
	if err != nil {
		err = fmt.Errorf("the supervisor of %s: %w%s", c.dir, err, c.complaint())
	}
	return errors.Join(err, c.stderr.Close())
}

// complaint returns what the supervisor wrote to its standard error.
func (c *Cluster) complaint() string {
	text, err := io.ReadAll(io.NewSectionReader(c.stderr, 0, 1<<20))
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\n" + string(text)
}

// Log returns the end of the server's log, for a failing test to print. It is empty for a server that the environment
// names.
func (c *Cluster) Log() string {
	if c.named != nil {
		return ""
	}
	return tail(filepath.Join(c.dir, logName), 0)
}

// tail returns the last 16 KiB of a file, at most, and nothing before the offset from.
func tail(path string, from int64) string {
	const limit = 16 << 10
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	from = max(from, info.Size()-limit)
	text, err := io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
	if err != nil {
		return err.Error()
	}
	return string(text)
}
