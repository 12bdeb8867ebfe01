package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// wire stands between pgx's frontend and the connection, above TLS, and saves round trips. A BEGIN that it holds goes out in
// front of the next statement, in the same write, and pgx sees nothing of its replies (postgres_wire_replies.go). An early text
// goes out behind the next statement, and its replies stay in the stream until the session asks for them. With nothing held
// the wire only passes on.
//
// The messages of BEGIN are those of the extended protocol, without a Sync. If one fails, the server discards all that follows
// up to the statement's Sync (manual, 55.2.3): nothing runs outside of the transaction that it was meant for, the error reaches
// pgx as the statement's own, and its position, if it has one, counts in the statement's own text.
//
// Like pgx's connection the wire has one user at a time, but for two: while pgx copies data in, one goroutine reads and another
// writes the data; and once the connection is closed to the session, Terminate may come from any goroutine.
type wire struct {
	r   io.Reader
	w   io.Writer
	raw syscall.RawConn // nil if the connection has none

	begin []byte // the messages of a BEGIN that is held; empty: none
	early string // a text that is to go out behind the next statement; "": none
	sent  string // an early text that has gone out and that the session has not asked for yet; "": none

	begun    atomic.Int32 // what is known of the last BEGIN that has gone out: sure, unsure or refused
	replies  string       // the types of its replies that are still to come
	unsynced bool         // no Sync follows it: the statement is a Query or a FunctionCall

	// The reader's place, while there are replies to come.
	header int    // bytes of the message's type and length that have been read; 0: between two messages
	left   uint32 // bytes of its body that are still to come
	drop   bool   // it is one of BEGIN's
}

// While the wire is not sure of a BEGIN, it lets nothing out that runs: it could run outside of the transaction.
const (
	sure    int32 = iota // the server has executed it, or nothing depends on it any more
	unsure               // its replies have not been read yet
	refused              // the server has refused it, and the session has not rolled back yet
)

// inBlock goes in front of an early text: SAVEPOINT fails outside of a transaction block, the implicit one of a query of several
// statements included. An early text cannot be called back when BEGIN turns out to have failed.
const inBlock = "savepoint dualsql; release dualsql; "

var (
	errRefused   = errors.New("BEGIN has failed, and nothing else runs before the transaction is rolled back")
	errOutOfTurn = errors.New("replies to an earlier request are still to be read")
	errPipeline  = errors.New("a transaction cannot begin with a pipeline of several synchronization points")
)

// wireKey is where a connection's custom data has its wire.
const wireKey = "dualsql.wire"

// withWire gives the connection that is made with cfg a wire.
func withWire(_ context.Context, cfg *pgx.ConnConfig) error {
	var last *wire // of several attempts, one after the other
	cfg.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		last = newWire(r, w)
		return pgproto3.NewFrontend(last, last)
	}
	cfg.AfterConnect = func(_ context.Context, c *pgconn.PgConn) error {
		c.CustomData()[wireKey] = last
		return nil
	}
	return nil
}

func newWire(r io.Reader, w io.Writer) *wire {
	n := &wire{r: r, w: w}
	c, _ := w.(net.Conn)
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // *tls.Conn
		c = t.NetConn()
	}
	if s, ok := c.(syscall.Conn); ok {
		n.raw, _ = s.SyscallConn() // without it there is nothing to look at
	}
	return n
}

// hold keeps a BEGIN for the next statement. Closing the unnamed statement leaves the session as a BEGIN by Query would.
func (w *wire) hold(text string) {
	// Encode fails only on a message of a gigabyte.
	w.begin, _ = (&pgproto3.Parse{Query: text}).Encode(w.begin[:0])
	w.begin, _ = (&pgproto3.Bind{}).Encode(w.begin)
	w.begin, _ = (&pgproto3.Execute{}).Encode(w.begin)
	w.begin, _ = (&pgproto3.Close{ObjectType: 'S'}).Encode(w.begin)
}

// A session without a wire has a nil one: it holds nothing, owes nothing, and no BEGIN of its has failed.

// holds reports whether a BEGIN is held.
func (w *wire) holds() bool { return w != nil && len(w.begin) > 0 }

// failed reports whether the transaction's BEGIN has failed.
func (w *wire) failed() bool { return w != nil && w.begun.Load() == refused }

// owes reports whether the replies to an early text are still to be read.
func (w *wire) owes() bool { return w != nil && w.sent != "" }

// forget ends a transaction that has not begun on the server.
func (w *wire) forget() {
	if w != nil {
		w.begin, w.early = w.begin[:0], ""
		w.begun.Store(sure)
	}
}

// Write is given whole messages, as pgx's frontend writes them.
func (w *wire) Write(b []byte) (int, error) {
	if len(w.begin) == 0 && w.early == "" && w.sent == "" && w.begun.Load() == sure {
		return w.w.Write(b)
	}
	what := survey(b)
	switch {
	case w.sent != "" && what.query() && string(b[5:len(b)-1]) == w.sent:
		w.sent = "" // it has gone out already: pgx goes on to read the replies
		return len(b), nil
	case what.first == 'X' || what.copies():
		return w.w.Write(b)
	case w.sent != "":
		return 0, errOutOfTurn
	case !what.runs: // pgx closes statements at moments of its own
		return w.w.Write(b)
	case w.begun.Load() == refused:
		return 0, errRefused
	case w.begun.Load() == unsure:
		return 0, errOutOfTurn
	case what.syncs > 1 && len(w.begin) > 0: // if BEGIN failed, only what is in front of the first Sync would be discarded
		return 0, errPipeline
	}
	return w.join(b, what)
}

// join writes what is held and b as one.
func (w *wire) join(b []byte, what messages) (int, error) {
	before := len(w.begin)
	if before > 0 {
		w.replies, w.unsynced = beginReplies, what.syncs > 0 && !what.synced
		w.begun.Store(unsure)
	}
	out := append(w.begin, b...)
	if w.early != "" && what.executes == 1 && (what.last == 'S' || what.query()) {
		out, _ = (&pgproto3.Query{String: inBlock + w.early}).Encode(out)
		w.early, w.sent = "", w.early
	}
	const keep = 16 << 10
	w.begin = nil
	if cap(out) <= keep {
		w.begin = out[:0]
	}
	n, err := w.w.Write(out)
	return min(max(n-before, 0), len(b)), err
}

// messages is what a write has.
type messages struct {
	first, last byte // types
	executes    int
	syncs       int  // messages after which the server goes on, whatever has failed before
	synced      bool // one of them is a Sync
	runs        bool // anything but Close, Flush and Sync
}

// query reports whether the write is one Query.
func (m messages) query() bool { return m.first == 'Q' && m.last == 'Q' && m.executes == 1 }

// copies reports whether the write is data of a COPY, or its end. They run nothing, and without a COPY the server ignores them.
func (m messages) copies() bool { return m.first == 'd' || m.first == 'c' || m.first == 'f' }

func survey(b []byte) (m messages) {
	for len(b) >= 5 {
		m.last = b[0]
		if m.first == 0 {
			m.first = m.last
		}
		switch m.last {
		case 'Q':
			m.executes, m.syncs, m.runs = m.executes+1, m.syncs+1, true
		case 'E':
			m.executes, m.runs = m.executes+1, true
		case 'F':
			m.syncs, m.runs = m.syncs+1, true
		case 'S':
			m.syncs, m.synced = m.syncs+1, true
		case 'C', 'H':
		default:
			m.runs = true
		}
		b = b[min(uint64(len(b)), 1+uint64(binary.BigEndian.Uint32(b[1:]))):]
	}
	return m
}
