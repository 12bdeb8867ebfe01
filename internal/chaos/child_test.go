package chaos

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func registerChildren() {
	Register("exit", func() int {
		fmt.Println("first")
		fmt.Println("value=" + os.Getenv("VALUE"))
		fmt.Fprintln(os.Stderr, "a complaint")
		return 7
	})
	Register("wait", func() int {
		fmt.Println("ready")
		select {}
	})
	Register("passes", func() int {
		hook := Killer(os.Getenv("CRASH_AT"))
		for i := range 3 {
			hook("begin")
			fmt.Println("passed", i+1)
			hook("end")
		}
		return 0
	})
	Register("parent", parent)
	Register("connect", connect)
}

// parent starts a child that connects to ADDRESS, and crashes when that child is up.
func parent() int {
	p, reader, err := start("connect", []string{"ADDRESS=" + os.Getenv("ADDRESS")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go p.readLines(reader)
	<-p.lines
	KillSelf()
	return 1
}

func connect() int {
	conn, err := net.Dial("tcp", os.Getenv("ADDRESS"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("connected")
	_, _ = io.Copy(io.Discard, conn)
	return 1
}

func TestChildOutputAndExitCode(t *testing.T) {
	CheckGoroutines(t)
	p := Child(t, "exit", "VALUE=42")
	if got := p.WaitLine(t, "value="); got != "42" {
		t.Errorf("the child saw VALUE=%q, want 42", got)
	}
	if code := p.Wait(t).ExitCode(); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
	if !strings.Contains(p.Stderr(), "a complaint") {
		t.Errorf("stderr is %q", p.Stderr())
	}
	if line, ok := <-p.Lines(); ok {
		t.Errorf("a line %q after the last", line)
	}
}

func TestChildKilled(t *testing.T) {
	CheckGoroutines(t)
	p := Child(t, "wait")
	p.WaitLine(t, "ready")
	p.Kill()
	p.WaitKilled(t)
}

func TestChildKilledAtCleanup(t *testing.T) {
	CheckGoroutines(t)
	var p *Process
	t.Run("leaves it running", func(t *testing.T) {
		p = Child(t, "wait")
		p.WaitLine(t, "ready")
	})
	select {
	case <-p.exited:
	default:
		t.Error("the child outlived its test")
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p := Child(t, "parent", "ADDRESS="+listener.Addr().String())
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p.WaitKilled(t)
	// The grandchild holds the other end open until it dies.
	if err := conn.SetReadDeadline(time.Now().Add(childLimit)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the grandchild is still there: %v", err)
	}
}

func TestKiller(t *testing.T) {
	tests := []struct {
		spec   string
		passed int // lines printed before the crash
	}{
		{"begin", 0},
		{"end", 1},
		{"begin#1", 0},
		{"begin#3", 2},
		{"end#3", 3},
	}
	for _, test := range tests {
		t.Run(test.spec, func(t *testing.T) {
			p := Child(t, "passes", "CRASH_AT="+test.spec)
			p.WaitKilled(t)
			passed := 0
			for range p.Lines() {
				passed++
			}
			if passed != test.passed {
				t.Errorf("passed %d times, want %d", passed, test.passed)
			}
		})
	}
	for _, spec := range []string{"", "elsewhere", "end#4"} {
		t.Run("never at "+spec, func(t *testing.T) {
			if state := Child(t, "passes", "CRASH_AT="+spec).Wait(t); !state.Success() {
				t.Errorf("the child did not come to its end: %v", state)
			}
		})
	}
}

func TestKillerRefusesMalformedSpecs(t *testing.T) {
	for _, spec := range []string{"#1", "begin#", "begin#0", "begin#-1", "begin#x"} {
		t.Run(spec, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			Killer(spec)
		})
	}
}
