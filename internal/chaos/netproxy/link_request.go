package netproxy

import (
	"bytes"
	"net"
)

// forward returns what carries the client's bytes to the server.
func (l *link) forward() func(chunk []byte) bool {
	var unread []byte
	begun := false
	asked := 0 // the answers that the messages forwarded so far ask for
	return func(chunk []byte) bool {
		if !begun {
			l.speak(protocolOf(chunk[0]))
			begun = true
		}
		unread = append(unread, chunk...)
		var out []byte
		for len(unread) > 0 {
			r, ok := l.spoken().request(unread)
			if !ok {
				l.speak(opaque{})
				continue
			}
			if r.size == 0 {
				break
			}
			if r.message != nil {
				if rule := l.proxy.take(*r.message); rule != nil {
					if !l.obey(rule, asked, out) {
						return false
					}
					if rule.action == HoldRequest || rule.action == LateRequest {
						out = nil
					}
				}
			}
			if r.asks {
				asked++
			}
			out = append(out, unread[:r.size]...)
			unread = unread[r.size:]
		}
		if len(out) > 0 {
			unread = bytes.Clone(unread) // out has its own copy: let go of what is read
		}
		return l.toServer(out)
	}
}

// obey does what the rule says about the next message; before are the messages before it that are not forwarded yet, and
// answer is the number of its answer. It returns false when the link has been cut.
func (l *link) obey(rule *Rule, answer int, before []byte) bool {
	switch rule.action {
	case CutBefore:
		l.toServer(before)
		l.cut()
		rule.fire()
		return false
	case HoldRequest, LateRequest:
		if !l.toServer(before) {
			return false
		}
		if rule.action == LateRequest {
			// Its end is all that the client gets from now on. What it sends is still read: nothing that it has sent is lost.
			_ = l.client.(*net.TCPConn).CloseWrite() // it fails if the client has gone
		}
		rule.fire()
		return rule.hold(l.ctx) && l.proxy.flows(l.ctx)
	default:
		// Before the message goes out, and so before any of its answer can come.
		l.mu.Lock()
		l.replies[answer] = append(l.replies[answer], rule)
		l.mu.Unlock()
		return true
	}
}

func (l *link) toServer(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if _, err := l.server.Write(b); err != nil {
		l.cut()
		return false
	}
	return true
}
