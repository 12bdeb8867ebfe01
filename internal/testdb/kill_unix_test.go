//go:build unix

package testdb

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/dualsql/dualsql/internal/chaos"
)

const goneLimit = time.Minute

// waitUntil polls, because what ends here is no child of this process.
func waitUntil(t *testing.T, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(goneLimit); !true(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after %v: %s", goneLimit, what)
		}
	}
}

func ended(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func TestKilledProcessLeavesNothing(t *testing.T) {
	requirePostgres(t)
	if _, err := binaries(); err != nil {
		t.Skip(err)
	}
	child := chaos.Child(t, "holds a cluster")
	var pid, port int
	var dir string
	if _, err := fmt.Sscan(child.WaitLine(t, "cluster "), &pid, &port, &dir); err != nil {
		t.Fatal(err)
	}
	if ended(pid) || missing(dir) {
		t.Fatal("no cluster before the kill")
	}
	child.Kill()
	waitUntil(t, "the postmaster has ended", func() bool { return ended(pid) })
	waitUntil(t, "the directory is removed", func() bool { return missing(dir) })
	if conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
		_ = conn.Close()
		t.Error("somebody still listens on the port")
	}
}

// The process is killed in the middle of initdb.
func TestKilledWhileStartingLeavesNothing(t *testing.T) {
	requirePostgres(t)
	if _, err := binaries(); err != nil {
		t.Skip(err)
	}
	temp, err := os.MkdirTemp("", "dualsql-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	if err := os.Chmod(temp, 0o755); err != nil { // for the user that PostgreSQL runs as
		t.Fatal(err)
	}
	entries := func() int {
		list, err := os.ReadDir(temp)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	child := chaos.Child(t, "holds a cluster", "DIE=early", "TMPDIR="+temp)
	child.WaitLine(t, "supervisor ")
	waitUntil(t, "there is a directory", func() bool { return entries() > 0 })
	child.Kill()
	waitUntil(t, "the directory is removed", func() bool { return entries() == 0 })
}
