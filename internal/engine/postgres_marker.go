package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// The markers' schema. The texts are sent by the simple protocol and hold nothing but UUIDs and constants.
const pgSchema = `
create schema if not exists dualsql;
create table if not exists dualsql.commit (
	txid uuid primary key, state "char" not null check (state in ('C', 'A')),
	journal uuid not null, at timestamptz not null default now());
create table if not exists dualsql.pair (
	one boolean primary key default true check (one),
	pair uuid not null, side text not null check (side in ('primary', 'secondary')), at timestamptz not null default now())`

// PostgresInitSQL is what [Marking.Init] runs, for an administrator to run where the application's role may not.
const PostgresInitSQL = pgSchema

// pgMarkerInsert also raises synchronous_commit=off for the one transaction: a statement of the caller's may have set it.
const pgMarkerInsert = "insert into dualsql.commit (txid, state, journal) select %s, 'C', %s " +
	"where current_setting('synchronous_commit') <> 'off' or set_config('synchronous_commit', 'on', true) = 'on'"

func pgInsertMarker(m Marker) string {
	return fmt.Sprintf(pgMarkerInsert, Literal(m.TxID.String()), Literal(m.Journal.String()))
}

// insertMarker is pgInsertMarker by a statement that the session keeps. s.marker.answered must be called when the text has run.
func (s *pgSession) insertMarker(m Marker) string {
	if !s.keeps {
		return pgInsertMarker(m)
	}
	return s.marker.define("uuid, uuid", fmt.Sprintf(pgMarkerInsert, "$1", "$2")) + s.marker.execute(Literal(m.TxID.String()), Literal(m.Journal.String()))
}

// write runs text in a transaction of its own: the primary's sessions are read-only outside of one.
func (s *pgSession) write(ctx context.Context, text string) (pgconn.CommandTag, error) {
	results, err := s.pg.PgConn().Exec(ctx, "begin read write; "+text+"; commit").ReadAll()
	if err != nil {
		return pgconn.CommandTag{}, errors.Join(err, s.Rollback(ctx))
	}
	return results[len(results)-2].CommandTag, nil
}

// Identity: the same server process, known by the moment of its start, and the same database in it. The system identifier
// would not do: a physical copy has the same.
func (s *pgSession) Identity(ctx context.Context) (string, error) {
	var id string
	err := s.pg.QueryRow(ctx, `select 'postgres/' || extract(epoch from pg_postmaster_start_time()) || '/' || (select oid from pg_database where datname = current_database())`).Scan(&id)
	return id, err
}

func (s *pgSession) Init(ctx context.Context) error {
	var ready bool
	err := s.pg.QueryRow(ctx, "select to_regclass('dualsql.commit') is not null and to_regclass('dualsql.pair') is not null").Scan(&ready)
	if err != nil || ready {
		return err
	}
	// Two processes may come here at once; CREATE ... IF NOT EXISTS alone can collide in the catalogs.
	_, err = s.write(ctx, "select pg_advisory_xact_lock("+pgInitLock+"); "+pgSchema)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "42501" {
		return fmt.Errorf("%w: %w", ErrNoSchema, err)
	}
	return err
}

// pgInitLock is the advisory lock that creating the schema holds.
const pgInitLock = "7241106890351522867"

func (s *pgSession) ClaimPair(ctx context.Context, row PairRow) (PairRow, error) {
	_, err := s.write(ctx, fmt.Sprintf("insert into dualsql.pair (pair, side) values ('%s', '%s') on conflict do nothing", row.Pair, row.Side))
	if err != nil {
		return PairRow{}, err
	}
	return s.Pair(ctx)
}

func (s *pgSession) Pair(ctx context.Context) (PairRow, error) {
	var row PairRow
	var side string
	err := s.pg.QueryRow(ctx, "select pair, side from dualsql.pair").Scan(&row.Pair, &side)
	var pe *pgconn.PgError
	if errors.Is(err, pgx.ErrNoRows) || errors.As(err, &pe) && (pe.Code == "42P01" || pe.Code == "3F000") {
		return PairRow{}, nil
	}
	if side == Secondary.String() {
		row.Side = Secondary
	}
	return row, err
}

// Fence: INSERT ... ON CONFLICT DO NOTHING waits for a transaction that has inserted the same key and not ended (manual,
// INSERT, and 13.2.1), so once it returns, the row that is there is there for ever.
//
// Its wait leaves time in ctx for another look: a transaction that has become prepared meanwhile does not end by itself.
func (s *pgSession) Fence(ctx context.Context, m Marker) (State, error) {
	wait := s.o.LockTimeout
	if end, ok := ctx.Deadline(); ok {
		if part := time.Until(end) / 4; wait <= 0 || part < wait {
			wait = max(part, time.Millisecond)
		}
	}
	timeout := ""
	if ms := wait.Milliseconds(); ms > 0 {
		timeout = fmt.Sprintf("set local lock_timeout = %d; ", ms)
	}
	_, err := s.write(ctx, timeout+"set local synchronous_commit = on; "+fmt.Sprintf(
		"insert into dualsql.commit (txid, state, journal) values ('%s', 'A', '%s') on conflict do nothing", m.TxID, m.Journal))
	if err != nil {
		return 0, err
	}
	return fenced(ctx, s, m)
}

func (s *pgSession) InsertMarker(ctx context.Context, m Marker) (bool, error) {
	tag, err := s.simple(ctx, pgInsertMarker(m)+" on conflict do nothing")
	return tag.RowsAffected() == 1, err
}

func (s *pgSession) MarkerState(ctx context.Context, txid uuid.UUID) (State, error) {
	var state string
	err := s.pg.QueryRow(ctx, "select state::text from dualsql.commit where txid = $1", txid).Scan(&state)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return State(state[0]), nil
}

// DeleteMarkers may be repeated and need not be durable: a marker that comes back is swept later.
func (s *pgSession) DeleteMarkers(ctx context.Context, txids []uuid.UUID) error {
	_, err := s.write(ctx, "delete from dualsql.commit where state = 'C' and txid in ("+quoteIDs(txids)+")")
	return err
}

func (s *pgSession) SweepMarkers(ctx context.Context, journal uuid.UUID, keep []uuid.UUID) error {
	_, err := s.write(ctx, fmt.Sprintf("delete from dualsql.commit where journal = '%s' and txid not in (%s) "+
		"and at < now() - interval '1 day'", journal, quoteIDs(append(keep, uuid.Nil))))
	return err
}

func (s *pgSession) ForeignMarkers(ctx context.Context, own uuid.UUID) (map[uuid.UUID]bool, error) {
	rows, err := s.pg.Query(ctx, "select txid from dualsql.commit where state = 'C' and journal <> $1", own)
	if err != nil {
		return nil, err
	}
	found := map[uuid.UUID]bool{}
	var txid uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&txid}, func() error { found[txid] = true; return nil })
	return found, err
}

func (s *pgSession) ReadOnlyViolation(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "25006"
}

// pgLargeObjects are the built-in functions that write to a table (manual, 35.4). The other volatile built-ins change
// nothing that both sides should have: sequences, locks, notifications, statistics, the clock.
var pgLargeObjects = []string{"lo_creat", "lo_create", "lo_unlink", "lo_open", "lowrite", "lo_put", "lo_from_bytea",
	"lo_truncate", "lo_truncate64", "lo_import"}

// pgSessionState are built-ins that set what both sessions should have.
var pgSessionState = []string{"set_config", "setval"}

func (s *pgSession) Volatile(ctx context.Context, calls []sqltext.Function) (mirror, primary []string, err error) {
	names := make([]string, len(calls))
	for i, c := range calls {
		names[i] = c.Name
	}
	rows, err := s.pg.Query(ctx, `select distinct proname::text, pronamespace = 'pg_catalog'::regnamespace
		from pg_catalog.pg_proc where provolatile = 'v' and proname = any($1::text[])`, names)
	if err != nil {
		return nil, nil, err
	}
	var name string
	var builtin bool
	_, err = pgx.ForEachRow(rows, []any{&name, &builtin}, func() error {
		if builtin && !slices.Contains(pgLargeObjects, name) && !slices.Contains(pgSessionState, name) {
			primary = append(primary, name)
		} else {
			mirror = append(mirror, name)
		}
		return nil
	})
	return mirror, primary, err
}

// Wrote asks for a transaction id first: only a transaction that may have changed something has one. Row locks and nextval
// give one too, but only INSERT, UPDATE, DELETE and MERGE hold ROW EXCLUSIVE on a table until the end (manual, 13.3.1).
func (s *pgSession) Wrote(ctx context.Context) (bool, error) {
	if s.unbegun() {
		return false, nil
	}
	var wrote bool
	err := s.pg.QueryRow(ctx, `select case when txid_current_if_assigned() is null then false else exists (
		select from pg_catalog.pg_locks l join pg_catalog.pg_class c on c.oid = l.relation
		where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and c.relkind <> 'S'
		and l.database in (0, (select oid from pg_catalog.pg_database where datname = current_database()))) end`).Scan(&wrote)
	return wrote, err
}

func (s *pgSession) Unguarded(ctx context.Context, f func() error) error {
	if _, err := s.simple(ctx, "set default_transaction_read_only = off"); err != nil {
		return err
	}
	err := f()
	if serr := s.Setup(context.WithoutCancel(ctx)); serr != nil {
		_ = s.pg.Close(ctx) // a session without its guard must not be used again
	}
	return err
}

func (s *pgSession) Refuses(set sqltext.Setting) string {
	switch set.Name {
	case "default_transaction_read_only", "transaction_read_only":
		return "dualsql sets it itself, so that no write goes unmirrored; use sql.TxOptions{ReadOnly: true}"
	case "transaction", "session characteristics":
		if containsFold(set.Value, "read write") || containsFold(set.Value, "read only") {
			return "dualsql sets the access mode itself; use sql.TxOptions{ReadOnly: true}"
		}
	case "synchronous_commit":
		if !set.Reset && containsFold(set.Value, "off") {
			return "a commit that is not durable cannot be kept in step"
		}
	}
	return ""
}
