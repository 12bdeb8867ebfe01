package chaos

import (
	"testing"

	"github.com/dualsql/dualsql/internal/testdb"
)

func TestMain(m *testing.M) {
	registerChildren()
	RunChild()
	testdb.Main(m)
}
