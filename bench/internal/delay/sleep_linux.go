package delay

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// precise has the kernel wake this thread when it is time, and not up to 50 µs later (prctl(2), PR_SET_TIMERSLACK).
func precise() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

func sleep(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for errors.Is(unix.Nanosleep(&left, &left), unix.EINTR) {
	}
}
