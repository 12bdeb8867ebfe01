package ormtest

import (
	"flag"
	"log/slog"
	"testing"

	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !testing.Verbose() {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	sqlserver.Main(m)
}
