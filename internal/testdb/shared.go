package testdb

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
)

// shared are the clusters that live as long as the process.
var shared struct {
	sync.Mutex
	clusters []*Cluster
}

// Main is the body of a TestMain: it runs the tests, stops the shared clusters and ends the process.
func Main(m *testing.M) { MainThen(m, func() {}) }

// MainThen does the same, and calls then before it stops the clusters.
func MainThen(m *testing.M, then func()) {
	code := m.Run()
	then()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Clusters returns n different clusters that all tests of the process share; tests keep out of each other's way by
// CreateDatabase. Missing ones are started, at the same time. Without PostgreSQL the test is skipped, or fails where the
// environment requires it. It is safe for concurrent use.
func Clusters(tb testing.TB, n int) []*Cluster {
	tb.Helper()
	requirePostgres(tb)
	shared.Lock()
	defer shared.Unlock()
	if len(servers()) > 0 {
		nameShared(tb, n)
	} else {
		startShared(tb, n)
	}
	return append([]*Cluster(nil), shared.clusters[:n]...)
}

func nameShared(tb testing.TB, n int) {
	tb.Helper()
	dsns := servers()
	if len(dsns) < n {
		unavailable(tb, fmt.Sprintf("%s names %d servers, this test needs %d", envServers, len(dsns), n))
	}
	for i := len(shared.clusters); i < n; i++ {
		u, err := url.Parse(dsns[i])
		if err != nil || u.Host == "" {
			tb.Fatalf("%s: entry %d is not a URL like postgres://user@host:port/postgres", envServers, i+1)
		}
		shared.clusters = append(shared.clusters, &Cluster{named: u})
	}
}

func startShared(tb testing.TB, n int) {
	tb.Helper()
	missing := max(0, n-len(shared.clusters))
	started, failures := make([]*Cluster, missing), make([]error, missing)
	var group sync.WaitGroup
	for i := range missing {
		group.Go(func() { started[i], failures[i] = NewCluster(nil) })
	}
	group.Wait()
	for _, c := range started {
		if c != nil {
			shared.clusters = append(shared.clusters, c)
		}
	}
	if err := errors.Join(failures...); err != nil {
		tb.Fatalf("start PostgreSQL clusters: %v", err)
	}
}

func stopShared() error {
	shared.Lock()
	defer shared.Unlock()
	failures := make([]error, len(shared.clusters))
	var group sync.WaitGroup
	for i, c := range shared.clusters {
		if c.named == nil {
			group.Go(func() { failures[i] = c.Close() })
		}
	}
	group.Wait()
	shared.clusters = nil
	return errors.Join(failures...)
}
