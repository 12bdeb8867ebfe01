package netproxy

// protocol is what a link has to know of the language of its two sides. One goroutine cuts the client's bytes and another
// the server's. False says that the bytes are not the protocol's, or are no longer to be understood.
type protocol interface {
	// request cuts off what the client's bytes begin with.
	request(unread []byte) (request, bool)
	// reply cuts off what the server's bytes begin with.
	reply(unread []byte) (reply, bool)
}

// request is a whole message of the client.
type request struct {
	size    int      // in bytes; 0 if more are needed
	message *Message // nil if rules do not see it
	asks    bool     // the server ends an answer for it, after those that were asked for before
}

// reply is a part of an answer.
type reply struct {
	size int  // in bytes; 0 if more are needed
	ends bool // an answer ends with it
}

// longestMessage is more than any client sends: what claims to be longer is something else.
const longestMessage = 1 << 30

// protocolOf takes a protocol from the first byte of its client.
func protocolOf(first byte) protocol {
	switch first {
	case 0: // of the length of a packet that is never long
		return newPostgres()
	case tdsPrelogin:
		return &tds{}
	default:
		return opaque{}
	}
}

// opaque is what is encrypted, or another protocol. Whatever there is of it is passed on.
type opaque struct{}

func (opaque) request(unread []byte) (request, bool) { return request{size: len(unread)}, true }
func (opaque) reply(unread []byte) (reply, bool)     { return reply{size: len(unread)}, true }
