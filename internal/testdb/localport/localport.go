// Package localport opens TCP listeners on 127.0.0.1 whose port can be closed and taken again.
package localport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// The range lies below the ephemeral ports of Linux (32768), macOS and Windows (49152), and above the registered
// ports in common use: an outgoing connection of some other process cannot be given the port of a server that is
// down for a moment.
const (
	first = 12000
	last  = 32000
)

// next makes the process go through the range from a place of its own: a port that was given up for a moment must not be given
// to somebody else meanwhile.
var next atomic.Uint32

func init() { next.Store(rand.Uint32N(last - first)) }

// attempts bounds the search; with it used up, something other than a busy port is wrong.
const attempts = 200

// Listen listens on a free port of 127.0.0.1, on another one each time as long as there are others. The error is that of the last attempt. It is safe for
// concurrent use.
func Listen() (net.Listener, error) {
	var failure error
	for range attempts {
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", first+next.Add(1)%(last-first)))
		if err == nil {
			return listener, nil
		}
		failure = err
	}
	return nil, fmt.Errorf("no free port on 127.0.0.1 between %d and %d: %w", first, last, failure)
}

// Free returns a port that was free a moment ago. Somebody may take it before the caller does: whoever starts a server
// on it must be ready to try another.
func Free() (int, error) {
	listener, err := Listen()
	if err != nil {
		return 0, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("give port %d back: %w", port, err)
	}
	return port, nil
}
