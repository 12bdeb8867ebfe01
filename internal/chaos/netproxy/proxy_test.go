package netproxy_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dualsql/dualsql/internal/chaos"
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

func dial(t *testing.T, p *chaos.Proxy) net.Conn {
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

// The first bytes of a protocol that is not understood.
const hello = "hello, this is neither PostgreSQL nor TDS"

func TestProxyPassesForeignProtocols(t *testing.T) {
	chaos.CheckGoroutines(t)
	p := chaos.NewProxy(t, echoServer(t))
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
	chaos.CheckGoroutines(t)
	p := chaos.NewProxy(t, echoServer(t))
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
	chaos.CheckGoroutines(t)
	p := chaos.NewProxy(t, echoServer(t))
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
	chaos.CheckGoroutines(t)
	p := chaos.NewProxy(t, echoServer(t))
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

// Everything waits for its own delay and for nobody else's: a second chunk is not late because a first was under way. The
// arrivals come in the order of their departures, on one connection and across connections.
func TestProxyDelaysEachByItself(t *testing.T) {
	chaos.CheckGoroutines(t)
	target, arrived := recordingServer(t)
	p := chaos.NewProxy(t, target)
	a, b := dial(t, p), dial(t, p)
	for _, conn := range []net.Conn{a, b} {
		send(t, conn, hello)
		<-arrived
	}
	// The steps are far shorter than the delay. If chunks of one connection were delayed one after the other, the third
	// would come after the fourth, and the last of all.
	const delay = 400 * time.Millisecond
	p.Delay(delay)
	begin := time.Now()
	want := ""
	for i, conn := range []net.Conn{a, a, a, b, a, b} {
		name := string(rune('1' + i))
		want += name
		send(t, conn, name)
		time.Sleep(delay / 10) // what is sent at different moments is what this is about
	}
	got := ""
	for range want {
		got += <-arrived
	}
	if got != want {
		t.Errorf("sent in the order %s, arrived in the order %s", want, got)
	}
	if took := time.Since(begin); took < delay+5*delay/10 {
		t.Errorf("the last arrived after %v, before its delay had passed", took)
	}
}

// recordingServer tells what it has read from any connection, in the order of arrival.
func recordingServer(t *testing.T) (addr string, arrived <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	texts := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 1024)
				for {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					texts <- string(buffer[:n])
				}
			}()
		}
	}()
	return listener.Addr().String(), texts
}

func TestProxyCut(t *testing.T) {
	chaos.CheckGoroutines(t)
	p := chaos.NewProxy(t, echoServer(t))
	old := dial(t, p)
	send(t, old, hello)
	expect(t, old, hello)
	p.Cut()
	if _, err := old.Read(make([]byte, 1)); err == nil {
		t.Error("an open connection was not cut")
	}
	conn := dial(t, p)
	send(t, conn, hello)
	expect(t, conn, hello)
}

func TestProxyCloseWhileFrozen(t *testing.T) {
	chaos.CheckGoroutines(t)
	p := chaos.NewProxy(t, echoServer(t))
	conn := dial(t, p)
	p.Freeze()
	send(t, conn, hello)
	p.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("not cut")
	}
	p.Close()
}

func TestVia(t *testing.T) {
	chaos.CheckGoroutines(t)
	p := chaos.NewProxy(t, "127.0.0.1:1")
	for _, test := range []struct{ before, after string }{
		{"postgres://u@db:5432", "/x?sslmode=disable"},
		{"sqlserver://sa:p%40ss@db:1433", "?database=x&app+name=a+b&encrypt=disable"},
	} {
		at := strings.LastIndex(test.before, "@") + 1
		want := test.before[:at] + p.Addr() + test.after
		if got, err := p.Proxy.Via(test.before + test.after); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	for _, dsn := range []string{"host=db", "sqlserver:secret", "://"} {
		if got, err := p.Proxy.Via(dsn); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", dsn, got, err)
		}
	}
}
