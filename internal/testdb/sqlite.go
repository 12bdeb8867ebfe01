package testdb

import (
	"net/url"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver that the DSN is for, registered as "sqlite"
)

// SQLite returns the DSN of a SQLite database of its own for the test: a file name.db that does not exist yet, in a
// temporary directory. It has write-ahead logging, synchronous=FULL, and waits 10 s for a lock. The test closes what it
// opens; the file goes with the directory.
func SQLite(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.ToSlash(filepath.Join(tb.TempDir(), name+".db"))
	pragmas := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas.Encode()
}
