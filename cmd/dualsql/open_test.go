package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

// halfDone leaves a transaction half done: the secondary, which alone looks at foreign keys, refuses its COMMIT. It
// returns the pair's DSN, the transaction, and the secondary by its own driver.
func halfDone(t *testing.T, options string) (env []string, journal string, txid uuid.UUID, secondary *sql.DB) {
	t.Helper()
	journal = filepath.Join(t.TempDir(), "journal")
	to := testdb.SQLite(t, "secondary") + "&_pragma=foreign_keys(1)"
	dsn := "primary='" + testdb.SQLite(t, "primary") + "' secondary='" + to + "' journal='" + journal + "' " + options
	db, err := sql.Open(dualsql.Name, dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"create table parent (id int primary key)",
		"create table child (parent int references parent (id) deferrable initially deferred, secret text)",
	} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	_, err = db.Exec("insert into child values (?, ?)", 7, "a secret")
	var half *dualsql.HalfDoneError
	if !errors.As(err, &half) {
		t.Fatalf("the insert is to be half done, but: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if secondary, err = sql.Open("sqlite", to); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = secondary.Close() })
	return []string{dsnEnv + "=" + dsn}, journal, half.TxID, secondary
}

func TestOpenTransaction(t *testing.T) {
	env, journal, txid, secondary := halfDone(t, "commit_timeout=1s")

	call(t, nil, "status", "--journal", journal).want(t, exitOpen, txid.String(), "half done", "insert into child", "1 open")
	var s status
	call(t, env, "status", "--json").want(t, exitOpen).decode(t, &s)
	if s.Open != 1 || len(s.Transactions) != 1 || s.Transactions[0].TxID != txid || s.Transactions[0].State != "half done" || s.Holder.Held {
		t.Errorf("%+v", s)
	}
	call(t, env, "doctor").want(t, exitOK, "1 transactions are in doubt or half done")
	call(t, env, "recover").want(t, exitOpen, txid.String(), "still half done", "problem", "0 committed, 0 rolled back, 1 still open")

	if _, err := secondary.Exec("insert into parent values (7)"); err != nil {
		t.Fatal(err)
	}
	call(t, env, "recover").want(t, exitOK, txid.String()+"  committed on both sides", "1 committed, 0 rolled back, 0 still open")
	var secret string
	if err := secondary.QueryRow("select secret from child").Scan(&secret); err != nil || secret != "a secret" {
		t.Errorf("the secondary has %q, %v", secret, err)
	}
	call(t, env, "status").want(t, exitOK, "Nothing is open.")
	var r struct{ Forgotten, Committed, RolledBack, Pending []any }
	o := call(t, env, "recover", "--json").want(t, exitOK, `"rolled_back": []`)
	if err := json.Unmarshal([]byte(o.out), &r); err != nil || r.Forgotten == nil || r.Committed == nil || r.Pending == nil {
		t.Errorf("%v in %s", err, o.out)
	}
}

func TestForget(t *testing.T) {
	env, _, txid, _ := halfDone(t, "commit=besteffort")
	call(t, env, "recover").want(t, exitOpen, "--forget")
	call(t, env, "recover", "--forget", uuid.NewString()).want(t, exitError, "unknown transaction")
	call(t, env, "recover", "--forget", txid.String()).want(t, exitOK, txid.String()+"  forgotten", "0 still open")
	call(t, env, "status").want(t, exitOK)
}

func TestJournalHidesArguments(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		options, key := "commit=besteffort", ""
		if encrypted {
			key = strings.Repeat("0f", 32)
			options += " journal.key=" + key
		}
		_, journal, txid, _ := halfDone(t, options)
		plain := call(t, nil, "journal", "--journal", journal).want(t, exitOK, txid.String(), "intent", "told")
		asJSON := call(t, nil, "journal", "--journal", journal, "--json").want(t, exitOK, `"kind":"intent"`)
		for _, o := range []output{plain, asJSON} {
			if strings.Contains(o.out, "a secret") || strings.Contains(o.out, `"args"`) {
				t.Errorf("the arguments are shown:\n%s", o.out)
			}
			if strings.Contains(o.out, "insert into child") == encrypted {
				t.Errorf("encrypted %v, and the output is\n%s", encrypted, o.out)
			}
		}
		call(t, nil, "journal", "--journal", journal, "--key", key, "--args").want(t, exitOK, "insert into child", `7, "a secret"`)
		call(t, nil, "journal", "--journal", journal, "--key", key, "--args", "--json").want(t, exitOK, `"args":[7,"a secret"]`)
		if encrypted {
			call(t, nil, "status", "--journal", journal).want(t, exitOpen, "encrypted; give --key")
			call(t, nil, "journal", "--journal", journal, "--key", strings.Repeat("00", 32)).want(t, exitError)
		}
	}
}

// A live application holds the journal: it can be looked at, and not taken away.
func TestBesideTheApplication(t *testing.T) {
	env, journal, txid, _ := halfDone(t, "commit_timeout=1s")
	c, err := dualsql.ParseDSN(strings.TrimPrefix(env[0], dsnEnv+"="))
	if err != nil {
		t.Fatal(err)
	}
	connector, err := dualsql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	defer connector.Close()
	if _, err := connector.Pending(); err != nil { // opens the journal
		t.Fatal(err)
	}
	call(t, nil, "status", "--journal", journal).want(t, exitOpen, txid.String(), "half done", "held by process")
	call(t, env, "recover").want(t, exitError, "in use by process")
	call(t, env, "doctor").want(t, exitOK, "in use by process")
}
