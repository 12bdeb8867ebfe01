package tds

// RequestKind says what a request is.
type RequestKind uint8

// The kinds of requests.
const (
	// Batch is a batch: Text is its SQL.
	Batch RequestKind = iota + 1
	// RPC is a procedure call: Text is the SQL that it runs (sp_executesql, sp_prepexec, sp_execute), or the procedure's name.
	// What runs nothing (sp_prepare, sp_unprepare) is no request.
	RPC
	// Transaction is a transaction manager request: Text is BEGIN, COMMIT, ROLLBACK or SAVE.
	Transaction
	// BulkLoad is the rows after an INSERT BULK, which is Text.
	BulkLoad
)

// Request is what a rule sees of a request. Of several procedure calls in one message, each is a Request.
type Request struct {
	Kind RequestKind
	Text string
}

// Action is what a rule does with the request that it matched.
type Action uint8

const (
	// CutBefore cuts the connection; the session never sees the request.
	CutBefore Action = iota
	// CutAfter lets the session run the request to its end, and cuts the connection without sending any of the answer. If the
	// connection ends before, the rule never fires.
	CutAfter
)

// Rule acts once on a request of a Server.
type Rule struct {
	match  func(Request) bool
	action Action
	fired  chan struct{}
}

// Fired returns a channel that is closed when the rule has acted: the connection is cut, and its session is closed.
func (r *Rule) Fired() <-chan struct{} { return r.fired }

// OnRequest adds a rule for the first request that matches, on any connection. Of several rules the first added takes the
// request. match is called for one request at a time and must not call the server.
func (s *Server) OnRequest(match func(Request) bool, act Action) *Rule {
	r := &Rule{match: match, action: act, fired: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, r)
	return r
}

// take returns the rule that acts on the request, or nil.
func (s *Server) take(req Request) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.rules {
		if r.match(req) {
			s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
			return r
		}
	}
	return nil
}
