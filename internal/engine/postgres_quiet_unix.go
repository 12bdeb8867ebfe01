//go:build unix

package engine

import "syscall"

// quiet reports whether the server has neither closed the connection nor sent anything that was not read: what can be seen of a
// connection's health without a round trip. It does not take the reader's lock, which pgx may hold in the background.
func (w *wire) quiet() bool {
	if w.raw == nil {
		return true
	}
	var b [1]byte
	var err error
	cerr := w.raw.Control(func(fd uintptr) { _, _, err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT) })
	return cerr == nil && (err == syscall.EAGAIN || err == syscall.EWOULDBLOCK)
}
