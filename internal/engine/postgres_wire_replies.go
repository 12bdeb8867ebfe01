package engine

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
)

// beginReplies are the types of the replies to BEGIN: ParseComplete, BindComplete, CommandComplete, CloseComplete.
const beginReplies = "12C3"

var syncMessage, _ = (&pgproto3.Sync{}).Encode(nil)

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
			w.endMessage()
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
		w.fail()
	default:
		return fmt.Errorf("message %q in reply to BEGIN", kind)
	}
	return nil
}

func (w *wire) endMessage() {
	if w.drop {
		if w.replies = w.replies[1:]; w.replies == "" {
			w.begun.Store(sure)
		}
	}
	w.header, w.drop = 0, false
}

// fail leaves the error, and all that follows, to pgx.
func (w *wire) fail() {
	if len(w.replies) > 1 {
		w.begun.Store(refused)
	} else {
		w.begun.Store(sure) // BEGIN was executed, and the transaction has failed as any can
	}
	w.replies = ""
	if !w.unsynced {
		return
	}
	// The server discards the statement, and an early text behind it, and waits for a Sync. If it has gone, the next read finds
	// that out.
	_, _ = w.w.Write(syncMessage)
	if w.sent != "" { // else a COPY's other goroutine may be looking
		w.sent = ""
	}
}
