package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// prepareText inserts the marker and prepares, as one simple query: it stops at the first statement that fails. Only the role
// that prepares can end what is prepared (manual, COMMIT PREPARED), so that is the role that every session of dualsql begins
// with, not one that the transaction has SET.
func (s *pgSession) prepareText(gid string, m Marker) string {
	return s.checkSeen(s.seen, s.live) + "set local role to default; " + s.insertMarker(m) + "; prepare transaction " + Literal(gid)
}

func (s *pgSession) PrepareAlong(gid string, m Marker) { s.early(s.prepareText(gid, m)) }

func (s *pgSession) PreparedAlong() bool { return s.earlySent() }

func (s *pgSession) PrepareTransaction(ctx context.Context, gid string, m Marker) error {
	tag, err := s.simple(ctx, s.prepareText(gid, m))
	err = s.answeredSeen(s.takeSeen(), err)
	s.marker.answered(err)
	if err == nil {
		if got := tag.String(); got != "PREPARE TRANSACTION" {
			// As COMMIT does, it answers ROLLBACK in a transaction that has failed (manual, PREPARE TRANSACTION).
			return fmt.Errorf("the server answered PREPARE TRANSACTION with %s: %w", got, pgx.ErrTxCommitRollback)
		}
		return nil
	}
	var pe *pgconn.PgError
	switch {
	case errors.Is(err, driver.ErrBadConn):
		return errNotPrepared
	case pgOutcomeUnknown(err):
		return &UnknownError{err}
	case !errors.As(err, &pe):
	case pe.Code == "23505" && pe.SchemaName == "dualsql":
		return fmt.Errorf("%w: %w", ErrFenced, err)
	case pe.Code == "53200" && strings.Contains(pe.Hint, "max_prepared_transactions"):
		return fmt.Errorf("%w: %w", ErrNoSlot, err)
	case pe.Code == "0A000":
		return fmt.Errorf("%w: %w", ErrUnpreparable, err)
	}
	return err
}

// errNotPrepared stands for a connection found dead before PREPARE TRANSACTION was sent: the transaction died with it.
var errNotPrepared = errors.New("the connection was lost before PREPARE TRANSACTION was sent")

func (s *pgSession) CommitPrepared(ctx context.Context, gid string) error {
	return s.endPrepared(ctx, "commit prepared ", gid)
}

func (s *pgSession) RollbackPrepared(ctx context.Context, gid string) error {
	return s.endPrepared(ctx, "rollback prepared ", gid)
}

func (s *pgSession) endPrepared(ctx context.Context, verb, gid string) error {
	_, err := s.simple(ctx, verb+Literal(gid))
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return err
	}
	switch pe.Code {
	case "42704": // undefined_object
		return fmt.Errorf("%w: %w", ErrNotPrepared, err)
	case "42501": // insufficient_privilege
		var owner, role string
		qerr := s.pg.QueryRow(ctx, `select owner::text, current_user::text from pg_catalog.pg_prepared_xacts where gid = $1`, gid).Scan(&owner, &role)
		if qerr == nil {
			return fmt.Errorf("%w: it was prepared by role %q, and only that role or a superuser can end it, not %q", err, owner, role)
		}
	}
	return err
}

func (s *pgSession) Prepared(ctx context.Context, prefix string, age time.Duration) ([]PreparedTx, error) {
	rows, err := s.pg.Query(ctx, `select gid, owner::text, prepared from pg_catalog.pg_prepared_xacts
		where starts_with(gid, $1) and database = current_database() and prepared <= clock_timestamp() - make_interval(secs => $2)
		order by prepared`, prefix, age.Seconds())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PreparedTx])
}

func (s *pgSession) PrepareSlots(ctx context.Context) (slots int, err error) {
	err = s.pg.QueryRow(ctx, "select current_setting('max_prepared_transactions')::int").Scan(&slots)
	return slots, err
}
