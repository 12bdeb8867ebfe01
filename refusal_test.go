package dualsql_test

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

func init() { chaos.Register("journal holder", holdJournal) }

// TestRefusedDSN: what is wrong with a DSN is said when the pool is opened, names the key, and nothing is written.
func TestRefusedDSN(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("directory", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("real.db", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.db", "link.db"); err != nil {
		t.Skip("no symbolic links:", err)
	}
	if err := os.Symlink(dir, "here"); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	const sides = "primary=file:a.db secondary=file:b.db "
	for _, c := range []struct{ dsn, says string }{
		{"", "primary is missing"},
		{"secondary=file:b.db journal=j", "primary is missing"},
		{"primary=file:a.db journal=j", "secondary is missing"},
		{sides, "journal is missing: it takes a directory"},
		{sides + "journal=j jornal=x", `unknown DSN key "jornal"; the keys are ack, commit, `},
		{sides + "journal=j journal=k", "journal is given twice"},
		{sides + "journal='j", "journal has an opening quote and no closing one"},
		{sides + "journal='j'x", "journal goes on after its closing quote"},
		{sides + "journal", "not key=value"},
		{"file:a.db", "not key=value"},
		{"primary=oracle://db0/shop secondary=file:b.db journal=j", `primary has the unknown scheme "oracle"; the schemes are postgres,`},
		{"primary=file:a.db secondary=sqlserver://app:%zz@db1?database=shop journal=j", "secondary is no SQL Server URL such as sqlserver://"},
		{"primary=file:a.db secondary=azuresql://db1?database=shop journal=j", "secondary needs the driver \"azuresql\": add import _ \"github.com/microsoft/go-mssqldb/azuread\""},
		{"primary=sqlserver://app@DB1?database=shop secondary=sqlserver://other@db1:1433?database=Shop journal=j", "secondary is the same database as primary"},
		{"primary=a.db secondary=file:b.db journal=j", "primary has no scheme"},
		{"primary=file::memory: secondary=file:b.db journal=j", "primary is an in-memory database"},
		{"primary=file:directory secondary=file:b.db journal=j", "is a directory; name a file"},
		{"primary.driver=nosuch primary=x secondary=file:b.db journal=j", `primary sql: unknown driver "nosuch"`},
		{"primary=file:a.db secondary=file:a.db journal=j", "secondary is the same database as primary"},
		{"primary=file:a.db secondary=file:./x/../a.db journal=j", "secondary is the same database as primary"},
		{"primary=file:a.db secondary=sqlite:a.db journal=j", "secondary is the same database as primary"},
		{"primary=file:a.db secondary='file:" + filepath.ToSlash(dir) + "/a.db?_pragma=foreign_keys(1)' journal=j", "secondary is the same database as primary"},
		{"primary=file:real.db secondary=file:link.db journal=j", "secondary is the same database as primary"},
		{"primary=file:new.db secondary=file:here/new.db journal=j", "secondary is the same database as primary"},
		{"primary=postgres://db0/shop secondary=postgresql://app@db0:5432/shop?sslmode=disable journal=j", "secondary is the same database as primary"},
		{"primary.driver=sqlmock primary=x secondary.driver=sqlmock secondary=x journal=j", "secondary is the same database as primary"},
		{sides + "journal=j journal.key=abc", "journal.key is wrong: want 32, 48 or 64 hexadecimal digits"},
		{sides + "journal=j journal.redo_limit=many", `journal.redo_limit is wrong: "many" is not a number of bytes`},
		{sides + "journal=j journal.redo_limit=0", "journal.redo_limit is 0; it takes 1 to"},
		{sides + "journal=j commit=3pc", `commit is wrong: "3pc" is none of ["auto"`},
		{"primary.driver=sqlmock primary=x secondary=file:b.db journal=j commit=marker", "commit cannot be marker: the primary is a driver that dualsql knows nothing of"},
		{sides + "journal=j mirror=rows", `mirror is wrong: "rows" is none of ["auto" "statement" "row" "mixed"]`},
		{sides + "journal=j divergence=ignore", `divergence is wrong: "ignore" is none of ["error" "warn"]`},
		{sides + "journal=j commit_timeout=0s", `commit_timeout is wrong: "0s" is not a duration`},
		{sides + "journal=j lock_timeout=-1s", `lock_timeout is wrong: "-1s" is not a duration`},
		{sides + "journal=j lock_timeout=10", `lock_timeout is wrong: "10" is not a duration`},
	} {
		db, err := sql.Open(dualsql.Name, c.dsn)
		if err == nil {
			_ = db.Close()
			t.Errorf("%q is accepted, want: %s", c.dsn, c.says)
		} else if !strings.HasPrefix(err.Error(), "dualsql: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v; want: %s", c.dsn, err, c.says)
		}
	}
	if after := listing(t, dir); after != before {
		t.Errorf("something was written: before %s, after %s", before, after)
	}
}

// TestRefusedConfig: a Config is checked as a DSN is.
func TestRefusedConfig(t *testing.T) {
	valid := func() *dualsql.Config {
		c := dualsql.NewConfig()
		c.Primary.DSN, c.Secondary.DSN, c.Journal = "file:a.db", "file:b.db", "j"
		return c
	}
	for says, change := range map[string]func(*dualsql.Config){
		"primary has both a Connector and a DSN":          func(c *dualsql.Config) { c.Primary.Connector = newMockSide(t, "x") },
		"journal.key has 5 bytes; AES takes 16, 24 or 32": func(c *dualsql.Config) { c.JournalKey = []byte("short") },
		"commit_timeout must be greater than zero":        func(c *dualsql.Config) { c.CommitTimeout = 0 },
		"lock_timeout must not be negative":               func(c *dualsql.Config) { c.LockTimeout = -1 },
		`commit "3pc" is none of`:                         func(c *dualsql.Config) { c.Commit = "3pc" },
		`divergence "?" is none of`:                       func(c *dualsql.Config) { c.Divergence = "?" },
		"journal.redo_limit is":                           func(c *dualsql.Config) { c.RedoLimit = 1 << 40 },
	} {
		c := valid()
		change(c)
		if _, err := dualsql.NewConnector(c); err == nil || !strings.Contains(err.Error(), "dualsql: "+says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
	if _, err := dualsql.NewConnector(valid()); err != nil {
		t.Error(err)
	}
	if _, err := dualsql.NewConnector(&dualsql.Config{}); err == nil {
		t.Error("the zero Config is accepted")
	}
}

// TestRefusedJournal: a journal that cannot be had is reported by the first connection, with its place and what to do, and
// is left as it is. The databases are not touched.
func TestRefusedJournal(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		says  []string
	}{
		"a file stands in the place": {func(t *testing.T, dir string) {
			if err := os.WriteFile(dir, []byte("not a directory"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, []string{"not a directory"}},
		"it may not be written": {func(t *testing.T, dir string) {
			if os.Getuid() == 0 || runtime.GOOS == "windows" {
				t.Skip("the permissions do not bind this user")
			}
			if err := os.Mkdir(dir, 0o500); err != nil {
				t.Fatal(err)
			}
		}, []string{"permission denied"}},
		"another process holds it": {func(t *testing.T, dir string) {
			child := chaos.Child(t, "journal holder", "JOURNAL="+dir)
			child.WaitLine(t, "holding")
			t.Cleanup(child.Kill)
		}, []string{"is in use by process ", "stop that one"}},
		"a newer version wrote it": {func(t *testing.T, dir string) {
			patchHeader(t, dir, func(h []byte) { binary.LittleEndian.PutUint32(h[8:], 99) }, true)
		}, []string{"has format version 99", "use the program that wrote it"}},
		"it is damaged": {func(t *testing.T, dir string) {
			patchHeader(t, dir, func(h []byte) { h[20] ^= 1 }, false)
		}, []string{"is damaged at offset 0", "restore the directory"}},
		"it is no journal": {func(t *testing.T, dir string) {
			patchHeader(t, dir, func(h []byte) { copy(h, "sqlite!!") }, true)
		}, []string{"does not begin as a journal segment does"}},
		"the key is another": {halfDoneJournal(strings.Repeat("11", 16)), []string{"cannot be decrypted: journal.key is not the one it was written with"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "journal")
			c.spoil(t, dir)
			before := listing(t, dir)
			cfg, err := dualsql.ParseDSN("primary=file:a.db secondary=file:b.db journal=j journal.key=" + strings.Repeat("22", 16))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Primary.DSN, cfg.Secondary.DSN = sqliteDSN(root, "a"), sqliteDSN(root, "b")
			cfg.Journal = dir
			connector, err := dualsql.NewConnector(cfg)
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close()
			err = db.Ping()
			if err == nil {
				t.Fatal("it is taken")
			}
			for _, says := range append(c.says, dirOrTx(name, dir)) {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("the error does not say %q: %v", says, err)
				}
			}
			if after := listing(t, dir); after != before {
				t.Errorf("the journal has changed:\nbefore %s\nafter  %s", before, after)
			}
			for _, side := range []string{"a.db", "b.db"} {
				if _, err := os.Stat(filepath.Join(root, side)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s was created: %v", side, err)
				}
			}
		})
	}
}

// dirOrTx is what the error must name: the directory, or the transaction that cannot be read.
func dirOrTx(name, dir string) string {
	if name == "the key is another" {
		return "transaction "
	}
	return dir
}

// TestKeyMissing: an encrypted journal with something open is not taken without its key.
func TestKeyMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	halfDoneJournal(strings.Repeat("11", 16))(t, dir)
	m := &mocks{primary: newMockSide(t, "primary"), secondary: newMockSide(t, "secondary")}
	m.open(t, dir)
	if err := m.db.Ping(); err == nil || !strings.Contains(err.Error(), "is encrypted: set journal.key") {
		t.Errorf("without the key: %v", err)
	}
}

func sqliteDSN(dir, name string) string {
	return "file:" + filepath.ToSlash(filepath.Join(dir, name+".db"))
}

// halfDoneJournal leaves a journal with one open transaction, encrypted with the key.
func halfDoneJournal(key string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		m := &mocks{primary: newMockSide(t, "primary"), secondary: newMockSide(t, "secondary")}
		m.open(t, dir, func(c *dualsql.Config) {
			parsed, err := dualsql.ParseDSN(plainDSN + " journal.key=" + key)
			if err != nil {
				t.Fatal(err)
			}
			c.JournalKey = parsed.JournalKey
		})
		m.expect(script{begins, execs(insertOne), commits}, script{begins, execs(insertOne), commitFails(errMock)})
		if _, err := m.db.Exec(insertOne); toldBy(err) != toldHalfDone {
			t.Fatal(err)
		}
		if err := closeMocks(m.db); err != nil {
			t.Fatal(err)
		}
	}
}

// patchHeader makes a journal, and changes the header of its first segment. See internal/wal: 48 bytes and their CRC-32C.
func patchHeader(t *testing.T, dir string, change func([]byte), seal bool) {
	t.Helper()
	m := &mocks{primary: newMockSide(t, "primary"), secondary: newMockSide(t, "secondary")}
	m.open(t, dir)
	if err := m.db.Ping(); err != nil {
		t.Fatal(err)
	}
	if err := closeMocks(m.db); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("segments: %v, %v", segments, err)
	}
	b, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	change(b[:52])
	if seal {
		binary.LittleEndian.PutUint32(b[48:], crc32.Checksum(b[:48], crc32.MakeTable(crc32.Castagnoli)))
	}
	if err := os.WriteFile(segments[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// holdJournal is the child that has the journal.
func holdJournal() int {
	dir := os.Getenv("JOURNAL")
	side := filepath.Dir(dir)
	db, err := sql.Open(dualsql.Name, fmt.Sprintf("primary='%s' secondary='%s' journal='%s'",
		sqliteDSN(side, "held-a"), sqliteDSN(side, "held-b"), filepath.ToSlash(dir)))
	if err == nil {
		err = db.Ping()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("holding")
	select {}
}

// listing tells the files below a path, and what is in them but for the lock's.
func listing(t *testing.T, path string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(path, func(name string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || info.Name() == "lock" {
			return err
		}
		if info.Mode()&os.ModeSymlink != 0 {
			return nil
		}
		content, err := os.ReadFile(name)
		fmt.Fprintf(&b, "%s %d bytes %08x; ", info.Name(), len(content), crc32.ChecksumIEEE(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
