package testdb

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The test command runs this one to learn whether it has to install PostgreSQL.
func TestPostgresAvailable(t *testing.T) {
	requirePostgres(t)
}

func TestNewestServerComesFirst(t *testing.T) {
	root := t.TempDir()
	var want []string
	for _, version := range []string{"17", "9.6", "10"} {
		dir := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		want = append(want, dir)
	}
	want[1], want[2] = want[2], want[1] // 17, 10, 9.6
	if got := newestFirst(filepath.Join(root, "*", "bin")); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestServerDirWantsBothBinaries(t *testing.T) {
	root, links := t.TempDir(), t.TempDir()
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		t.Fatal(err)
	}
	touch := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	touch("initdb")
	if _, ok := serverDir(root); ok {
		t.Error("accepted without postgres")
	}
	touch("postgres")
	if dir, ok := serverDir(root); !ok || dir != root {
		t.Errorf("%q, %v", dir, ok)
	}
	if err := os.Symlink(filepath.Join(root, "initdb"), filepath.Join(links, "initdb")); err != nil {
		t.Skip(err)
	}
	if dir, ok := serverDir(links); !ok || dir != root {
		t.Errorf("through a link: %q, %v", dir, ok)
	}
}
