//go:build !linux

package wal

import "os"

// syncData relies on os.File.Sync being F_FULLFSYNC on darwin and FlushFileBuffers on windows.
func syncData(f *os.File) error { return f.Sync() }
