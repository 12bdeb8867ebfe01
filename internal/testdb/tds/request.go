package tds

// request is what a message asks for: one of its fields is set, by kind.
type request struct {
	kind        RequestKind
	descriptor  uint64 // of the transaction that the client believes to be in
	text        string
	calls       []call
	transaction transaction
	bulk        bulk
}

// parseRequest reads a message of a client that is logged in.
func parseRequest(kind byte, body []byte) (request, error) {
	r := &reader{b: body}
	var req request
	switch kind {
	case msgBatch:
		req.kind = Batch
		req.descriptor = r.headers()
		req.text = r.rest()
	case msgRPC:
		req.kind = RPC
		req.descriptor = r.headers()
		req.calls = r.calls()
	case msgTransaction:
		req.kind = Transaction
		req.descriptor = r.headers()
		req.transaction = r.transaction()
	case msgBulk:
		req.kind = BulkLoad
		req.bulk = r.bulkLoad()
	default:
		r.fail(broken(errStream, "Message type %d is not one of a client that is logged in.", kind))
	}
	if r.more() {
		r.fail(broken(errStream, "%d bytes follow the end of the request.", len(r.b)))
	}
	return req, r.err
}

// rest reads what is left as text.
func (r *reader) rest() string {
	if len(r.b)%2 != 0 {
		r.fail(broken(errStream, "The text ends within a character."))
	}
	return fromUTF16(r.bytes(len(r.b)))
}

// The types of ALL_HEADERS (MS-TDS 2.2.5.3).
const (
	headerTransaction = 2
	headerTrace       = 3
)

// headers reads ALL_HEADERS and returns the transaction descriptor.
func (r *reader) headers() (descriptor uint64) {
	const lengthSize = 4
	all := &reader{b: r.bytes(int(r.u32()) - lengthSize)}
	for all.more() {
		header := &reader{b: all.bytes(int(all.u32()) - lengthSize)}
		switch kind := header.u16(); kind {
		case headerTransaction:
			descriptor = header.u64()
			header.u32() // how many requests are outstanding: one, without MARS
		case headerTrace: // an activity of the client's, for its logs
		default:
			header.fail(broken(errStream, "Header type %d is unknown.", kind))
		}
		if header.err != nil {
			all.fail(header.err)
		}
	}
	if all.err != nil {
		r.fail(all.err)
	}
	return descriptor
}

// transaction is a transaction manager request (MS-TDS 2.2.6.9).
type transaction struct {
	verb  string
	name  string
	level Isolation
	next  *transaction // the BEGIN that a COMMIT or ROLLBACK asks for besides
}

func (r *reader) transaction() transaction {
	const (
		begin    = 5
		commit   = 7
		rollback = 8
		save     = 9
	)
	switch kind := r.u16(); kind {
	case begin:
		return r.begin()
	case commit:
		return r.end("COMMIT")
	case rollback:
		return r.end("ROLLBACK")
	case save:
		return transaction{verb: "SAVE", name: r.bVarByte()}
	default:
		r.fail(refuse(errOther, "Transaction manager request %d is not supported.", kind))
		return transaction{}
	}
}

func (r *reader) begin() transaction {
	t := transaction{verb: "BEGIN", level: Isolation(r.u8()), name: r.bVarByte()}
	if t.level > Snapshot {
		r.fail(refuse(errOther, "Isolation level %d is not supported.", t.level))
	}
	return t
}

func (r *reader) end(verb string) transaction {
	t := transaction{verb: verb, name: r.bVarByte()}
	if flags := r.u8(); flags&1 != 0 {
		next := r.begin()
		t.next = &next
	}
	return t
}
