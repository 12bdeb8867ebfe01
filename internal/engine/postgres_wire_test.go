package engine

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// encoded returns messages as they are on the wire.
func encoded(t testing.TB, messages ...pgproto3.Message) (b []byte) {
	t.Helper()
	for _, m := range messages {
		var err error
		if b, err = m.(interface {
			Encode([]byte) ([]byte, error)
		}).Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

var (
	execute = []pgproto3.Message{&pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{}}
	prepare = []pgproto3.Message{&pgproto3.Parse{Query: "select"}, &pgproto3.Describe{ObjectType: 'S'}, &pgproto3.Sync{}}
	tidy    = []pgproto3.Message{&pgproto3.Close{ObjectType: 'S', Name: "s"}, &pgproto3.Close{ObjectType: 'S', Name: "t"}, &pgproto3.Sync{}}
	batch   = []pgproto3.Message{&pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}}
	query   = []pgproto3.Message{&pgproto3.Query{String: "update t set a = 1"}}
	early   = []pgproto3.Message{&pgproto3.Query{String: inBlock + "early"}}
	flushed = []pgproto3.Message{&pgproto3.Parse{}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Flush{}}
	copied  = []pgproto3.Message{&pgproto3.CopyData{Data: []byte("1\n")}}
	ends    = []pgproto3.Message{&pgproto3.Terminate{}}
	calls   = []pgproto3.Message{&pgproto3.FunctionCall{}}
)

// What goes out with which write.
func TestWireJoins(t *testing.T) {
	tests := []struct {
		name         string
		write        []pgproto3.Message
		begin, early bool
		unsynced     bool
	}{
		{"a cached statement", execute, true, true, false},
		{"a query", query, true, true, true},
		{"preparing", prepare, true, false, false},
		{"closing statements", tidy, false, false, false},
		{"a batch", batch, true, false, false},
		{"two cached statements", slices.Concat(execute, execute), false, false, false},
		{"a flushed request", flushed, true, false, false},
		{"a function call", calls, true, false, true},
		{"data", copied, false, false, false},
		{"the end", ends, false, false, false},
	}
	begin := &wire{}
	begin.hold("begin")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			w := &wire{w: &out, early: "early"}
			w.hold("begin")
			b := encoded(t, test.write...)
			if n, err := w.Write(b); err == errPipeline && n == 0 {
				b = nil
			} else if n != len(b) || err != nil {
				t.Fatalf("wrote %d of %d, %v", n, len(b), err)
			}
			var want []byte
			if test.begin {
				want = append(want, begin.begin...)
			}
			want = append(want, b...)
			if test.early {
				want = append(want, encoded(t, early...)...)
			}
			if !bytes.Equal(out.Bytes(), want) {
				t.Errorf("wrote\n%q, want\n%q", out.Bytes(), want)
			}
			if w.holds() == test.begin || w.owes() != test.early || w.unsynced != test.unsynced || (w.replies != "") != test.begin {
				t.Errorf("holds %v, owes %v, unsynced %v, replies %q", w.holds(), w.owes(), w.unsynced, w.replies)
			}
		})
	}
}

// While replies are owed only the request for them is taken, and goes nowhere; before BEGIN's replies have been read nothing is
// that runs; after a BEGIN that has failed, nothing.
func TestWireRefuses(t *testing.T) {
	const (
		no = iota
		passes
		dropped
	)
	asks := []pgproto3.Message{&pgproto3.Query{String: "early"}}
	synced := []pgproto3.Message{&pgproto3.Sync{}}
	for _, test := range []struct {
		name                string
		write               []pgproto3.Message
		owed, unsure, fails int
	}{
		{"the request", asks, dropped, no, no},
		{"a statement", execute, no, no, no},
		{"another query", query, no, no, no},
		{"preparing", prepare, no, no, no},
		{"closing statements", tidy, no, passes, passes},
		{"the rest of a pipeline", synced, no, passes, passes},
		{"data", copied, passes, passes, passes},
		{"the end", ends, passes, passes, passes},
	} {
		for state, want := range []int{test.owed, test.unsure, test.fails} {
			t.Run(fmt.Sprintf("%s/%d", test.name, state), func(t *testing.T) {
				var out bytes.Buffer
				w := &wire{w: &out}
				switch state {
				case 0:
					w.sent = "early"
				case 1:
					w.begun.Store(unsure)
				default:
					w.begun.Store(refused)
				}
				b := encoded(t, test.write...)
				n, err := w.Write(b)
				if (want == no) != (err != nil) || (err == nil && n != len(b)) || err != nil && n > 0 {
					t.Errorf("wrote %d of %d, %v", n, len(b), err)
				}
				if (out.Len() > 0) != (want == passes) || w.owes() != (state == 0 && want != dropped) {
					t.Errorf("%d bytes have gone out; owes %v", out.Len(), w.owes())
				}
			})
		}
	}
}

// The look at a connection goes through TLS.
func TestWireFindsSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("nothing looks at it there")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(c, tls.Client(c, &tls.Config{}))
	if w.raw == nil || !w.quiet() {
		t.Errorf("a connection at rest: found %v, quiet %v", w.raw != nil, w.quiet())
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.raw.Read(func(uintptr) bool { return !w.quiet() }); err != nil {
		t.Error(err)
	}
	if w := newWire(nil, io.Discard); w.raw != nil || !w.quiet() {
		t.Error("a connection that is none of the system's is not quiet")
	}
}

// shortWriter breaks after n bytes.
type shortWriter int

func (n shortWriter) Write(b []byte) (int, error) {
	if len(b) <= int(n) {
		return len(b), nil
	}
	return int(n), io.ErrClosedPipe
}

// pgx is told of its own bytes only: none, if the connection broke in BEGIN.
func TestWireShortWrite(t *testing.T) {
	b := encoded(t, query...)
	var w wire
	w.hold("begin")
	before := len(w.begin)
	whole := before + len(b) + len(encoded(t, early...))
	for n := range whole {
		w := &wire{w: shortWriter(n), early: "early"}
		w.hold("begin")
		got, err := w.Write(b)
		if want := min(max(0, n-before), len(b)); got != want || err == nil {
			t.Errorf("%d of %d bytes: wrote %d, %v, want %d and an error", n, whole, got, err, want)
		}
	}
}

// With nothing held the wire allocates nothing; neither does a BEGIN once the buffer is there.
func TestWireAllocates(t *testing.T) {
	in, _ := behindBegin(t)
	b := encoded(t, execute...)
	r := bytes.NewReader(in)
	w := &wire{r: r, w: io.Discard}
	p := make([]byte, len(in))
	for _, held := range []bool{false, true} {
		n := testing.AllocsPerRun(100, func() {
			if held {
				w.hold("begin")
			}
			r.Reset(in)
			if _, err := w.Write(b); err != nil {
				panic(err)
			}
			if _, err := io.ReadAtLeast(w, p, 1); err != nil {
				panic(err)
			}
		})
		if n > 0 {
			t.Error(fmt.Sprintf("held %v:", held), n, "allocations")
		}
	}
}
