package netproxy

import (
	"context"
	"slices"
	"sync"
)

// Action is what a rule does with the message that it matched.
type Action int

const (
	// CutBefore closes both sides without forwarding the message: the server never sees it. The rule has fired when both
	// are closed.
	CutBefore Action = iota
	// DropReply forwards the message, waits until the server has answered to the end, and closes both sides without passing
	// on any of that answer: the server has run it, and the client cannot know. The rule has fired when both are closed. If
	// the server ends the connection before the end of its answer, it does not fire.
	//
	// The end of an answer is a ReadyForQuery of PostgreSQL, and the end of a response of TDS. An attention (the cancelling
	// of a TDS request) is passed on, and the response that it cuts short has an end as any other.
	DropReply
	// HoldRequest keeps the message, and what the client sends after it, until the rule is released; then it is
	// forwarded, even if the client has gone in the meantime. The rule has fired when the message is held.
	HoldRequest
	// LateRequest is HoldRequest, and ends the connection for the client at once: a request that arrives at the server
	// after its sender has given it up for lost. The rule has fired when the message is held and the client has been sent
	// the end of its connection.
	LateRequest
	// HoldReply forwards the message, and keeps the server's answer until the rule is released. The rule has fired when
	// the answer has come to its end: the server has run it, and the client does not know yet. If the server ends the
	// connection before, the rule does not fire, and the client gets that end only.
	HoldReply
)

// Rule acts on messages of a Proxy. Its methods are safe for concurrent use.
type Rule struct {
	match  func(Message) bool
	action Action
	left   int // matches still to take; guarded by Proxy.mu

	mu       sync.Mutex
	unfired  int // guarded by mu
	fired    chan struct{}
	released chan struct{}
	release  sync.Once
}

// OnRequest adds a rule for the first message that matches, on any connection. Of several rules the first added takes the
// message. match is called for one message at a time and must not call the proxy. Rules do not apply to connections that
// are encrypted or speak another protocol.
func (p *Proxy) OnRequest(match func(Message) bool, action Action) *Rule {
	return p.OnRequests(1, match, action)
}

// OnRequests is OnRequest for the first n messages that match.
func (p *Proxy) OnRequests(n int, match func(Message) bool, action Action) *Rule {
	r := &Rule{
		match: match, action: action, left: n,
		unfired: n, fired: make(chan struct{}, n), released: make(chan struct{}),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = append(p.rules, r)
	return r
}

// Remove takes a rule away: it matches no more messages. What it holds, it goes on holding until it is released.
func (p *Proxy) Remove(r *Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = slices.DeleteFunc(p.rules, func(other *Rule) bool { return other == r })
}

// Fired returns a channel that gets a value each time the rule has acted, and is closed after the last. What "has acted"
// means stands with each Action.
func (r *Rule) Fired() <-chan struct{} { return r.fired }

// Release lets go what the rule holds now, and ends its holding: what it matches later passes.
func (r *Rule) Release() { r.release.Do(func() { close(r.released) }) }

func (r *Rule) fire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fired <- struct{}{}
	if r.unfired--; r.unfired == 0 {
		close(r.fired)
	}
}

// hold returns true when the rule is released, false when ctx is done.
func (r *Rule) hold(ctx context.Context) bool {
	select {
	case <-r.released:
		return true
	case <-ctx.Done():
		return false
	}
}

// take returns the rule that acts on the message, or nil.
func (p *Proxy) take(m Message) *Rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rules {
		if r.left > 0 && r.match(m) {
			r.left--
			return r
		}
	}
	return nil
}
