//go:build !linux

package delay

import "time"

func precise() {}

func sleep(d time.Duration) { time.Sleep(d) }
