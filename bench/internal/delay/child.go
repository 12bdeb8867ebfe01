package delay

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// childEnv makes a process of the program a child with proxies; it holds the delay and the targets.
const childEnv = "DUALSQL_BENCH_DELAY"

// The child starts here, so that the program and its tests can both have one.
func init() {
	settings := strings.Fields(os.Getenv(childEnv))
	if len(settings) == 0 {
		return
	}
	if err := serve(settings[0], settings[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "the proxy that delays:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve prints a line with the address of each proxy and ends with its standard input.
func serve(delay string, targets []string) error {
	d, err := time.ParseDuration(delay)
	if err != nil {
		return err
	}
	for _, target := range targets {
		p, err := listen(target, d)
		if err != nil {
			return err
		}
		fmt.Println(p.addr())
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// Start starts a child process with a proxy to each of the targets (host:port), and returns the proxies' addresses. The child
// ends with stop, or with this process.
func Start(d time.Duration, targets ...string) (addrs []string, stop func() error, err error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), childEnv+"="+d.String()+" "+strings.Join(targets, " "), "GOMAXPROCS=4") // its clock keeps one
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() error {
		_ = in.Close() // it fails if the child is gone, and then Wait says so
		return cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	for len(addrs) < len(targets) && lines.Scan() {
		addrs = append(addrs, lines.Text())
	}
	if len(addrs) < len(targets) {
		return nil, nil, fmt.Errorf("start a proxy that delays: it ended early: %w", stop())
	}
	return addrs, stop, nil
}
