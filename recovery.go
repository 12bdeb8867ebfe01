package dualsql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// errReported: only an operator can end it.
var errReported = errors.New("its protocol cannot find out how it ended; compare the sides, make them equal, and run `dualsql recover --forget`")

// adopt lists what the journal has open when it is opened. Transactions that will still reach the secondary are in the
// window from the start.
func (co *coordinator) adopt() {
	for _, e := range co.journal.entries() {
		co.log.Warn("dualsql: the journal has an open transaction", "txid", e.txid, "state", e.state(), "protocol", e.protocol, "since", e.at)
		if co.protocolOf(e.intent) != nil {
			co.flights[e.txid] = co.window.enter(e.txid)
			co.flights[e.txid].stick()
		} else {
			co.journal.find(e.txid).problem = errReported
		}
		co.adopted = append(co.adopted, e.txid)
	}
	if err := co.journal.tellAll(); err != nil {
		co.log.Error("dualsql: journal", "error", err)
	}
	if len(co.flights) > 0 {
		co.nudge()
	}
}

// settleAll tries once to end each stuck transaction, oldest first.
func (co *coordinator) settleAll(ctx context.Context) {
	for _, snapshot := range co.journal.entries() {
		e := co.journal.find(snapshot.txid)
		f := co.flightOf(snapshot.txid)
		if e == nil || f == nil {
			continue // it has ended, or its owner is at work on it, or it can only be reported
		}
		outcome, err := co.settle(ctx, e)
		if err != nil && co.bg.Err() != nil {
			return // closing: this says nothing of the transaction
		}
		if err != nil {
			co.log.Warn("dualsql: transaction cannot be ended yet", "txid", e.txid, "error", err)
			co.tell(e, err)
			var hand *byHandError
			if errors.As(err, &hand) && co.land(e, f) {
				f.leave() // only an operator can end it, and nothing waits to be overtaken
			}
			if ctx.Err() != nil {
				return // the others have not been tried; the next attempt goes on
			}
			continue
		}
		if co.finish(e, f, outcome) {
			co.log.Info("dualsql: transaction "+outcome.String(), "txid", e.txid)
			co.stats.recovered.Add(1)
		}
	}
}

// finish takes a stuck transaction off the list, unless somebody else has. Its markers stay: the owner's own COMMIT may still
// be on its way, and has to collide. The sweep of a later day deletes them.
func (co *coordinator) finish(e *entry, f *flight, o Outcome) bool {
	if !co.land(e, f) {
		return false
	}
	co.ended(e, o)
	co.passing(atEnded)
	f.leave()
	return true
}

// land takes a transaction off what the resolver works on. It is false if somebody else has.
func (co *coordinator) land(e *entry, f *flight) bool {
	co.openMu.Lock()
	defer co.openMu.Unlock()
	mine := co.flights[e.txid] == f
	delete(co.flights, e.txid)
	return mine
}

// settle tries once to end a stuck transaction.
func (co *coordinator) settle(ctx context.Context, e *entry) (Outcome, error) {
	if e.pair != co.pairID() {
		return 0, fmt.Errorf("it belongs to pair %s, this is pair %s: the journal was moved to another pair's configuration", e.pair, co.pairID())
	}
	return co.protocolOf(e.intent).settle(ctx, e)
}

// writerCheck is how often the session that holds the writer's lock is looked at.
const writerCheck = 5 * time.Second

// resolve is the background worker: it ends what is stuck, with growing pauses, and collects markers.
func (co *coordinator) resolve() {
	pause, limit := firstWait, co.cfg.CommitTimeout
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	check := time.NewTicker(writerCheck)
	defer check.Stop()
	sweep := time.NewTicker(co.sweepEvery())
	defer sweep.Stop()
	for {
		select {
		case <-co.bg.Done():
			return
		case <-check.C:
			co.attempt(co.cfg.CommitTimeout, co.checkWriter)
			co.spares.expire(time.Now().Add(-spareTime))
			continue
		case <-sweep.C:
			co.attempt(co.cfg.CommitTimeout, co.sweepPrepared)
			continue
		case <-co.wake:
			pause, limit = firstWait, co.cfg.CommitTimeout
		case <-retry.C:
		}
		co.attempt(limit, func(ctx context.Context) {
			if err := co.prepare(ctx); err != nil {
				co.log.Warn("dualsql: recovery has to wait", "error", err)
				return
			}
			co.settleAll(ctx)
			co.deleteMarkers(ctx, collectAt)
			if err := co.journal.prune(); err != nil {
				co.log.Error("dualsql: pruning the journal", "error", err)
			}
		})
		if co.stuckCount() > 0 {
			retry.Reset(pause)
			pause, limit = min(2*pause, lastWait), min(2*limit, maxAttempt)
		}
	}
}

// maxAttempt bounds one attempt to end what is stuck. The bound starts small, as a connection may hang, and grows with each
// attempt, as a large redo takes its time.
const maxAttempt = time.Hour

func (co *coordinator) attempt(limit time.Duration, f func(context.Context)) {
	ctx, cancel := context.WithTimeout(co.bg, limit)
	defer cancel()
	f(ctx)
}

// collectAt is how many markers are deleted at once.
const collectAt = 256

// collector gathers transactions whose COMMIT has been answered by both sides: nobody can ask for their markers any more,
// and no COMMIT of theirs is on its way.
type collector struct {
	mu    sync.Mutex
	ready []uuid.UUID
}

func (co *coordinator) collect(txid uuid.UUID) {
	m := &co.markers
	m.mu.Lock()
	m.ready = append(m.ready, txid)
	full := len(m.ready) == collectAt
	m.mu.Unlock()
	if full {
		co.nudge()
	}
}

// deleteMarkers deletes what has been gathered, if it is at least so many, on both sides. The ends must be durable first: a transaction whose end is lost is asked for
// again, and without its marker the answer would be that it never committed.
func (co *coordinator) deleteMarkers(ctx context.Context, least int) {
	m := &co.markers
	m.mu.Lock()
	batch := m.ready
	if len(batch) < least {
		m.mu.Unlock()
		return
	}
	m.ready = nil
	m.mu.Unlock()
	err := co.journal.log.Sync()
	if err == nil {
		err = co.dropMarkers(ctx, batch)
	}
	if err != nil {
		// They stay until the sweep at the next start.
		co.log.Warn("dualsql: deleting commit markers", "error", err)
	}
}

// sweep deletes the markers that an earlier process left, on the side that decides first. It runs before the first write is
// let through: a transaction under way must not lose its marker.
func (co *coordinator) sweep(ctx context.Context, decides engine.Role) {
	var keep []uuid.UUID
	for _, e := range co.journal.entries() {
		keep = append(keep, e.txid)
	}
	// A power loss may have taken the intent of what is prepared, but its marker is still asked for.
	err := co.journal.log.Sync()
	for _, role := range []engine.Role{engine.Primary, engine.Secondary} {
		var prepared []orphan
		if err == nil {
			prepared, err = co.preparedOn(ctx, role, 0)
		}
		for _, o := range prepared {
			keep = append(keep, o.TxID)
		}
	}
	for _, role := range []engine.Role{decides, decides.Other()} {
		if err == nil {
			err = co.withSession(ctx, role, func(s engine.Marking) error { return s.SweepMarkers(ctx, co.journal.id(), keep) })
		}
	}
	if err != nil {
		co.log.Warn("dualsql: sweeping commit markers", "error", err)
	}
}

// dropMarkers deletes the markers of transactions on both sides. The side that decides is first: a marker there alone means
// half done.
func (co *coordinator) dropMarkers(ctx context.Context, txids []uuid.UUID) error {
	drop := func(s engine.Marking) error { return s.DeleteMarkers(ctx, txids) }
	decides := engine.Primary
	if proto := co.proto.Load(); proto != nil { // an operator may forget before anything is prepared
		if two, ok := (*proto).(twoPhase); ok {
			decides = two.decides()
		}
	}
	if err := co.withSession(ctx, decides, drop); err != nil {
		return err
	}
	return co.withSession(ctx, decides.Other(), drop)
}

// errJournalLost: the redo of a half-done transaction is in a journal that is gone.
var errJournalLost = errors.New("it was committed on the primary alone, and its redo was in another journal; " +
	"make the sides equal and run `dualsql recover --forget`, under that journal too if it is still there")

// findLost reports the transactions of other journals that are on the primary and not on the secondary, and fences them off
// there. As one process at a time writes to the pair, and this one does, their journals are lost or not in use.
func (co *coordinator) findLost(ctx context.Context, primary, secondary engine.Marking) error {
	there, err := primary.ForeignMarkers(ctx, co.journal.id())
	if err != nil || len(there) == 0 {
		return err
	}
	// The secondary is read last: what commits there in between, by a late owner, is not half done.
	here, err := secondary.ForeignMarkers(ctx, co.journal.id())
	if err != nil {
		return err
	}
	for txid := range there {
		if here[txid] || co.journal.find(txid) != nil {
			continue
		}
		// The owner may be alive and have lost nothing but the writer's lock: its redo must not come behind our writes.
		state, err := secondary.Fence(ctx, engine.Marker{TxID: txid, Journal: co.journal.id()})
		if err != nil {
			return err
		}
		if state == engine.Committed {
			continue
		}
		if state, err = primary.MarkerState(ctx, txid); err != nil {
			return err
		}
		if state != engine.Committed {
			continue // a live owner has deleted both markers since they were listed, the primary's first
		}
		e, err := co.journal.begin(co.newIntent(txid, lostRedo), co.cfg.RedoLimit)
		if err != nil {
			return err
		}
		co.decided(e)
		co.report(e, HalfDone, errJournalLost)
	}
	return nil
}
