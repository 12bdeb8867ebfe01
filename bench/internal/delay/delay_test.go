package delay

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// echo is a server that sends back what it gets, and ends when its client has.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

func start(t *testing.T, d time.Duration, targets ...string) []string {
	t.Helper()
	addrs, stop, err := Start(d, targets...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return addrs
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func TestRoundTripTakesTwoDelays(t *testing.T) {
	const d = 20 * time.Millisecond
	conn := dial(t, start(t, d, echo(t))[0])
	for range 3 {
		begin := time.Now()
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 2*d {
			t.Errorf("%v, want at least %v", took, 2*d)
		}
	}
}

// Bytes that arrive while others wait do not wait longer for it.
func TestDelayIsNoLimitOfThroughput(t *testing.T) {
	const d, writes = 100 * time.Millisecond, 50
	conn := dial(t, start(t, d, echo(t))[0])
	begin := time.Now()
	for range writes {
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // chunks of their own
	}
	if _, err := io.ReadFull(conn, make([]byte, writes)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > writes*d/2 {
		t.Errorf("%d chunks took %v: each waited for the one before", writes, took)
	}
}

func TestEverythingArrivesInOrder(t *testing.T) {
	addrs := start(t, time.Millisecond, echo(t), echo(t))
	for _, addr := range addrs {
		conn := dial(t, addr)
		sent := make([]byte, 3<<20)
		random := rand.NewChaCha8([32]byte{})
		_, _ = random.Read(sent)
		go func() {
			_, _ = conn.Write(sent)
			_ = conn.CloseWrite()
		}()
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes of %d came back, err %v", len(got), len(sent), err)
		}
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	conn := dial(t, start(t, 0, addr)[0])
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes from nobody", n)
	}
}
