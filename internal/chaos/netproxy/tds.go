package netproxy

import "sync"

// tds is the protocol of SQL Server from its version 7.2 on ([MS-TDS]: Tabular Data Stream Protocol), without encryption.
//
// The server sends one message for each of the client, in their order, but for an attention (2.2.1.7): its acknowledgment
// stands at the end of the message that it cuts short, or is a message by itself if that one ended without. A client sends
// nothing between an attention and its acknowledgment. So a message that comes when none is due can only be an
// acknowledgment, and all others are answers. Where a client has not waited, the rest cannot be told apart.
type tds struct {
	begun bool // of the client's side: it has sent its PRELOGIN

	// Of the server's side: its PRELOGIN has come, and the last bytes of the message that is coming.
	agreed bool
	tail   []byte

	mu        sync.Mutex
	due       int  // messages that the server has not ended yet
	attention bool // not acknowledged yet
}

func (t *tds) request(unread []byte) (request, bool) {
	p, ok := cutPackets(unread)
	if !ok || p.size == 0 {
		return request{}, ok
	}
	r := request{size: p.size, asks: p.kind != tdsAttention}
	if t.begun == (p.kind == tdsPrelogin) {
		return request{}, false // a second PRELOGIN begins encryption
	}
	t.begun = true
	switch p.kind {
	case tdsPrelogin, tdsSSPI, tdsFedAuth, tdsAttention:
	case tdsLogin:
		ok = speaks72(p.body)
	case tdsBatch, tdsRPC, tdsBulk, tdsTransaction:
		if p.ignored {
			break // one that the client has given up while it sent it; it is answered all the same
		}
		var m Message
		m, ok = readTDS(p.kind, p.body)
		r.message = &m
	default:
		ok = false
	}
	return r, ok && t.asked(r.asks)
}

// asked counts a message of the client. It returns false if what the server answers will not be told apart.
func (t *tds) asked(asks bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.attention {
		return false
	}
	if asks {
		t.due++
		return true
	}
	t.attention = true
	return t.due <= 1 // which of several it ends is not known
}

func (t *tds) reply(unread []byte) (reply, bool) {
	p, ok := cutPacket(unread)
	if !ok || p.size == 0 {
		return reply{}, ok
	}
	if p.kind != tdsReply || !t.agreed && !unencrypted(p.body) {
		return reply{}, false
	}
	t.agreed = true
	t.tail = append(t.tail, p.body...)
	t.tail = t.tail[max(0, len(t.tail)-doneSize):]
	if !p.last {
		return reply{size: p.size}, true
	}
	ends, ok := t.answered(acknowledges(t.tail))
	t.tail = nil
	return reply{size: p.size, ends: ends}, ok
}

// answered counts a message of the server. It returns whether that is an answer, and not only an acknowledgment, and false
// if it is neither.
func (t *tds) answered(acknowledges bool) (ends, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	acknowledged := t.attention && acknowledges
	if acknowledged {
		t.attention = false
	}
	if t.due == 0 {
		return false, acknowledged
	}
	t.due--
	return true, true
}
