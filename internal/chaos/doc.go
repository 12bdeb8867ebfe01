// Package chaos breaks things on purpose, for tests: it runs child processes that die at chosen points, cuts, stalls and
// delays connections, holds or drops single messages of a PostgreSQL or SQL Server connection, and finds goroutines that were left
// behind. Its proxy is that of package netproxy, which has no need of package testing.
//
// A test package that has children registers them and hands over in TestMain, before anything else:
//
//	func TestMain(m *testing.M) {
//		chaos.Register("writer", writer)
//		chaos.RunChild()
//		testdb.Main(m)
//	}
//
//	func writer() int {
//		product.Hook = chaos.Killer(os.Getenv("CRASH_AT"))
//		...
//	}
//
//	child := chaos.Child(t, "writer", "CRASH_AT=before commit#3")
//	child.WaitLine(t, "ready")
//	child.WaitKilled(t)
package chaos
