package ormtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

var suites = flag.Bool("dualsql.suites", false, "run the test suites that sqlx and pgx/stdlib publish (some minutes)")

// edit is a change of a suite's file that puts dualsql where the suite has its own driver.
type edit struct{ file, from, to string }

// TestSuiteStdlib runs the tests of pgx's stdlib, as published on pgx alone, and then with dualsql in pgx's place.
func TestSuiteStdlib(t *testing.T) {
	s := newSuite(t, "github.com/jackc/pgx/v5", "stdlib", "stdlib_pair_test.go")
	plain, primary, secondary := s.databases()
	want := s.run("", "PGX_TEST_DATABASE="+plain)
	s.change(
		edit{"sql_test.go", `stdlib\.OpenDB\(`, `openPair(`},
		edit{"sql_test.go", `sql\.Open\(("pgx"|tt\.driverName), os\.Getenv\("PGX_TEST_DATABASE"\)\)`, `openNamed(os.Getenv("PGX_TEST_DATABASE"))`},
		// In what skips tests by the server's version, and nowhere else.
		edit{"sql_test.go", `conn := driverConn\.\(\*stdlib\.Conn\)\.Conn\(\)\n(\t\tif conn\.PgConn|\t\tserverVersionStr)`, "conn := primaryConn(driverConn).Conn()\n$1"},
	)
	got := s.run(stdlibBelow, "PGX_TEST_DATABASE="+primary, "SUITE_SECONDARY="+secondary, "SUITE_JOURNALS="+t.TempDir())
	s.compare(want, got, stdlibBelow)
	same(t, "primary and secondary", primary, secondary, Positions)
}

// stdlibBelow are the tests that reach below database/sql for pgx's own connection, and so cannot run on dualsql.
const stdlibBelow = `TestConnRaw|TestCheckIdleConn`

// TestSuiteSQLX runs the tests of sqlx on pgx alone, and then on dualsql.
func TestSuiteSQLX(t *testing.T) {
	s := newSuite(t, "github.com/jmoiron/sqlx", ".", "sqlx_pair_test.go")
	plain, primary, secondary := s.databases()
	s.change(edit{"sqlx_test.go", `Connect\("postgres", pgdsn\)`, `Connect(suiteDriver, pgdsn)`})
	others := []string{"SQLX_MYSQL_DSN=skip", "SQLX_SQLITE_DSN=skip"}
	want := s.run("", append(others, "SUITE_DRIVER=pgx", "SQLX_POSTGRES_DSN="+plain)...)
	dsn := "primary='" + primary + "' secondary='" + secondary + "' journal='" + t.TempDir() + "'"
	got := s.run("", append(others, "SUITE_DRIVER="+dualsql.Name, "SQLX_POSTGRES_DSN="+dsn)...)
	s.compare(want, got, "")
	same(t, "primary and secondary", primary, secondary, Positions)
}

// suite is a copy of a published module, whose tests are run there.
type suite struct {
	*testing.T
	root, dir string
	pair      string // the file that goes beside the tests for dualsql
}

func newSuite(t *testing.T, module, dir, pair string) *suite {
	if !*suites {
		t.Skip("takes some minutes; run it with -dualsql.suites")
	}
	var published struct{ Dir string }
	if err := json.Unmarshal(command(t, ".", nil, "go", "mod", "download", "-json", module), &published); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(published.Dir)); err != nil {
		t.Fatal(err)
	}
	return &suite{T: t, root: root, dir: filepath.Join(root, dir), pair: pair}
}

func (s *suite) databases() (plain, primary, secondary string) {
	c := testdb.Clusters(s, 2)
	return c[0].CreateDatabase(s), c[0].CreateDatabase(s), c[1].CreateDatabase(s)
}

// change puts dualsql into the copy.
func (s *suite) change(edits ...edit) {
	s.Helper()
	for _, e := range edits {
		name := filepath.Join(s.dir, e.file)
		text, err := os.ReadFile(name)
		if err != nil {
			s.Fatal(err)
		}
		from := regexp.MustCompile(e.from)
		if !from.Match(text) {
			s.Fatalf("%s has no %s any more", e.file, e.from)
		}
		s.write(name, from.ReplaceAll(text, []byte(e.to)))
	}
	text, err := os.ReadFile(filepath.Join("testdata", "suites", s.pair))
	if err != nil {
		s.Fatal(err)
	}
	s.write(filepath.Join(s.dir, s.pair), text)
	own, err := filepath.Abs("..")
	if err != nil {
		s.Fatal(err)
	}
	command(s.T, s.root, nil, "go", "mod", "edit", "-require=github.com/dualsql/dualsql@v0.0.0", "-replace=github.com/dualsql/dualsql="+own)
}

func (s *suite) write(name string, text []byte) {
	s.Helper()
	_ = os.Remove(name) // the module cache's files are read-only
	if err := os.WriteFile(name, text, 0o600); err != nil {
		s.Fatal(err)
	}
}

// run returns how each test ended: pass, fail or skip.
func (s *suite) run(skip string, env ...string) map[string]string {
	s.Helper()
	args := []string{"test", "-mod=mod", "-json", "-count=1"}
	if skip != "" {
		args = append(args, "-skip=^("+skip+")$")
	}
	out := command(s.T, s.dir, env, "go", append(args, ".")...)
	ends := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var event struct{ Action, Test, Output string }
		if err := d.Decode(&event); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			s.Fatalf("%v\n%s", err, out)
		}
		switch event.Action {
		case "pass", "fail", "skip":
			if event.Test != "" {
				ends[event.Test] = event.Action
			}
		case "output", "build-output":
			s.Log(strings.TrimSuffix(event.Output, "\n"))
		}
	}
	return ends
}

// compare fails the test unless what passed alone has passed on dualsql, but for those of the tests below.
func (s *suite) compare(alone, dual map[string]string, below string) {
	s.Helper()
	left := regexp.MustCompile("^(" + below + ")(/|$)")
	passed := 0
	for _, name := range slices.Sorted(maps.Keys(alone)) {
		switch {
		case below != "" && left.MatchString(name):
		case alone[name] == "pass" && dual[name] != "pass":
			s.Errorf("%s passes on pgx alone, and on dualsql: %s", name, dual[name])
		case dual[name] == "pass":
			passed++
		}
	}
	s.Logf("%d tests pass on both", passed)
	if passed == 0 {
		s.Error("no test has passed")
	}
}

// command runs a program and returns what it has written; its exit status is left to what it says.
func command(t *testing.T, dir string, env []string, name string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || len(out) == 0 {
			t.Fatalf("%s %v: %v\n%s", name, args, err, &stderr)
		}
	}
	return out
}
