package netproxy

import "bytes"

// backward returns what carries the server's bytes to the client.
func (l *link) backward() func(chunk []byte) bool {
	var unread []byte
	var kept []byte // the answer up to now, if there is a rule for it
	answer := 0     // the number of the answer that is coming
	return func(chunk []byte) bool {
		unread = append(unread, chunk...)
		arrived := len(unread)
		var out []byte
		for len(unread) > 0 {
			r, ok := l.spoken().reply(unread)
			if !ok {
				l.speak(opaque{})
				continue
			}
			if r.size == 0 {
				break
			}
			kept = append(kept, unread[:r.size]...)
			unread = unread[r.size:]
			rules := l.rulesFor(answer)
			if r.ends {
				answer++
			}
			if len(rules) > 0 {
				if !r.ends {
					continue
				}
				l.toClient(out)
				if !l.finish(rules) {
					return false
				}
				out = nil
			}
			out = append(out, kept...)
			kept = nil
		}
		if len(unread) < arrived {
			unread = bytes.Clone(unread) // out and kept have their own copies: let go of what is read
		}
		l.toClient(out)
		return true
	}
}

// rulesFor returns the rules for an answer. There are none any more when the end of an answer cannot be known.
func (l *link) rulesFor(answer int) []*Rule {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.protocol == (opaque{}) {
		return nil
	}
	return l.replies[answer]
}

// finish does what the rules say about an answer that has come in whole. It returns false when the link has been cut.
func (l *link) finish(rules []*Rule) bool {
	for _, rule := range rules {
		if rule.action == DropReply {
			l.cut()
			rule.fire()
			return false
		}
		rule.fire()
		if !rule.hold(l.ctx) || !l.proxy.flows(l.ctx) {
			return false
		}
	}
	return true
}

// toClient goes on when the client has gone: the server's bytes are read to their end all the same. Closing a socket
// with unread bytes would reset the connection, and could destroy a request that is still on its way to the server.
func (l *link) toClient(b []byte) {
	if len(b) > 0 {
		_, _ = l.client.Write(b)
	}
}
