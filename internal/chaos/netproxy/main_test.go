package netproxy_test

import (
	"testing"

	"github.com/dualsql/dualsql/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }
