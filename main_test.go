package dualsql_test

import (
	"flag"
	"log/slog"
	"testing"

	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
)

// TestMain hands over to a child's function in a process that chaos.Child started. The children are registered by the
// init functions of the files that use them: func init() { chaos.Register("writer", writer) }.
func TestMain(m *testing.M) {
	chaos.RunChild()
	flag.Parse()
	if !testing.Verbose() {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	sqlserver.Main(m)
}
