package testdb

import (
	"fmt"
	"os"
	"testing"

	"github.com/dualsql/dualsql/internal/chaos"
)

func TestMain(m *testing.M) {
	chaos.Register("holds a cluster", holdCluster)
	chaos.RunChild()
	Main(m)
}

// holdCluster starts a cluster and never stops it. With DIE=early it is gone before the cluster is up.
func holdCluster() int {
	if os.Getenv("DIE") == "early" {
		c, err := startSupervisor()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("supervisor", c.supervisor.Process.Pid)
		dir, err := binaries()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		err = c.request(request{Op: opCreate, Binaries: dir, Settings: defaults})
		fmt.Fprintln(os.Stderr, "the child came to the end of the start:", err)
		return 1
	}
	c, err := NewCluster(nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("cluster", c.pid, c.port, c.dir)
	select {}
}
