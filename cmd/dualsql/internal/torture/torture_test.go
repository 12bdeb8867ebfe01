package torture

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
	_ "modernc.org/sqlite"
)

var (
	length  = flag.Duration("torture.for", 0, "how long each torture test disturbs (default: a few seconds)")
	seed    = flag.Uint64("torture.seed", 0, "seed of the torture tests (default: random)")
	verbose = flag.Bool("torture.v", false, "log all that the processes do")
)

// dieEnv makes the working processes end at once.
const dieEnv = "DUALSQL_TEST_DIE"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkerArg {
		if os.Getenv(dieEnv) != "" {
			os.Exit(3)
		}
		os.Exit(Work(os.Stdin, os.Stdout, os.Stderr))
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // for what the torture itself opens at the end
	testdb.Main(m)
}

// TestTorture is the longest of the tests; -torture.for makes it as long as one likes:
//
//	go test ./cmd/dualsql/internal/torture -run 'TestTorture/postgres[+]postgres/2pc' -torture.for 10m -timeout 20m
func TestTorture(t *testing.T) {
	for _, c := range []struct {
		primary, secondary string
		commit             dualsql.Protocol
		processes          int
		length             time.Duration
	}{
		{"postgres", "postgres", dualsql.TwoPhase, 4, 15 * time.Second},
		{"postgres", "sqlite", dualsql.TwoPhase, 3, 5 * time.Second},
		{"sqlite", "postgres", dualsql.TwoPhase, 3, 5 * time.Second},
		{"postgres", "postgres", dualsql.Marker, 1, 5 * time.Second},
		{"sqlite", "sqlite", dualsql.Marker, 1, 3 * time.Second},
		{"postgres", "sqlserver", dualsql.TwoPhase, 3, 8 * time.Second},
		{"sqlserver", "postgres", dualsql.TwoPhase, 3, 8 * time.Second},
		{"sqlserver", "sqlserver", dualsql.Marker, 1, 5 * time.Second},
	} {
		t.Run(fmt.Sprintf("%s+%s/%s", c.primary, c.secondary, c.commit), func(t *testing.T) {
			o := Options{Commit: c.commit, Ack: AckMixed, Processes: c.processes, Workers: 8, Duration: c.length, Seed: *seed, Verbose: *verbose}
			chaos.CheckGoroutines(t) // when the servers are gone
			o.Primary, o.Servers[0] = newSide(t, c.primary)
			o.Secondary, o.Servers[1] = newSide(t, c.secondary)
			if *length > 0 {
				o.Duration = *length
			}
			run(t, o)
		})
	}
}

// newSide returns the DSN of a new database, and its server to stop and start if it has one.
func newSide(t *testing.T, engine string) (string, Server) {
	t.Helper()
	settings := map[string]string{"deadlock_timeout": "100ms"}
	switch engine {
	case "sqlite":
		return testdb.SQLite(t, "side"), nil
	case "sqlserver":
		s := sqlserver.Start(t, settings)
		return s.DSN("postgres"), &server{t, s}
	}
	c := testdb.StartCluster(t, settings)
	return c.DSN("postgres"), &server{t, c}
}

// run tortures, and fails the test unless all holds. The files are kept then.
func run(t *testing.T, o Options) *Report {
	t.Helper()
	// A data race ends the process that has it, and that ends the torture.
	t.Setenv("GORACE", "halt_on_error=1 "+os.Getenv("GORACE"))
	if o.Seed == 0 {
		o.Seed = rand.Uint64N(1e9) + 1
	}
	t.Logf("-torture.seed %d", o.Seed)
	var out strings.Builder
	r, err := Run(t.Context(), o, &out, false)
	t.Logf("%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.Verdict())
	switch {
	case !r.OK:
		t.Fail()
	case r.Told.Committed == 0 || r.Disturbances.Kills == 0:
		t.Errorf("nothing was tortured: %+v", r)
	}
	return r
}

// server is a test's own.
type server struct {
	t    *testing.T
	host interface {
		StopImmediate(testing.TB)
		Start(testing.TB)
	}
}

func (s *server) Kill() error  { return s.try(func(tb testing.TB) { s.host.StopImmediate(tb) }) }
func (s *server) Start() error { return s.try(func(tb testing.TB) { s.host.Start(tb) }) }

// try runs a fixture that would fail a test from outside of the test's goroutine.
func (s *server) try(f func(testing.TB)) error {
	r := &recorder{TB: s.t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.err
}

type recorder struct {
	testing.TB
	err error
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.err = fmt.Errorf(format, args...)
	runtime.Goexit()
}

// What an earlier run has left is not touched without being asked to; what is left after a good run is nothing.
func TestTortureAndItsTables(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	o := Options{Commit: dualsql.Marker, Ack: AckBoth, Processes: 1, Workers: 2, Duration: 2 * time.Second, Dir: dir,
		Primary: testdb.SQLite(t, "primary"), Secondary: testdb.SQLite(t, "secondary")}
	o.Seed = 1
	w, err := build(t.Context(), &o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), o, &strings.Builder{}, false); err == nil || !strings.Contains(err.Error(), "dualsql_torture_account") {
		t.Errorf("with tables that are there: %v", err)
	}
	for _, db := range openBoth(t, o) {
		if err := errors.Join(drop(t.Context(), db), sides.DropSchema(t.Context(), db, o.Primary)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Run(t.Context(), o, &strings.Builder{}, false); err == nil || !strings.Contains(err.Error(), "journal-1") {
		t.Errorf("with a journal that is there: %v", err)
	}
	if _, err := os.Stat(w.journal(0)); err != nil {
		t.Errorf("the journal that it has refused: %v", err)
	}
	o.Drop = true
	run(t, o)
	for i, db := range openBoth(t, o) {
		var n int
		if err := db.QueryRow("select count(*) from sqlite_schema").Scan(&n); err != nil || n > 0 {
			t.Errorf("side %d has %d tables, %v", i, n, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// written calls a function with each text that is written.
type written func(string)

func (w written) Write(b []byte) (int, error) {
	w(string(b))
	return len(b), nil
}

// An interrupt ends the disturbances; what has been done until then is verified, and taken away.
func TestTortureInterrupted(t *testing.T) {
	o := Options{Commit: dualsql.Marker, Ack: AckBoth, Processes: 1, Workers: 2, Duration: time.Hour, Seed: 1,
		Primary: testdb.SQLite(t, "primary"), Secondary: testdb.SQLite(t, "secondary")}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := Run(ctx, o, written(func(string) { cancel() }), false)
	if err != nil || !r.OK || r.Told.Committed == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if found, err := existing(t.Context(), openBoth(t, o)[0], o.Primary); err != nil || len(found) > 0 {
		t.Errorf("left: %v, %v", found, err)
	}
}

// A process that ends without being killed ends the torture, and what there is to look at is kept.
func TestTortureEndsWithAProcess(t *testing.T) {
	chaos.CheckGoroutines(t)
	t.Setenv(dieEnv, "1")
	o := Options{Commit: dualsql.Marker, Ack: AckBoth, Processes: 1, Workers: 2, Duration: time.Hour, Seed: 1, Dir: t.TempDir(),
		Primary: testdb.SQLite(t, "primary"), Secondary: testdb.SQLite(t, "secondary")}
	_, err := Run(t.Context(), o, &strings.Builder{}, false)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), filepath.Join(o.Dir, "log-1")) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"log-1", "journal-1", "ledger"} {
		if _, err := os.Stat(filepath.Join(o.Dir, name)); err != nil {
			t.Error(err)
		}
	}
	if found, err := existing(t.Context(), openBoth(t, o)[1], o.Secondary); err != nil || len(found) != len(tables) {
		t.Errorf("the secondary has the tables %v, %v", found, err)
	}
}
