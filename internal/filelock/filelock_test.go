package filelock_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dualsql/dualsql/internal/filelock"
)

const holderPath = "FILELOCK_TEST_HOLDER_PATH"

// TestMain lets the test binary play the other process: it takes the lock, says so, and holds it until its
// standard input ends.
func TestMain(m *testing.M) {
	path := os.Getenv(holderPath)
	if path == "" {
		os.Exit(m.Run())
	}
	if _, err := filelock.Acquire(path); err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("held\n")
	bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0)
}

func wantHeld(t *testing.T, path string, pid int) {
	t.Helper()
	_, err := filelock.Acquire(path)
	var held *filelock.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("Acquire of a held lock: got %v, want *HeldError", err)
	}
	if held.Path != path || held.PID != pid {
		t.Errorf("got %+v, want path %s, pid %d", held, path, pid)
	}
}

func TestShare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var shared [2]*filelock.Lock
	for i := range shared {
		var err error
		if shared[i], err = filelock.Share(path); err != nil {
			t.Fatal(err)
		}
	}
	shared[0].Release()
	wantHeld(t, path, 0)
	shared[1].Release()
	l, err := filelock.Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	var held *filelock.HeldError
	if _, err := filelock.Share(path); !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Errorf("Share of a held lock: got %v, want *HeldError", err)
	}
}

func TestOneOwnerWithinAProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := filelock.Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	wantHeld(t, path, os.Getpid())
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Errorf("second Release: %v", err)
	}
	again, err := filelock.Acquire(path)
	if err != nil {
		t.Fatalf("Acquire after Release: %v", err)
	}
	again.Release()
}

func TestAKilledProcessLeavesNoLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holderPath+"="+path)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line != "held\n" {
		cmd.Process.Kill()
		cmd.Wait()
		t.Fatalf("the child said %q", line)
	}
	wantHeld(t, path, cmd.Process.Pid)
	cmd.Process.Kill()
	cmd.Wait()
	l, err := filelock.Acquire(path)
	if err != nil {
		t.Fatalf("Acquire after the holder was killed: %v", err)
	}
	l.Release()
}

func TestAcquireWhereNothingCanBeCreated(t *testing.T) {
	_, err := filelock.Acquire(filepath.Join(t.TempDir(), "missing", "lock"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("got %v, want os.ErrNotExist", err)
	}
}
