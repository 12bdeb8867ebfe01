package netproxy

import "net"

// forward returns what carries the client's bytes to the server.
func (l *link) forward() func(chunk []byte) bool {
	f := newFrontend()
	asked := 0 // the ReadyForQuery that the messages forwarded so far ask for
	return func(chunk []byte) bool {
		if l.speaks() == opaque {
			return l.toServer(chunk)
		}
		f.unread = append(f.unread, chunk...)
		var out []byte
		for {
			p := f.next()
			switch p.kind {
			case incomplete:
				f.unread = append([]byte(nil), f.unread...) // out has its own copy: let go of what is read
				return l.toServer(out)
			case foreign:
				l.setProtocol(opaque)
				return l.toServer(append(out, p.raw...))
			case encryption:
				l.mu.Lock()
				l.protocol, l.unanswered = postgres, true
				l.mu.Unlock()
			case startup:
				l.setProtocol(postgres)
			case typed:
				if rule := l.proxy.take(p.message); rule != nil {
					if !l.obey(rule, asked+1, out) {
						return false
					}
					if rule.action == HoldRequest || rule.action == LateRequest {
						out = nil
					}
				}
				if p.message.asksReady() {
					asked++
				}
			}
			out = append(out, p.raw...)
		}
	}
}

// obey does what the rule says about the next message; before are the messages before it that are not forwarded yet, and
// ready the number of the ReadyForQuery that ends its answer. It returns false when the link has been cut.
func (l *link) obey(rule *Rule, ready int, before []byte) bool {
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
		l.replies[ready] = append(l.replies[ready], rule)
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
