//go:build unix

package main

import (
	"os/exec"
	"syscall"
	"time"
)

// detach keeps an interrupt typed at the terminal from a child, which is ended in its turn.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// processorTime returns what this process has used until now, user and system. Its children do not count.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0 // it knows this process and the pointer, and has no other reason to fail (getrusage(2))
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
