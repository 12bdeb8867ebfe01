package tds_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

const attention = 6

// end is the last DONE of a reply.
func end(reply []byte) (token byte, status uint16) {
	last := reply[len(reply)-13:]
	return last[0], binary.LittleEndian.Uint16(last[1:])
}

func TestTransactionRequests(t *testing.T) {
	b := &backend{}
	_, addr := serve(t, b)
	c := dialRaw(t, addr)
	c.logIn()
	name := func(s string) []byte { return append([]byte{byte(2 * len(s))}, ucs2(s)...) }
	request := func(descriptor uint64, kind byte, rest ...[]byte) []byte {
		c.send(14, 0, slices.Concat(headers(descriptor), []byte{kind, 0}, slices.Concat(rest...)), 4088)
		return c.read()
	}
	const first, second = 1 << 33, 2 << 33
	wantEnd := func(what string, reply []byte, want string) {
		t.Helper()
		if got := hex.EncodeToString(reply); got != want {
			t.Errorf("%s is answered with %s, want %s", what, got, want)
		}
	}
	const ok = "fd000000000000000000000000"
	wantEnd("BEGIN", request(0, 5, []byte{3}, name("t")), "e30b00"+"0808"+"0000000002000000"+"00"+ok)
	wantEnd("SAVE", request(first, 9, name("s")), ok)
	wantEnd("ROLLBACK to s", request(first, 8, name("s"), []byte{0}), ok)
	wantEnd("COMMIT and BEGIN", request(first, 7, name(""), []byte{1, 5}, name("")),
		"e30b00"+"0900"+"08"+"0000000002000000"+"e30b00"+"0808"+"0000000004000000"+"00"+ok)
	wantEnd("ROLLBACK", request(second, 8, name(""), []byte{0}), "e30b00"+"0a00"+"08"+"0000000004000000"+ok)
	wantNotes(t, b, `begin 3 "t"`, `save "s"`, `rollback "s"`, "commit", `begin 5 ""`, `rollback ""`)

	if _, status := end(request(second, 7, name(""), []byte{0})); status != 2 {
		t.Errorf("a transaction that is over is committed with status %#x", status)
	}
	if _, status := end(request(0, 1, []byte{0, 0})); status != 2 {
		t.Errorf("a distributed transaction is taken with status %#x", status)
	}
	wantNotes(t, b)
}

func TestResetKeepsTheTransaction(t *testing.T) {
	b := &backend{}
	_, addr := serve(t, b)
	c := dialRaw(t, addr)
	c.logIn()
	c.send(1, 0x10, append(headers(0), ucs2("do it")...), 4088)
	if got := hex.EncodeToString(c.read()); got != "e30300120000"+"fd100000000100000000000000" {
		t.Errorf("the answer is %s", got)
	}
	wantNotes(t, b, "reset true", "do it")
}

func TestAttention(t *testing.T) {
	b := &backend{}
	_, addr := serve(t, b)
	c := dialRaw(t, addr)
	c.logIn()
	const acknowledged = "fd200000000000000000000000"
	c.send(attention, 0, nil, 4088)
	if got := hex.EncodeToString(c.read()); got != acknowledged {
		t.Errorf("without a request the answer is %s", got)
	}
	started := make(chan struct{})
	b.batch = func(s *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		out.Done(tds.Done{Rows: 1, Counted: true})
		started <- struct{}{}
		err := s.wait()
		out.Done(tds.Done{Rows: 2, Counted: true})
		return nil, err
	}
	c.batch("do it")
	<-started
	c.send(attention, 0, nil, 4088)
	if got := hex.EncodeToString(c.read()); got != "fd110000000100000000000000"+acknowledged {
		t.Errorf("the answer is %s", got)
	}
}

func TestSeveralCalls(t *testing.T) {
	b := &backend{call: func(s *session, procedure string, params []tds.Param, out tds.Sink) (int32, []any, error) {
		out.Done(tds.Done{Rows: 1, Counted: true})
		if procedure == "p" {
			return 3, []any{int64(-2)}, nil
		}
		return 4, nil, nil
	}}
	server, addr := serve(t, b)
	c := dialRaw(t, addr)
	c.logIn()
	p := slices.Concat([]byte{1, 0}, ucs2("p"), []byte{0, 0}, []byte{2}, ucs2("@o"), []byte{1, 0x34, 9, 0})
	q := slices.Concat([]byte{1, 0}, ucs2("q"), []byte{0, 0})
	both := slices.Concat(headers(0), p, []byte{0xff}, q)
	want := slices.Concat(
		[]byte{0xff, 0x11, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0},
		[]byte{0x79, 3, 0, 0, 0},
		[]byte{0xac, 0, 0, 2}, ucs2("@o"), []byte{1, 0, 0, 0, 0, 1, 0, 0x26, 2, 2, 0xfe, 0xff},
		[]byte{0xfe, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		[]byte{0xff, 0x11, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0},
		[]byte{0x79, 4, 0, 0, 0},
		[]byte{0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	)
	for _, size := range []int{1, 7, 4088} {
		c.send(3, 0, both, size)
		if got := c.read(); !bytes.Equal(got, want) {
			t.Errorf("the answer is %x, want %x", got, want)
		}
	}
	rule := server.OnRequest(func(r tds.Request) bool { return r == tds.Request{Kind: tds.RPC, Text: "q"} }, tds.CutBefore)
	c.send(3, 0, both, 4088)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("the first call is answered")
	}
	<-rule.Fired()
}

func TestInformation(t *testing.T) {
	b := &backend{batch: func(_ *session, _ string, _ []tds.Param, out tds.Sink) ([]any, error) {
		out.Message(tds.Message{Number: 5, State: 2, Class: 10, Text: "hi", Procedure: "p", Line: 3})
		return nil, nil
	}}
	_, addr := serve(t, b)
	c := dialRaw(t, addr)
	c.logIn()
	c.batch("do it")
	want := slices.Concat([]byte{0xab, 26, 0, 5, 0, 0, 0, 2, 10, 2, 0}, ucs2("hi"),
		[]byte{3}, ucs2("TDS"), []byte{1}, ucs2("p"), []byte{3, 0, 0, 0},
		[]byte{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	if got := c.read(); !bytes.Equal(got, want) {
		t.Errorf("the answer is %x, want %x", got, want)
	}
}

// What breaks the protocol's packets cuts the connection; what is wrong within them is refused.
func TestGarbage(t *testing.T) {
	_, addr := serve(t, &backend{})
	for name, garbage := range map[string][]byte{
		"text":            []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"short length":    {1, 1, 0, 7, 0, 0, 0, 0},
		"long length":     {1, 1, 0xff, 0xff, 0, 0, 0, 0},
		"status":          {1, 0x41, 0, 8, 0, 0, 0, 0},
		"change of type":  {1, 0, 0, 8, 0, 0, 0, 0, 3, 1, 0, 8, 0, 0, 0, 0},
		"no such message": {99, 1, 0, 8, 0, 0, 0, 0},
	} {
		for _, in := range []bool{false, true} {
			c := dialRaw(t, addr)
			if in {
				c.logIn()
			}
			if _, err := c.Write(garbage); err != nil {
				t.Fatal(err)
			}
			_, err := c.Read(make([]byte, 1))
			var timeout net.Error
			if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("%s: the connection is not cut: %v", name, err)
			}
		}
	}
	c := dialRaw(t, addr)
	c.logIn()
	for name, m := range map[string]struct {
		kind byte
		body []byte
	}{
		"empty":             {1, nil},
		"half a character":  {1, append(headers(0), 'a')},
		"headers":           {1, []byte{255, 0, 0, 0}},
		"notification":      {1, []byte{10, 0, 0, 0, 6, 0, 0, 0, 1, 0}},
		"no such procedure": {3, append(headers(0), 0xff, 0xff, 99, 0, 0, 0)},
		"text parameter":    {3, slices.Concat(headers(0), []byte{0xff, 0xff, 10, 0, 0, 0, 0, 0, 0x63})},
		"rows":              {7, []byte{0x81, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"second login":      {16, nil},
	} {
		c.send(m.kind, 0, m.body, 4088)
		reply := c.read()
		if _, status := end(reply); reply[0] != 0xaa || status != 2 {
			t.Errorf("%s: the answer is %x", name, reply)
		}
	}
}

func TestRequestWhileAnotherRuns(t *testing.T) {
	b := &backend{batch: func(s *session, _ string, _ []tds.Param, _ tds.Sink) ([]any, error) { return nil, s.wait() }}
	_, addr := serve(t, b)
	c := dialRaw(t, addr)
	c.logIn()
	c.batch("do it")
	c.batch("do it")
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the requests are answered")
	}
}
