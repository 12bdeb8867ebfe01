package tds

import (
	"errors"
	"strings"
)

// errCut says that a rule has told to cut the connection.
var errCut = errors.New("cut by a rule")

// execute executes the requests, one after the other.
func (c *conn) execute() {
	for {
		select {
		case <-c.dead:
			return
		case m := <-c.requests:
			o := c.newResponse()
			if err := c.answer(m, o); err != nil {
				c.cut() // the reading goroutine goes on from here
				c.abandon()
				return
			}
			c.finish(o)
		}
	}
}

// abandon ends a request that gets no reply.
func (c *conn) abandon() {
	c.mu.Lock()
	r := c.running
	c.running = nil
	c.mu.Unlock()
	close(r.finished)
	r.canceller.Wait()
}

// answer executes one message. An error says that the connection is to be cut.
func (c *conn) answer(m message, o *response) error {
	reset := m.status & (statusReset | statusResetSkipTran)
	if reset != 0 {
		if err := c.reset(reset, o); err != nil {
			return err
		}
	}
	req, err := parseRequest(m.kind, m.body)
	if err == nil && reset == 0 {
		err = c.checkDescriptor(req)
	}
	bulk := c.bulk
	c.bulk = ""
	switch {
	case err != nil:
		err = o.refuse(err)
	case c.cancelled(): // before it was begun
	case req.kind == RPC:
		return c.callAll(req.calls, o)
	case req.kind == Batch:
		err = c.batch(req.text, o)
	case req.kind == Transaction:
		err = c.transact(req.transaction, o)
	case req.kind == BulkLoad:
		err = c.load(bulk, req.bulk, o)
	}
	o.endBatch()
	return err
}

// reset is sp_reset_connection, which a client asks for with a bit of the packet's (MS-TDS 2.2.3.1.2).
func (c *conn) reset(bits byte, o *response) error {
	o.out = appendEnv(o.out, envReset, nil, nil)
	c.prepared = map[int64]statement{}
	return c.session.Reset(bits&statusResetSkipTran != 0, o)
}

// checkDescriptor holds the client to the transaction that it was told of (MS-TDS 2.2.5.3.2). It may not know yet of a reset's.
func (c *conn) checkDescriptor(req request) error {
	switch {
	case req.kind == BulkLoad, req.kind == Transaction && req.transaction.verb == "BEGIN":
	case req.descriptor != c.descriptor:
		return refuse(errTransaction, "New request is not allowed to start because it should come with valid transaction descriptor.")
	}
	return nil
}

// refuse tells the client of a refusal. Any other error is given back.
func (o *response) refuse(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	o.Message(r.message)
	return nil
}

// ruled executes a request, unless a rule has it otherwise.
func (c *conn) ruled(req Request, o *response, do func() error) error {
	rule := c.server.take(req)
	if rule == nil {
		return do()
	}
	if rule.action == CutAfter {
		o.whole = true
		if err := do(); err != nil {
			return err
		}
	}
	c.acted = rule
	return errCut
}

func (c *conn) batch(text string, o *response) error {
	err := c.ruled(Request{Batch, text}, o, func() error {
		_, err := c.session.Batch(text, nil, o)
		return err
	})
	if o.status == 0 && bulkTable(text) != "" {
		c.bulk = text
	}
	return err
}

func (c *conn) transact(t transaction, o *response) error {
	err := c.ruled(Request{Transaction, t.verb}, o, func() error {
		switch t.verb {
		case "BEGIN":
			return c.session.Begin(t.level, t.name, o)
		case "COMMIT":
			return c.session.Commit(o)
		case "ROLLBACK":
			return c.session.Rollback(t.name, o)
		}
		return c.session.Save(t.name, o)
	})
	if err == nil && t.next != nil && o.status == 0 {
		return c.transact(*t.next, o)
	}
	return err
}

func (c *conn) load(statement string, b bulk, o *response) error {
	loader, ok := c.session.(BulkLoader)
	switch {
	case statement == "":
		return o.refuse(broken(errStream, "Rows of a bulk load came without an INSERT BULK."))
	case !ok:
		return o.refuse(refuse(errOther, "Bulk load is not supported."))
	}
	return c.ruled(Request{BulkLoad, strings.TrimSpace(statement)}, o, func() error {
		return loader.BulkLoad(bulkTable(statement), b.columns, b.rows, o)
	})
}
