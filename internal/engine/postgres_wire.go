package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// wire stands between pgx's frontend and the connection, above TLS, and saves round trips. A BEGIN that it holds goes out in
// front of the next statement, in the same write, and pgx sees nothing of its replies. An early text goes out behind the next
// statement, and its replies stay in the stream until the session asks for them. With nothing held it only passes on.
//
// The messages of BEGIN are those of the extended protocol, without a Sync: if one fails, the server discards what follows up
// to the Sync of the statement (manual, 55.2.3, and 55.2.4 on pipelining), so that nothing ever runs outside of the transaction
// that it was meant for. The error reaches pgx as the statement's own.
//
// Like pgx's connection it has one user at a time, with two exceptions: while pgx copies data in, one goroutine reads and
// another writes; and Terminate may come from any goroutine, once the connection is closed to all others.
type wire struct {
	r   io.Reader
	w   io.Writer
	raw syscall.RawConn // nil if the connection has none

	begin []byte // the messages of a BEGIN that is held; empty: none
	early string // a text that is to go out behind the next statement; "": none
	sent  string // an early text that has gone out and was not asked for yet; "": none

	begun    atomic.Int32 // what is known of a BEGIN that has gone out: sure, unsure or refused
	replies  string       // the types of BEGIN's replies that are still to come
	unsynced bool         // no Sync follows: the statement behind BEGIN is a Query or a FunctionCall

	// The reader's place, while there are replies to come.
	header int    // bytes of the message's type and length that have been read; 0: between two messages
	left   uint32 // bytes of its body that are still to come
	drop   bool   // it is one of BEGIN's
}

// What the wire knows of the last BEGIN. Unless it is sure, what runs something is not let out: it could run outside of the
// transaction.
const (
	sure    int32 = iota // the server has executed it, or nothing depends on it
	unsure               // its replies have not been read yet
	refused              // the server has refused it, and the session has not rolled back yet
)

// beginReplies are the types of the replies to BEGIN: ParseComplete, BindComplete, CommandComplete, CloseComplete.
const beginReplies = "12C3"

// inBlock goes in front of an early text: SAVEPOINT fails outside of a transaction block, the implicit one of a query of
// several statements included. An early text cannot be called back when BEGIN turns out to have failed.
const inBlock = "savepoint dualsql; release dualsql; "

var (
	errRefused   = errors.New("BEGIN has failed, and nothing else runs before the transaction is rolled back")
	errOutOfTurn = errors.New("replies to an earlier request are still to be read")
	errPipeline  = errors.New("a transaction cannot begin with a pipeline of several synchronization points")
)

var syncMessage, _ = (&pgproto3.Sync{}).Encode(nil)

// wireKey is where a connection's custom data has its wire.
const wireKey = "dualsql.wire"

// withWire gives the connection that is made with cfg a wire.
func withWire(_ context.Context, cfg *pgx.ConnConfig) error {
	var last *wire // there may be several attempts, one after the other
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
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	if s, ok := c.(syscall.Conn); ok {
		n.raw, _ = s.SyscallConn() // without it there is nothing to look at
	}
	return n
}

// hold keeps a BEGIN until the next statement. Closing the unnamed statement leaves the session as a simple BEGIN would.
func (w *wire) hold(text string) {
	// Encode fails only on a message of a gigabyte.
	w.begin, _ = (&pgproto3.Parse{Query: text}).Encode(w.begin[:0])
	w.begin, _ = (&pgproto3.Bind{}).Encode(w.begin)
	w.begin, _ = (&pgproto3.Execute{}).Encode(w.begin)
	w.begin, _ = (&pgproto3.Close{ObjectType: 'S'}).Encode(w.begin)
}

// holds reports whether a BEGIN is held. A session without a wire holds none.
func (w *wire) holds() bool { return w != nil && len(w.begin) > 0 }

// failed reports whether BEGIN has failed.
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
	case w.begun.Load() == refused:
		return 0, errRefused
	case w.sent != "" || w.begun.Load() == unsure && what.runs:
		return 0, errOutOfTurn
	case !what.runs: // pgx puts its house in order
		return w.w.Write(b)
	case what.syncs > 1: // behind the first one nothing would stop the rest
		return 0, errPipeline
	}
	return w.join(b, what)
}

// join writes what is held and b as one.
func (w *wire) join(b []byte, what messages) (int, error) {
	before := len(w.begin)
	if before > 0 {
		w.replies, w.unsynced = beginReplies, what.last == 'Q' || what.last == 'F'
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
	first, last byte
	executes    int
	syncs       int  // after which the server goes on, whatever has failed before
	runs        bool // something other than Close, Flush and Sync
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
		if m.last == 'S' || m.last == 'Q' || m.last == 'F' {
			m.syncs++
		}
		if m.last == 'E' || m.last == 'Q' {
			m.executes++
		}
		if m.last != 'C' && m.last != 'H' && m.last != 'S' {
			m.runs = true
		}
		b = b[min(uint64(len(b)), 1+uint64(binary.BigEndian.Uint32(b[1:]))):]
	}
	return m
}

// Read leaves BEGIN's replies out.
func (w *wire) Read(p []byte) (int, error) {
	if w.replies == "" {
		return w.r.Read(p)
	}
	for {
		n, err := w.r.Read(p)
		n, ferr := w.filter(p[:n])
		if err == nil {
			err = ferr
		}
		if n > 0 || err != nil || w.replies == "" {
			return n, err
		}
	}
}

// filter drops BEGIN's replies from p, in place, and returns how much is left. A message may come in any number of pieces.
func (w *wire) filter(p []byte) (int, error) {
	kept := p[:0]
	for len(p) > 0 && w.replies != "" {
		n := 1
		switch {
		case w.header == 0:
			if err := w.reply(p[0]); err != nil {
				return len(kept), err
			}
			if w.replies != "" {
				w.header, w.left = 1, 0
			}
		case w.header < 5:
			w.left = w.left<<8 | uint32(p[0])
			if w.header++; w.header == 5 {
				if w.left < 4 {
					return len(kept), fmt.Errorf("a message of length %d in reply to BEGIN", w.left)
				}
				w.left -= 4
			}
		default:
			n = int(min(uint64(w.left), uint64(len(p))))
			w.left -= uint32(n)
		}
		if !w.drop {
			kept = append(kept, p[:n]...)
		}
		p = p[n:]
		if w.header == 5 && w.left == 0 {
			if w.header = 0; w.drop {
				if w.replies = w.replies[1:]; w.replies == "" {
					w.begun.Store(sure)
				}
			}
			w.drop = false
		}
	}
	return len(append(kept, p...)), nil
}

// reply looks at the type of a message that comes while replies to BEGIN are due.
func (w *wire) reply(kind byte) error {
	switch kind {
	case w.replies[0]:
		w.drop = true
	case 'N', 'S', 'A': // NoticeResponse, ParameterStatus, NotificationResponse
	case 'E':
		w.begun.Store(refused)
		if len(w.replies) == 1 {
			w.begun.Store(sure) // the transaction has begun, and failed as any can
		}
		w.replies = ""
		if w.unsynced {
			// The server discards the statement, and the early text behind it, and waits for a Sync. If it has gone, the next
			// read finds that out.
			_, _ = w.w.Write(syncMessage)
			if w.sent != "" { // else a COPY may be looking at it
				w.sent = ""
			}
		}
	default:
		return fmt.Errorf("message %q in reply to BEGIN", kind)
	}
	return nil
}
