package netproxy

const readyForQuery = 'Z'

// backward returns what carries the server's bytes to the client.
func (l *link) backward() func(chunk []byte) bool {
	var unread []byte
	var kept []byte // the answer up to now, if there is a rule for it
	ready := 0      // the number of the next ReadyForQuery
	return func(chunk []byte) bool {
		if l.speaks() != postgres {
			l.toClient(chunk)
			return true
		}
		unread = append(unread, chunk...)
		var out []byte
		for {
			if n := l.encryptionAnswer(unread); n > 0 {
				l.toClient(unread[:n])
				unread = unread[n:]
				continue
			}
			raw, ok := cutMessage(unread)
			if !ok {
				l.setProtocol(opaque)
				raw, unread = unread, nil
				l.toClient(append(append(out, kept...), raw...))
				return true
			}
			if raw == nil {
				unread = append([]byte(nil), unread...) // out has its own copy: let go of what is read
				l.toClient(out)
				return true
			}
			unread = unread[len(raw):]
			rules := l.rulesFor(ready)
			if len(rules) == 0 {
				out = append(out, raw...)
			} else {
				kept = append(kept, raw...)
			}
			if raw[0] != readyForQuery {
				continue
			}
			if len(rules) > 0 {
				l.toClient(out)
				if !l.finish(rules) {
					return false
				}
				out, kept = kept, nil
			}
			ready++
		}
	}
}

// encryptionAnswer returns the length of the answer to a request for encryption if b begins with it. After any but 'N'
// the bytes are none of ours (PostgreSQL manual, "SSL Session Encryption").
func (l *link) encryptionAnswer(b []byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.unanswered || len(b) == 0 {
		return 0
	}
	l.unanswered = false
	if b[0] == 'N' {
		return 1
	}
	l.protocol = opaque
	return len(b)
}

func (l *link) rulesFor(ready int) []*Rule {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.replies[ready]
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
