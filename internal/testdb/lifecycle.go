package testdb

import "testing"

// StopImmediate stops the cluster as a crash does (pg_ctl stop -m immediate): sessions are cut, and the next Start goes
// through recovery. It returns when all of its processes have ended. A cluster that is still stopped when the test ends
// is started again. With a server that the environment names, the test is skipped.
func (c *Cluster) StopImmediate(tb testing.TB) {
	tb.Helper()
	c.stop(tb, opStopImmediate)
}

// Restart stops the cluster in order (pg_ctl stop -m fast: sessions are cut, all is written) and starts it on the same
// port. With a server that the environment names, the test is skipped.
func (c *Cluster) Restart(tb testing.TB) {
	tb.Helper()
	c.stop(tb, opStopFast)
	c.Start(tb)
}

// Start starts a stopped cluster on its old port and returns when it takes connections. It does nothing to one that
// runs. With a server that the environment names, the test is skipped.
func (c *Cluster) Start(tb testing.TB) {
	tb.Helper()
	c.MayStop(tb)
	if err := c.request(request{Op: opStart}); err != nil {
		tb.Fatalf("PostgreSQL cluster: %v", err)
	}
}

func (c *Cluster) stop(tb testing.TB, op string) {
	tb.Helper()
	c.MayStop(tb)
	tb.Cleanup(func() {
		if err := c.request(request{Op: opStart}); err != nil {
			tb.Errorf("start the PostgreSQL cluster that the test left stopped: %v", err)
		}
	})
	if err := c.request(request{Op: op}); err != nil {
		tb.Fatalf("PostgreSQL cluster: %v", err)
	}
}

// MayStop skips the test if the server is one that the environment names: it is not stopped or started by tests.
func (c *Cluster) MayStop(tb testing.TB) {
	tb.Helper()
	if c.named != nil {
		tb.Skipf("a server that %s names is not stopped or started by tests", envServers)
	}
}
