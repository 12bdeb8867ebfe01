package testdb

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	envBinaries = "DUALSQL_TEST_PGBIN"
	envServers  = "DUALSQL_TEST_POSTGRES"
	envRequire  = "DUALSQL_TEST_REQUIRE_POSTGRES"
)

// PostgresUnavailable returns why there can be no PostgreSQL for tests, or "" if there can. It is safe for concurrent
// use; the search is made once in a process.
func PostgresUnavailable() string {
	if len(servers()) > 0 {
		return ""
	}
	if _, err := binaries(); err != nil {
		return err.Error()
	}
	return ""
}

// requirePostgres skips the test with the reason if there can be no PostgreSQL, or fails it where the environment
// requires one.
func requirePostgres(tb testing.TB) {
	tb.Helper()
	if reason := PostgresUnavailable(); reason != "" {
		unavailable(tb, reason)
	}
}

func unavailable(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv(envRequire) == "1" {
		tb.Fatalf("PostgreSQL is required (%s=1): %s", envRequire, reason)
	}
	tb.Skip(reason)
}

// servers returns the DSNs that the environment names.
func servers() []string { return strings.Fields(os.Getenv(envServers)) }

// binaries returns the directory that holds both initdb and postgres.
var binaries = sync.OnceValues(func() (string, error) {
	if runtime.GOOS == "windows" {
		return "", fmt.Errorf("tests start no PostgreSQL cluster on windows: name running servers in %s", envServers)
	}
	if _, err := unprivileged(); err != nil {
		return "", err
	}
	if dir := os.Getenv(envBinaries); dir != "" {
		if resolved, ok := serverDir(dir); ok {
			return resolved, nil
		}
		return "", fmt.Errorf("%s=%s does not hold both initdb and postgres", envBinaries, dir)
	}
	for _, dir := range candidates() {
		if resolved, ok := serverDir(dir); ok {
			return resolved, nil
		}
	}
	return "", fmt.Errorf("no PostgreSQL server binaries (initdb, postgres) in PATH, pg_config --bindir or the usual "+
		"places: install the PostgreSQL server, or set %s or %s", envBinaries, envServers)
})

// candidates lists the directories to search, in order.
func candidates() []string {
	var dirs []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(initdb))
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                   // PGDG on Red Hat and its kin
		"/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple silicon
		"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/po*/bin",
	} {
		dirs = append(dirs, newestFirst(pattern)...)
	}
	return dirs
}

// newestFirst expands the pattern and orders the directories by the major version in their names, highest first.
func newestFirst(pattern string) []string {
	dirs, _ := filepath.Glob(pattern) // the only error is a malformed pattern
	slices.SortFunc(dirs, func(a, b string) int { return majorVersion(b) - majorVersion(a) })
	return dirs
}

// majorVersion returns the number at the end of the name of dir's parent, or 0.
func majorVersion(dir string) int {
	name := filepath.Base(filepath.Dir(dir))
	digits := name[len(strings.TrimRight(name, "0123456789")):]
	version, _ := strconv.Atoi(digits)
	return version
}

// serverDir resolves links, because distributions link single binaries out of the directory that holds them all.
func serverDir(dir string) (string, bool) {
	initdb, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb"))
	if err != nil {
		return "", false
	}
	resolved, err := filepath.Abs(filepath.Dir(initdb))
	if err != nil {
		return "", false
	}
	_, err = os.Stat(filepath.Join(resolved, "postgres"))
	return resolved, err == nil
}

// unprivileged returns the user that PostgreSQL must run as, nil for the current one: initdb and postgres refuse root
// (PostgreSQL manual, "The PostgreSQL User Account").
func unprivileged() (*user.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return u, nil
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody: create one")
}
