package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
)

// commandEnv makes a process of the test binary be the command, and so every process that it starts.
const commandEnv = "DUALSQL_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(commandEnv) == "1" {
		main()
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // for the pairs that the tests themselves open
	sqlserver.Main(m)
}

// output is what one call of the command has left.
type output struct {
	code        int
	out, errOut string
}

// call runs the command in a process of its own. env may name DUALSQL_DSN.
func call(t *testing.T, env []string, args ...string) output {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), commandEnv+"=1", dsnEnv+"=", "GORACE=atexit_sleep_ms=0"), env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// want checks the exit code, and that the texts are in what was printed on either stream.
func (o output) want(t *testing.T, code int, texts ...string) output {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", o.code, code, o.out, o.errOut)
	}
	for _, text := range texts {
		if !strings.Contains(o.out+o.errOut, text) {
			t.Errorf("%q is not in\nstdout:\n%s\nstderr:\n%s", text, o.out, o.errOut)
		}
	}
	return o
}

// decode reads the JSON that was printed, and fails on fields that v does not have.
func (o output) decode(t *testing.T, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(o.out))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v in\n%s", err, o.out)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		texts []string
	}{
		{"nothing", nil, exitUsage, []string{"Usage:", "dualsql demo"}},
		{"help", []string{"help"}, exitOK, []string{"Usage:", "doctor", "Exit codes"}},
		{"help of a command", []string{"help", "recover"}, exitOK, []string{"--forget TXID"}},
		{"-h of a command", []string{"status", "-h"}, exitOK, []string{"Exit codes: 0 nothing is open", "--journal directory"}},
		{"unknown command", []string{"frobnicate"}, exitUsage, []string{`unknown command "frobnicate"`, "dualsql help"}},
		{"unknown flag", []string{"status", "--frobnicate"}, exitUsage, []string{"frobnicate", "dualsql status -h"}},
		{"argument too many", []string{"version", "now"}, exitUsage, []string{`unexpected argument "now"`}},
		{"no pair", []string{"recover"}, exitUsage, []string{"--dsn", dsnEnv}},
		{"no journal", []string{"status"}, exitUsage, []string{"--journal"}},
		{"broken DSN", []string{"doctor", "--dsn", "primry=x"}, exitUsage, []string{"primry"}},
		{"broken TXID", []string{"recover", "--forget", "x"}, exitUsage, []string{"-forget", "transaction's id"}},
		{"one side", []string{"demo", "--primary", "file:a.db"}, exitUsage, []string{"--secondary"}},
		{"no such journal", []string{"status", "--journal", "/nowhere/at/all"}, exitError, []string{"/nowhere/at/all"}},
		{"version", []string{"version"}, exitOK, []string{"dualsql ", "go1."}},
	} {
		t.Run(c.name, func(t *testing.T) { call(t, nil, c.args...).want(t, c.code, c.texts...) })
	}
	t.Run("version as JSON", func(t *testing.T) {
		var v version
		call(t, nil, "version", "--json").want(t, exitOK).decode(t, &v)
		if v.Version == "" || v.Go == "" || v.Platform == "" {
			t.Errorf("%+v", v)
		}
	})
}
