package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// unbegun reports whether the open transaction's BEGIN has not been sent yet.
func (s *pgSession) unbegun() bool { return !s.pg.IsClosed() && s.wire.holds() }

// Conn begins the transaction first if that is still to be done: whoever takes the connection itself finds it as it says, and
// not everything that pgx can send goes through its frontend (pgconn.PgConn.ExecBatch does not). A connection on which that
// fails is closed.
func (s *pgSession) Conn() driver.Conn {
	if s.unbegun() {
		ctx, cancel := context.WithTimeout(context.Background(), handOverTimeout)
		defer cancel()
		if _, err := s.simple(ctx, ""); err != nil {
			_ = s.pg.Close(ctx)
		}
	}
	return s.c
}

// handOverTimeout bounds what Conn sends, as pgx's database/sql driver bounds what it sends without a context.
const handOverTimeout = 5 * time.Second

// Ping asks the server, and leaves a transaction that has not begun there as it is.
func (s *pgSession) Ping(ctx context.Context) error {
	if !s.unbegun() {
		return s.session.Ping(ctx)
	}
	begin := s.wire.begin
	s.wire.begin = nil
	err := s.session.Ping(ctx)
	if !s.pg.IsClosed() {
		s.wire.begin = begin
	}
	return err
}

// Reset refuses a connection with an open transaction, as pgx does, whether its BEGIN was sent or not.
func (s *pgSession) Reset(ctx context.Context) error {
	if !s.Valid() {
		return driver.ErrBadConn
	}
	return s.session.Reset(ctx)
}

// early gives text to be sent behind the next statement, in the same write, without waiting for that statement's reply. If the
// statement fails, text does nothing: its first statement fails, in the failed transaction or outside of any.
//
// After the statement simple must be called with the same text: it reads the replies, or sends text if that has not happened.
// A caller who would not have text run behind a statement that has failed asks earlySent first. Nothing else may be sent in
// between: it would be refused and the connection closed. Only a statement of one Query or one Execute takes a text along, not
// a batch of several and nothing that is being prepared. It must not be one that copies from the client.
func (s *pgSession) early(text string) {
	if s.wire != nil && !s.pg.IsClosed() {
		s.wire.early = text
	}
}

// earlySent reports whether the text of early has gone out and its replies are still to be read. If it has not, it will not.
func (s *pgSession) earlySent() bool {
	if s.wire.owes() {
		return true
	}
	if s.wire != nil && !s.pg.IsClosed() {
		s.wire.early = ""
	}
	return false
}

// errReplyLost says that an early text was sent, and that nobody knows what has become of it.
var errReplyLost = errors.New("the connection was lost before the reply was read")
