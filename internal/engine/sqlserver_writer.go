package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Who holds a lock of sp_getapplock only a role with VIEW SERVER STATE may ask. So the writer leaves its journal's name in a row,
// and each of its sessions holds a shared lock named after that journal, besides the lock that the writer has alone. A successor
// holds the sessions' lock exclusively until the row has its own name: a session that joins late is refused by the lock, or sees
// the row.

// mjoin is a lock by which a session counts as one of w's.
type mjoin struct {
	w    Writer
	many bool // any number of processes may write
}

func mssqlWriterLock(w Writer) string { return "dualsql writer " + w.Pair.String() }
func mssqlManyLock(w Writer) string   { return "dualsql writers " + w.Pair.String() }
func mssqlJoinLock(w Writer) string {
	return "dualsql sessions " + w.Pair.String() + " " + w.Journal.String()
}

// lock takes an application lock, or fails with ErrWriterLocked at once.
func (s *mssqlSession) lock(ctx context.Context, resource, mode string) error {
	var got int64
	if err := s.scan(ctx, mssqlGetLock(resource, mode), &got); err != nil {
		return err
	}
	if got < 0 {
		return ErrWriterLocked
	}
	return nil
}

func (s *mssqlSession) LockWriter(ctx context.Context, w Writer) (err error) {
	var held []string
	defer func() {
		if err == nil {
			return
		}
		for _, resource := range held {
			if s.run(ctx, mssqlReleaseLock(resource)) != nil {
				s.broken = true // its owner closes it, which gives the locks back
				return
			}
		}
	}()
	take := func(resource string) error {
		err := s.lock(ctx, resource, "Exclusive")
		if err == nil {
			held = append(held, resource)
		}
		return err
	}
	if err := take(mssqlWriterLock(w)); err != nil {
		return err
	}
	if err := take(mssqlManyLock(w)); err != nil {
		return fmt.Errorf("%w: sessions of a process that shares the pair with others are still connected", err)
	}
	before, err := s.uuid(ctx, mssqlWriter)
	if err != nil || before == w.Journal {
		return err
	}
	if before != uuid.Nil {
		predecessor := mssqlJoinLock(Writer{Pair: w.Pair, Journal: before})
		if err := take(predecessor); err != nil {
			return fmt.Errorf("%w: some of its sessions are still connected", err)
		}
		defer func() {
			if err == nil {
				err = s.run(ctx, mssqlReleaseLock(predecessor))
			}
		}()
	}
	return s.run(ctx, mssqlSetWriter(w.Journal))
}

func (s *mssqlSession) JoinWriter(ctx context.Context, w Writer, _ Marking) error {
	return s.join(ctx, mjoin{w: w})
}

func (s *mssqlSession) JoinWriters(ctx context.Context, w Writer) error {
	return s.join(ctx, mjoin{w: w, many: true})
}

func (s *mssqlSession) join(ctx context.Context, j mjoin) error {
	if err := s.takeAgain(ctx, j); err != nil {
		return err
	}
	if !slices.Contains(s.joins, j) {
		s.joins = append(s.joins, j)
	}
	return nil
}

func (s *mssqlSession) takeAgain(ctx context.Context, j mjoin) error {
	if j.many {
		return s.lock(ctx, mssqlManyLock(j.w), "Shared")
	}
	if err := s.lock(ctx, mssqlJoinLock(j.w), "Shared"); err != nil {
		return err
	}
	var free int64
	if err := s.scan(ctx, mssqlFreeLock(mssqlWriterLock(j.w)), &free); err != nil {
		return err
	}
	if free != 0 {
		return fmt.Errorf("%w: the session that held this process's lock is gone", ErrWriterLocked)
	}
	writer, err := s.uuid(ctx, mssqlWriter)
	if err == nil && writer != j.w.Journal {
		err = ErrWriterLocked
	}
	return err
}
