package engine

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/jackc/pgx/v5/pgproto3"
)

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
