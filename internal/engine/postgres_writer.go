package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/google/uuid"
)

// The writer holds an exclusive advisory lock with one key, each session that has joined a shared one with two (manual,
// 9.27.10). The order is what makes it safe: LockWriter takes its lock and then looks for joined sessions of others;
// JoinWriter takes its lock and then looks whether the writer is still there. Whoever comes second sees the other.

func advisoryKey(purpose string, id uuid.UUID) uint64 {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	h.Write(id[:])
	return h.Sum64()
}

func writerKey(w Writer) int64 { return int64(advisoryKey("dualsql writer", w.Pair)) }

func joinKeys(w Writer) (pair, journal int32) {
	return int32(advisoryKey("dualsql sessions", w.Pair)), int32(binary.BigEndian.Uint32(w.Journal[12:]))
}

const pgOwnDatabase = "l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_catalog.pg_database where datname = current_database())"

func (s *pgSession) LockWriter(ctx context.Context, w Writer) error {
	var got bool
	if err := s.pg.QueryRow(ctx, "select pg_try_advisory_lock($1)", writerKey(w)).Scan(&got); err != nil {
		return err
	}
	if !got {
		return ErrWriterLocked
	}
	pair, journal := joinKeys(w)
	var others int
	err := s.pg.QueryRow(ctx, "select count(*) from pg_catalog.pg_locks l where "+pgOwnDatabase+
		" and l.objsubid = 2 and l.classid::bigint = $1 and l.objid::bigint <> $2", int64(uint32(pair)), int64(uint32(journal))).Scan(&others)
	if err == nil && others > 0 {
		err = fmt.Errorf("%w: %d of its sessions are still connected", ErrWriterLocked, others)
	}
	if err != nil {
		_, uerr := s.pg.Exec(ctx, "select pg_advisory_unlock($1)", writerKey(w))
		if uerr != nil {
			_ = s.pg.Close(ctx) // which gives the lock back
		}
	}
	return err
}

func (s *pgSession) JoinWriter(ctx context.Context, w Writer, holder Marking) error {
	h, ok := holder.(*pgSession)
	if !ok {
		return fmt.Errorf("the writer's session is a %T, not PostgreSQL's", holder)
	}
	if err := s.joinShared(ctx, w); err != nil {
		return err
	}
	held, err := s.writerLocked(ctx, w, " and l.pid = $3", h.pg.PgConn().PID())
	if err == nil && !held {
		err = fmt.Errorf("%w: the session that held this process's lock is gone", ErrWriterLocked)
	}
	return err
}

func (s *pgSession) JoinWriters(ctx context.Context, w Writer) error {
	if err := s.joinShared(ctx, w); err != nil {
		return err
	}
	held, err := s.writerLocked(ctx, w, "")
	if err == nil && held {
		err = ErrWriterLocked
	}
	return err
}

func (s *pgSession) joinShared(ctx context.Context, w Writer) error {
	pair, journal := joinKeys(w)
	_, err := s.pg.Exec(ctx, "select pg_advisory_lock_shared($1, $2)", pair, journal)
	return err
}

// writerLocked reports whether a session holds the writer's lock for which the condition is true.
func (s *pgSession) writerLocked(ctx context.Context, w Writer, condition string, args ...any) (held bool, err error) {
	key := uint64(writerKey(w))
	err = s.pg.QueryRow(ctx, "select exists (select from pg_catalog.pg_locks l where "+pgOwnDatabase+
		" and l.objsubid = 1 and l.classid::bigint = $1 and l.objid::bigint = $2"+condition+")",
		append([]any{int64(key >> 32), int64(uint32(key))}, args...)...).Scan(&held)
	return held, err
}
