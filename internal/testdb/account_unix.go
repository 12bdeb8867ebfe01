//go:build unix

package testdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the identity that PostgreSQL runs under.
type account struct {
	credential *syscall.Credential // nil: that of this process
}

func findAccount() (*account, error) {
	u, err := unprivileged()
	if u == nil || err != nil {
		return &account{}, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user id of %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("group id of %s: %w", u.Username, err)
	}
	return &account{credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// makeDir makes a temporary directory that belongs to the account and that it can reach.
func (a *account) makeDir() (string, error) {
	root := os.TempDir()
	if a.credential != nil && !reachableByAll(root) {
		root = "/tmp"
	}
	dir, err := os.MkdirTemp(root, "dualsql-pg-")
	if err != nil {
		return "", err
	}
	if a.credential == nil {
		return dir, nil
	}
	if err := os.Chown(dir, int(a.credential.Uid), int(a.credential.Gid)); err != nil {
		return dir, fmt.Errorf("give %s to the user that PostgreSQL runs as: %w", dir, err)
	}
	return dir, nil
}

// reachableByAll reports whether every user may enter dir and all above it.
func reachableByAll(dir string) bool {
	const searchByOthers = 0o001
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&searchByOthers == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// socketDir returns dir, or "" (no socket) if a socket's path in it would be too long for sockaddr_un: 103 bytes on
// macOS, 107 on Linux.
func socketDir(dir string) string {
	const limit = 103
	if len(filepath.Join(dir, ".s.PGSQL.65535.lock")) > limit {
		return ""
	}
	return dir
}
