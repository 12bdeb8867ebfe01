package chaos

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// echoServer sends every byte back.
func echoServer(t *testing.T) string {
	t.Helper()
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
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp4", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v; want %q", got, err, text)
	}
}

// The first bytes of another protocol than PostgreSQL's.
const hello = "hello, this is not PostgreSQL"

func TestProxyPassesForeignProtocols(t *testing.T) {
	CheckGoroutines(t)
	p := NewProxy(t, echoServer(t))
	conn := dial(t, p)
	sent := strings.Repeat(hello, 100_000)
	failure := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, sent)
		failure <- errors.Join(err, conn.(*net.TCPConn).CloseWrite())
	}()
	// One direction has ended; the other goes on to its own end.
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != sent {
		t.Errorf("%d bytes of %d came back, %v", len(got), len(sent), err)
	}
	if err := <-failure; err != nil {
		t.Error(err)
	}
}

func TestProxyDownAndUp(t *testing.T) {
	CheckGoroutines(t)
	p := NewProxy(t, echoServer(t))
	conn := dial(t, p)
	send(t, conn, hello)
	expect(t, conn, hello)

	p.Down()
	p.Down()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("an open connection was not cut")
	}
	if _, err := net.Dial("tcp4", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection while down: %v, want it refused", err)
	}

	p.Up()
	p.Up()
	conn = dial(t, p)
	send(t, conn, hello)
	expect(t, conn, hello)
}

func TestProxyFreezeLosesNothing(t *testing.T) {
	CheckGoroutines(t)
	p := NewProxy(t, echoServer(t))
	conn := dial(t, p)
	send(t, conn, hello)
	expect(t, conn, hello)

	p.Freeze()
	p.Freeze()
	send(t, conn, "into the hole")
	newcomer := dial(t, p)
	send(t, newcomer, hello)
	// Only silence can be seen here: a proxy that lets bytes through fails sooner or later, one that does not never.
	for _, c := range []net.Conn{conn, newcomer} {
		if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read %d bytes, %v while frozen", n, err)
		}
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}

	p.Thaw()
	p.Thaw()
	expect(t, conn, "into the hole")
	expect(t, newcomer, hello)
}

func TestProxyDelay(t *testing.T) {
	CheckGoroutines(t)
	p := NewProxy(t, echoServer(t))
	const delay = 20 * time.Millisecond
	p.Delay(delay)
	conn := dial(t, p)
	begin := time.Now()
	send(t, conn, hello)
	expect(t, conn, hello)
	if took := time.Since(begin); took < 2*delay {
		t.Errorf("there and back in %v, which is less than twice the delay", took)
	}
}

func TestProxyCloseWhileFrozen(t *testing.T) {
	CheckGoroutines(t)
	p := NewProxy(t, echoServer(t))
	conn := dial(t, p)
	p.Freeze()
	send(t, conn, hello)
	p.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("not cut")
	}
	p.Close()
}
