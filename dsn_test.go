package dualsql_test

import (
	"bytes"
	"database/sql"
	"log/slog"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
)

const plainDSN = "primary=file:/tmp/a.db secondary=file:/tmp/b.db journal=/tmp/j"

// TestParseDSN: what a DSN says, and what holds when it says nothing.
func TestParseDSN(t *testing.T) {
	for dsn, change := range map[string]func(*dualsql.Config){
		plainDSN: func(*dualsql.Config) {},
		"  journal='/tmp/j'\n\tsecondary='file:/tmp/b.db' primary='file:/tmp/a.db'\n": func(*dualsql.Config) {},
		plainDSN + " journal.key=000102030405060708090a0b0c0d0e0f": func(c *dualsql.Config) {
			c.JournalKey = []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
		},
		plainDSN + " journal.redo_limit=1024": func(c *dualsql.Config) { c.RedoLimit = 1024 },
		plainDSN + " commit=marker":           func(c *dualsql.Config) { c.Commit = dualsql.Marker },
		plainDSN + " divergence=warn":         func(c *dualsql.Config) { c.Divergence = dualsql.DivergenceWarn },
		plainDSN + " mirror=mixed":            func(c *dualsql.Config) { c.Mirror = dualsql.MirrorMixed },
		plainDSN + " commit_timeout=1m30s":    func(c *dualsql.Config) { c.CommitTimeout = 90 * time.Second },
		plainDSN + " lock_timeout=0s":         func(c *dualsql.Config) { c.LockTimeout = 0 },
		`primary.driver=sqlmock primary='it\'s a \\ "name"' secondary=file:/tmp/b.db journal=/tmp/j`: func(c *dualsql.Config) {
			c.Primary = dualsql.Side{Driver: "sqlmock", DSN: `it's a \ "name"`}
		},
		`primary.driver=sqlmock secondary=file:/tmp/b.db journal=/tmp/j`: func(c *dualsql.Config) { c.Primary = dualsql.Side{Driver: "sqlmock"} },
	} {
		want := dualsql.NewConfig()
		want.Primary.DSN, want.Secondary.DSN, want.Journal = "file:/tmp/a.db", "file:/tmp/b.db", absolute(t, "/tmp/j")
		change(want)
		got, err := dualsql.ParseDSN(dsn)
		if err != nil {
			t.Errorf("%s: %v", dsn, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", dsn, got, want)
		}
	}
}

func absolute(t testing.TB, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// TestFormatDSN: defaults are left out, and the journal's directory is made absolute, so that two ways to write one
// configuration come to one text.
func TestFormatDSN(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := dualsql.ParseDSN("commit=auto lock_timeout=10000ms primary=file:a.db secondary=file:b.db journal=j")
	if err != nil {
		t.Fatal(err)
	}
	wd := absolute(t, "j")
	want := "primary=file:a.db secondary=file:b.db journal=" + wd
	if strings.ContainsAny(wd, ` '\`) {
		want = "primary=file:a.db secondary=file:b.db journal='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(wd) + "'"
	}
	if got := c.FormatDSN(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestClone: what is done to a copy, or after NewConnector to the original, has no effect on the other.
func TestClone(t *testing.T) {
	c := dualsql.NewConfig()
	c.JournalKey = bytes.Repeat([]byte{1}, 16)
	d := c.Clone()
	d.JournalKey[0] = 9
	d.Primary.DSN = "file:x.db"
	if c.JournalKey[0] != 1 || c.Primary.DSN != "" {
		t.Errorf("the original has changed with its copy: %+v", c)
	}
}

// TestEmptyValues: the empty Commit and Divergence stand for the defaults.
func TestEmptyValues(t *testing.T) {
	m := newMocks(t, func(c *dualsql.Config) { c.Commit, c.Divergence = "", "" })
	m.expect(script{begins, execsRows(1, insertOne), rollsBack}, script{begins, execsRows(2, insertOne), rollsBack})
	if _, err := m.db.Exec(insertOne); toldBy(err) != toldDivergence {
		t.Errorf("divergence is not error by default: %v", err)
	}
	if s := m.stats(t); s.Protocol != dualsql.BestEffort {
		t.Errorf("auto on generic drivers is %s", s.Protocol)
	}
}

// secretDSNs are DSNs with a password in every place that the drivers know. PW stands for it as it is in a URL.
var secretDSNs = []string{
	"primary='postgres://app:PW@db0/shop' secondary='postgres://app:PW@db1/shop' journal=/tmp/j",
	"primary='postgres://db0/shop?user=app&password=PW' secondary='postgres://db1/shop?sslpassword=PW' journal=/tmp/j",
	"primary.driver=sqlmock primary='app:PW@tcp(db0:3306)/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary.driver=sqlmock primary='app:PW@tcp(db0:3306)/shop?proxy=http://proxy' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary.driver=sqlmock primary='user=app password=PW host=db0' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary.driver=sqlmock primary='file:a.db?_auth_pass=PW' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary.driver=sqlmock primary='sqlserver://app:PW@db0?database=shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary.driver=sqlmock primary='sqlserver://db0?user+id=app&pwd=PW' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary.driver=sqlmock primary='snow://app:PW@x%zz' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary.driver=sqlmock primary='app:PW//@db' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='postgres://app:x@PW@db0/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	// Not accepted: the error must not tell it either.
	"primary='postgres://app:PW@db0:port/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='postgres://app:PW@[db0/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='postgres://app:x/PW@db0/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='postgres://app:PW/x@db0/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='postgres://app:PW:x@db0/%zz' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='oracle://app:PW@db0/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='sqlserver://app:PW@db0' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary='app:PW@tcp(db0)/shop' secondary=file:/tmp/b.db journal=/tmp/j",
	"primary=postgres://db0/shop journal.key='PW'",
	"postgres://app:PW@db0/shop",
}

// secret begins every password of these tests, and stands nowhere else.
const secret = "s3cr3t"

// TestRedacted: passwords appear neither in the redacted form nor in an error.
func TestRedacted(t *testing.T) {
	for _, pattern := range secretDSNs {
		noSecret(t, strings.ReplaceAll(pattern, "PW", secret))
	}
	noSecret(t, "primary=postgres://app: "+secret+"@db0/shop secondary=file:/tmp/b.db journal=/tmp/j") // not quoted
}

func noSecret(t *testing.T, dsn string) {
	t.Helper()
	c, err := dualsql.ParseDSN(dsn)
	said := ""
	if err != nil {
		said = err.Error()
	} else {
		said = c.Redacted()
	}
	if strings.Contains(said, secret) {
		t.Errorf("%q is told: %s", dsn, said)
	}
}

// TestRedactedShows: what is left tells the databases apart.
func TestRedactedShows(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://app:pw@db0:5433,db1:5434/shop?sslmode=disable&password=pw": "postgres://app:xxxxx@db0:5433,db1:5434/shop?xxxxx",
		"postgres://app@db0/shop":      "postgres://app@db0/shop",
		"postgres://db0/shop":          "postgres://db0/shop",
		"postgres://app:p/w@db0/shop":  "postgres://xxxxx",
		"postgres://db0/shop?user=a@b": "postgres://xxxxx",
		"file:/tmp/a.db?_pragma=x(1)":  "file:/tmp/a.db?xxxxx",
		"sqlite:/tmp/a.db":             "sqlite:/tmp/a.db",
	} {
		c := dualsql.NewConfig()
		c.Primary.DSN = dsn
		if got := c.Redacted(); got != "primary="+want {
			t.Errorf("%s is shown as %s, want %s", dsn, got, want)
		}
	}
}

// TestKeyRedacted: the journal's key is in FormatDSN, which can be read back, and not in Redacted.
func TestKeyRedacted(t *testing.T) {
	const key = "abcdefabcdefabcdefabcdefabcdefab"
	c, err := dualsql.ParseDSN(plainDSN + " journal.key=" + key)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.FormatDSN(), key) || strings.Contains(c.Redacted(), key) {
		t.Errorf("%s\n%s", c.FormatDSN(), c.Redacted())
	}
}

// TestLogRedacted: what is logged of a pair and of a transaction that stays open holds no password.
func TestLogRedacted(t *testing.T) {
	var log bytes.Buffer
	cfg, err := dualsql.ParseDSN("primary='postgres://app:" + secret + "@127.0.0.1:1/shop' secondary='postgres://app:" + secret +
		"@127.0.0.1:1/other' journal='" + strings.ReplaceAll(t.TempDir(), `\`, `\\`) + "'")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	c, err := dualsql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	err = db.Ping()
	if err == nil {
		t.Fatal("a server answers on port 1")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if told := err.Error() + log.String(); log.Len() == 0 || strings.Contains(told, secret) {
		t.Errorf("told: %s", told)
	}
}

// FuzzDSN: what can be parsed can be written and parsed again, and is the same then.
func FuzzDSN(f *testing.F) {
	f.Add(plainDSN)
	for _, dsn := range secretDSNs {
		f.Add(dsn)
	}
	f.Add(plainDSN + " journal.key=000102030405060708090a0b0c0d0e0f journal.redo_limit=1024 commit=besteffort divergence=warn mirror=row commit_timeout=1ms lock_timeout=0")
	f.Add(`primary.driver=sqlmock primary='it\'s \\ a' secondary.driver=sqlmock secondary='' journal='a b'`)
	f.Fuzz(func(t *testing.T, dsn string) {
		c, err := dualsql.ParseDSN(dsn)
		if err != nil {
			return
		}
		again, err := dualsql.ParseDSN(c.FormatDSN())
		if err != nil {
			t.Fatalf("%q is accepted, its own form %q is not: %v", dsn, c.FormatDSN(), err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%q\nfirst:  %+v\nsecond: %+v", dsn, c, again)
		}
		if c.FormatDSN() != again.FormatDSN() {
			t.Fatalf("%q is written in two ways: %q, %q", dsn, c.FormatDSN(), again.FormatDSN())
		}
	})
}

// FuzzRedacted: no password is told, whatever else is in it, and wherever it stands.
func FuzzRedacted(f *testing.F) {
	for _, rest := range []string{"", "/", "@", ":", "@/:", "?", "#", "%zz", " ", `\'`, "&", "://", "//", "=", "\x00", "é"} {
		for i := range secretDSNs {
			f.Add(i, rest)
		}
	}
	f.Fuzz(func(t *testing.T, i int, rest string) {
		pattern := secretDSNs[uint(i)%uint(len(secretDSNs))]
		quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
		for _, password := range []string{secret + rest, rest + secret, url.QueryEscape(secret + rest), rest + secret + rest} {
			noSecret(t, strings.ReplaceAll(pattern, "PW", quoted.Replace(password)))
		}
	})
}
