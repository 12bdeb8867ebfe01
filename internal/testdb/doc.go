// Package testdb gives tests real databases: throwaway PostgreSQL clusters and SQLite files.
//
// A test package that uses the shared clusters has
//
//	func TestMain(m *testing.M) { testdb.Main(m) }
//
// and its tests begin with
//
//	c := testdb.Clusters(t, 2)
//	primary, secondary := c[0].CreateDatabase(t), c[1].CreateDatabase(t)
//
// Every cluster is the child of a supervisor, a second process of the test binary that holds one end of a pipe. When
// the pipe closes, because the test is done or because its process was killed, the supervisor stops the cluster and
// removes its directory. So nothing is left behind, not even after SIGKILL.
//
// The environment decides where PostgreSQL comes from:
//
//	DUALSQL_TEST_PGBIN             directory of initdb and postgres; otherwise they are searched for
//	DUALSQL_TEST_POSTGRES          DSNs (URLs, separated by spaces) of running servers to use in place of own clusters
//	DUALSQL_TEST_REQUIRE_POSTGRES  1: a test that cannot have PostgreSQL fails in place of being skipped
package testdb
