package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

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

// The answer to a statement, as long as several reads.
func answer(t testing.TB) []byte {
	m := []pgproto3.Message{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}}
	for range 300 {
		m = append(m, &pgproto3.DataRow{Values: [][]byte{bytes.Repeat([]byte("C3Z"), 30)}})
	}
	return encoded(t, append(m, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 300")}, &pgproto3.CloseComplete{},
		&pgproto3.ReadyForQuery{TxStatus: 'T'})...)
}

// behindBegin returns a wire whose reader waits for BEGIN's replies, with the notices that may come among them, and then the
// statement's; and what is left when the replies are dropped.
func behindBegin(t testing.TB) (in, want []byte) {
	notice := encoded(t, &pgproto3.NoticeResponse{Severity: "WARNING", Message: "12C3"})
	status := encoded(t, &pgproto3.ParameterStatus{Name: "C3", Value: "12"})
	in = append(in, notice...)
	in = append(in, encoded(t, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{})...)
	in = append(in, status...)
	in = append(in, encoded(t, &pgproto3.CommandComplete{CommandTag: []byte("BEGIN")}, &pgproto3.NotificationResponse{Channel: "c"},
		&pgproto3.CloseComplete{})...)
	in = append(in, answer(t)...)
	want = append(append(append(want, notice...), status...), encoded(t, &pgproto3.NotificationResponse{Channel: "c"})...)
	return in, append(want, answer(t)...)
}

// pieces is a reader that gives its bytes in pieces of given sizes, the last one for all that is left.
type pieces struct {
	b     []byte
	sizes []int
}

func (r *pieces) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := min(len(p), len(r.b))
	if len(r.sizes) > 0 {
		n = min(n, r.sizes[0])
		r.sizes = r.sizes[1:]
	}
	copy(p, r.b[:n])
	r.b = r.b[n:]
	return n, nil
}

func readAll(t testing.TB, r io.Reader, want []byte) {
	t.Helper()
	got, err := io.ReadAll(&wire{r: r, replies: beginReplies})
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes, %v, want %d bytes", len(got), err, len(want))
	}
}

// BEGIN's replies are left out, and nothing else, however the bytes come in.
func TestWireLeavesBeginOut(t *testing.T) {
	in, want := behindBegin(t)
	readAll(t, bytes.NewReader(in), want)
	readAll(t, iotest.OneByteReader(bytes.NewReader(in)), want)
	readAll(t, iotest.DataErrReader(bytes.NewReader(in)), want)
	for cut := 1; cut < 400; cut++ {
		readAll(t, &pieces{in, []int{cut}}, want)
		readAll(t, &pieces{in, []int{cut, 1, 1}}, want)
	}
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		sizes := make([]int, 500)
		for i := range sizes {
			sizes[i] = 1 + rnd.IntN(40)
		}
		r := &pieces{in, sizes}
		got, err := io.ReadAll(&wire{r: r, replies: beginReplies})
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d: read %d bytes, %v, want %d bytes", seed, len(got), err, len(want))
		}
	}
}

func FuzzWireLeavesBeginOut(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5})
	in, want := behindBegin(f)
	f.Fuzz(func(t *testing.T, cuts []byte) {
		sizes := make([]int, len(cuts))
		for i, c := range cuts {
			sizes[i] = 1 + int(c)
		}
		readAll(t, &pieces{in, sizes}, want)
	})
}

// An error among BEGIN's replies is the statement's; where no Sync follows, the reader sends one.
func TestWireBeginFails(t *testing.T) {
	failure := encoded(t, &pgproto3.ErrorResponse{Severity: "ERROR", Code: "25006", Message: "12C3"}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
	replies := []pgproto3.Message{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.CommandComplete{CommandTag: []byte("BEGIN")}}
	for n := range len(replies) + 1 {
		for _, unsynced := range []bool{false, true} {
			in := append(encoded(t, replies[:n]...), failure...)
			for cut := 1; cut < len(in); cut++ {
				var sent bytes.Buffer
				w := &wire{r: &pieces{in, []int{cut}}, w: &sent, replies: beginReplies, unsynced: unsynced, sent: "early"}
				got, err := io.ReadAll(w)
				if err != nil || !bytes.Equal(got, failure) {
					t.Fatalf("%d replies: read %q, %v, want the error", n, got, err)
				}
				if w.failed() != (n < len(replies)) || w.owes() == unsynced {
					t.Errorf("%d replies: failed %v, owes %v", n, w.failed(), w.owes())
				}
				if want := map[bool]string{true: "S\x00\x00\x00\x04"}[unsynced]; sent.String() != want {
					t.Errorf("%d replies: sent %q, want %q", n, &sent, want)
				}
			}
		}
	}
}

// What cannot be a reply to BEGIN ends the connection.
func TestWireForeignReply(t *testing.T) {
	for _, in := range []string{"Z\x00\x00\x00\x05I", "1\x00\x00\x00\x042\x00\x00\x00\x04D", "1\x00\x00\x00\x03", "2\x00\x00\x00\x04"} {
		got, err := io.ReadAll(&wire{r: bytes.NewReader([]byte(in)), replies: beginReplies})
		if err == nil || len(got) > 0 {
			t.Errorf("%q: read %q without an error", in, got)
		}
	}
	broken := errors.New("broken")
	_, err := io.ReadAll(&wire{r: io.MultiReader(bytes.NewReader([]byte("1\x00\x00")), iotest.ErrReader(broken)), replies: beginReplies})
	if err != broken {
		t.Errorf("a connection that breaks in a reply: %v", err)
	}
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

// While replies are owed only the request for them is taken, and goes nowhere; after a BEGIN that has failed, nothing.
func TestWireRefuses(t *testing.T) {
	asks := []pgproto3.Message{&pgproto3.Query{String: "early"}}
	for _, test := range []struct {
		name                  string
		write                 []pgproto3.Message
		owed, passes, dropped bool
	}{
		{"the request", asks, true, false, true},
		{"a statement", execute, true, false, false},
		{"another query", query, true, false, false},
		{"closing statements", tidy, true, false, false},
		{"the end", ends, true, true, false},
		{"a statement after BEGIN has failed", execute, false, false, false},
		{"a query after BEGIN has failed", query, false, false, false},
		{"data after BEGIN has failed", copied, false, true, false},
		{"the end after BEGIN has failed", ends, false, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			w := &wire{w: &out}
			if test.owed {
				w.sent = "early"
			} else {
				w.begun.Store(refused)
			}
			b := encoded(t, test.write...)
			n, err := w.Write(b)
			if taken := test.passes || test.dropped; taken != (err == nil && n == len(b)) || !taken && n != 0 {
				t.Errorf("wrote %d of %d, %v", n, len(b), err)
			}
			if (out.Len() > 0) != test.passes || w.owes() != (test.owed && !test.dropped) {
				t.Errorf("%d bytes have gone out; owes %v", out.Len(), w.owes())
			}
		})
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
