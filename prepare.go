package dualsql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// refusal is an error that no waiting mends: the configuration or the databases have to be changed.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

func refuse(format string, args ...any) error {
	return &refusal{fmt.Errorf("dualsql: "+format, args...)}
}

// prepare checks the pair, chooses the protocol, and looks at what is open, once. Writes wait for it; reads do not.
func (co *coordinator) prepare(ctx context.Context) error {
	if co.prepared.Load() {
		return nil
	}
	co.prepareMu.Lock()
	defer co.prepareMu.Unlock()
	if co.prepared.Load() {
		return nil
	}
	// A side that hangs must not hold up all writes for ever; what takes longer is left to the resolver.
	ctx, cancel := context.WithTimeout(ctx, co.cfg.CommitTimeout)
	defer cancel()
	first := co.proto.Load() == nil
	proto, reason, err := co.choose(ctx, first)
	if err != nil {
		return err
	}
	co.proto.Store(&proto)
	co.prepared.Store(true)
	if first {
		level := slog.LevelInfo
		if proto.name() == BestEffort && co.cfg.Commit == Auto {
			level = slog.LevelWarn
		}
		co.log.Log(ctx, level, "dualsql: commit protocol", "commit", proto.name(), "reason", reason, "mirror", co.mirror, "primary", co.sides[0].name, "secondary", co.sides[1].name)
	}
	return nil
}

func distinct(ctx context.Context, p, s engine.Marking) error {
	pid, err := p.Identity(ctx)
	if err != nil {
		return &SideError{Side: "primary", Op: "identify", Err: err}
	}
	sid, err := s.Identity(ctx)
	if err != nil {
		return &SideError{Side: "secondary", Op: "identify", Err: err}
	}
	if pid == sid {
		return refuse("%w: the secondary is the same database as the primary", ErrPairMismatch)
	}
	return nil
}

// prepareMarker makes the databases a pair and this process its writer, and ends what is open.
func (co *coordinator) prepareMarker(ctx context.Context, first bool) error {
	if co.writer[0] == nil {
		if err := co.becomeWriter(ctx); err != nil {
			return err
		}
		// Another may have been the writer since.
		co.sweepPrepared(ctx)
		if err := co.findLost(ctx, co.writer[engine.Primary], co.writer[engine.Secondary]); err != nil {
			co.closeWriter()
			return err
		}
	}
	// What is still open after this stays listed and keeps later writes back.
	co.settleAll(ctx)
	if first {
		co.sweep(ctx, engine.Primary)
	}
	return nil
}

// prepareTwoPhase ends what is open.
func (co *coordinator) prepareTwoPhase(ctx context.Context, p twoPhase, first bool) error {
	if co.stuckUnder(Marker) > 0 {
		// A redo is for the one writer.
		if err := co.becomeWriter(ctx); err != nil {
			return err
		}
		defer co.closeWriter()
	}
	co.settleAll(ctx)
	if n := co.stuckUnder(Marker); n > 0 {
		return fmt.Errorf("dualsql: the journal has %d open transactions of commit=marker, which have to end before commit=2pc can begin; see `dualsql status`", n)
	}
	if first {
		co.sweep(ctx, p.decides())
		co.sweepPrepared(ctx)
	}
	return nil
}

// writerWait is how long a second process waits before it is refused.
const writerWait = 2 * time.Second

// becomeWriter takes the writer's lock on both sides. On the secondary alone it would not do: there a predecessor may lose it,
// as when that server is started again, with a COMMIT to the primary still to be sent.
func (co *coordinator) becomeWriter(ctx context.Context) (err error) {
	var sessions [2]engine.Marking
	defer func() {
		if err != nil {
			closeAll(sessions)
		}
	}()
	for role := range co.sides {
		if sessions[role], err = co.ownSession(ctx, engine.Role(role)); err != nil {
			return err
		}
	}
	if err := co.claim(ctx, sessions); err != nil {
		return err
	}
	// A predecessor that was killed holds the lock until its server has noticed.
	waiting, cancel := context.WithTimeout(ctx, writerWait)
	defer cancel()
	for role, s := range sessions {
		err := retry(waiting, func() (bool, error) {
			err := s.LockWriter(ctx, co.writerName())
			return errors.Is(err, engine.ErrWriterLocked), err
		})
		if err != nil {
			return fmt.Errorf("dualsql: %s %s: %w; under commit=marker one process at a time may write to a pair", engine.Role(role), co.sides[role].name, err)
		}
	}
	co.writer = sessions
	return nil
}

func (co *coordinator) closeWriter() {
	closeAll(co.writer) // the lock ends with the sessions
	co.writer = [2]engine.Marking{}
}

func closeAll(sessions [2]engine.Marking) {
	for _, s := range sessions {
		if s != nil {
			_ = s.Close()
		}
	}
}

// claim makes the databases a pair, and keeps its id.
func (co *coordinator) claim(ctx context.Context, s [2]engine.Marking) error {
	pair, err := claimPair(ctx, s[engine.Primary], s[engine.Secondary])
	if err == nil {
		co.pair.Store(&pair)
	}
	return err
}

// claimPair reads the pair's id from both sides, or gives them one at their first use. Nothing is written before both have been
// read and found to fit.
func claimPair(ctx context.Context, primary, secondary engine.Marking) (uuid.UUID, error) {
	if err := distinct(ctx, primary, secondary); err != nil {
		return uuid.Nil, err
	}
	rows, role, err := readPair(ctx, [2]engine.Marking{primary, secondary})
	if err != nil {
		return uuid.Nil, &SideError{Side: role.String(), Op: "read the pair's id", Err: err}
	}
	p, s := rows[engine.Primary], rows[engine.Secondary]
	if why := misfit(p, s); why != "" {
		return uuid.Nil, refuse("%w: %s; if one is a copy of the other, drop the dualsql tables in it; see docs/operating.md", ErrPairMismatch, why)
	}
	for _, side := range []struct {
		name string
		s    engine.Marking
	}{{"primary", primary}, {"secondary", secondary}} {
		if err := side.s.Init(ctx); err != nil {
			return uuid.Nil, &SideError{Side: side.name, Op: "create the dualsql schema", Err: err}
		}
	}
	want := engine.PairRow{Pair: p.Pair, Side: engine.Primary}
	if want.Pair == uuid.Nil {
		if want.Pair, err = uuid.NewRandom(); err != nil {
			return uuid.Nil, err
		}
		// Another process may claim at the same moment: whoever was first has named the pair.
		if want, err = primary.ClaimPair(ctx, want); err != nil {
			return uuid.Nil, &SideError{Side: "primary", Op: "claim the pair", Err: err}
		}
	}
	got, err := secondary.ClaimPair(ctx, engine.PairRow{Pair: want.Pair, Side: engine.Secondary})
	if err != nil {
		return uuid.Nil, &SideError{Side: "secondary", Op: "claim the pair", Err: err}
	}
	if got.Pair != want.Pair || got.Side != engine.Secondary {
		return uuid.Nil, refuse("%w: the primary belongs to pair %s, the secondary to pair %s", ErrPairMismatch, want.Pair, got.Pair)
	}
	return want.Pair, nil
}

// readPair reads the pair's id from both sides, and says which of them failed. Another process may be giving them their ids at this
// moment, the primary first: so the secondary is looked at first, or it alone would be seen to have one.
func readPair(ctx context.Context, s [2]engine.Marking) (rows [2]engine.PairRow, failed engine.Role, err error) {
	for _, role := range []engine.Role{engine.Secondary, engine.Primary} {
		if rows[role], err = s[role].Pair(ctx); err != nil {
			return rows, role, err
		}
	}
	return rows, 0, nil
}

// misfit says why two databases that carry these rows are not a pair and cannot become one; "" if they are or can.
func misfit(primary, secondary engine.PairRow) string {
	switch {
	case primary.Pair != uuid.Nil && primary.Side != engine.Primary:
		return fmt.Sprintf("the primary is the secondary of pair %s", primary.Pair)
	case secondary.Pair != uuid.Nil && secondary.Side != engine.Secondary:
		return fmt.Sprintf("the secondary is the primary of pair %s", secondary.Pair)
	case primary.Pair == uuid.Nil && secondary.Pair != uuid.Nil:
		return fmt.Sprintf("the primary belongs to pair none, the secondary to pair %s", secondary.Pair)
	case secondary.Pair != uuid.Nil && secondary.Pair != primary.Pair:
		return fmt.Sprintf("the primary belongs to pair %s, the secondary to pair %s", primary.Pair, secondary.Pair)
	}
	return ""
}

func (co *coordinator) writerName() engine.Writer {
	return engine.Writer{Pair: co.pairID(), Journal: co.journal.id()}
}

// join makes a connection's sessions count as this process's, so that processes with different ideas of how many may write keep
// each other out.
//
// What a session is sent may take as long as its caller makes it wait, so nothing is locked meanwhile.
func (co *coordinator) join(ctx context.Context, c *Conn) error {
	co.prepareMu.Lock()
	proto, writer := co.proto.Load(), co.writer
	co.prepareMu.Unlock()
	if proto == nil {
		return nil // nothing has been written yet
	}
	switch (*proto).(type) {
	case twoPhase:
		return c.secondary.(engine.Marking).JoinWriters(ctx, co.writerName())
	case marker:
		for role, holder := range writer {
			if c.session(engine.Role(role)).Status() == engine.TxFailed {
				return nil // nothing can be written before this transaction has ended
			}
			if holder == nil {
				return errWriterLost
			}
			err := c.session(engine.Role(role)).(engine.Marking).JoinWriter(ctx, co.writerName(), holder)
			if errors.Is(err, engine.ErrWriterLocked) {
				co.prepareMu.Lock()
				if co.writer == writer {
					co.loseWriter(err)
				}
				co.prepareMu.Unlock()
			}
			if err != nil {
				return err
			}
		}
		co.prepareMu.Lock()
		defer co.prepareMu.Unlock()
		if co.writer != writer {
			return errWriterLost // what has been joined is a lock's that is gone
		}
	}
	return nil // under besteffort any number may write
}

var errWriterLost = fmt.Errorf("%w: this process's lock is lost; try again", engine.ErrWriterLocked)

// loseWriter makes the next write become the writer again first. co.prepareMu is held.
func (co *coordinator) loseWriter(cause error) {
	co.log.Warn("dualsql: the session that holds the writer's lock is lost", "error", cause)
	co.closeWriter()
	co.prepared.Store(false)
}

// checkWriter makes writes wait if a session that holds the writer's lock has died, until the lock is held again.
func (co *coordinator) checkWriter(ctx context.Context) {
	co.prepareMu.Lock()
	defer co.prepareMu.Unlock()
	for _, s := range co.writer {
		if s == nil {
			return
		}
		if err := s.Ping(ctx); err != nil && ctx.Err() == nil {
			co.loseWriter(err)
			return
		}
	}
}
