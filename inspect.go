package dualsql

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// Stats are counters since the journal was opened by this process.
type Stats struct {
	Protocol    Protocol `json:"protocol"`    // empty until the first connection has chosen it
	Committed   uint64   `json:"committed"`   // transactions on both sides
	RolledBack  uint64   `json:"rolled_back"` // at their commit, on both sides
	InDoubt     uint64   `json:"in_doubt"`    // times that a caller was told so
	HalfDone    uint64   `json:"half_done"`   // times that a caller was told so
	Recovered   uint64   `json:"recovered"`   // ended by recovery or the resolver
	Divergences uint64   `json:"divergences"` // statements whose rows-affected differed
	Pending     int      `json:"pending"`     // open now
	Journal     struct {
		Bytes    int64  `json:"bytes"` // on disk
		Segments int    `json:"segments"`
		Appends  uint64 `json:"appends"`
		Syncs    uint64 `json:"syncs"`
	} `json:"journal"`
}

type counters struct {
	committed, rolledBack, inDoubt, halfDone, recovered, divergences atomic.Uint64
}

func (co *coordinator) statistics() Stats {
	s := Stats{
		Committed: co.stats.committed.Load(), RolledBack: co.stats.rolledBack.Load(), InDoubt: co.stats.inDoubt.Load(),
		HalfDone: co.stats.halfDone.Load(), Recovered: co.stats.recovered.Load(), Divergences: co.stats.divergences.Load(),
		Pending: len(co.pending()),
	}
	if p := co.proto.Load(); p != nil {
		s.Protocol = (*p).name()
	}
	w := co.journal.log.Stats()
	s.Journal.Bytes, s.Journal.Segments, s.Journal.Appends, s.Journal.Syncs = w.Bytes, w.Segments, w.Appends, w.Syncs
	return s
}

// pending lists what a crash or a lost reply has left open, not the commits that are under way.
func (co *coordinator) pending() []PendingTx {
	list := []PendingTx{}
	for _, e := range co.journal.entries() {
		if e.told || co.flightOf(e.txid) != nil {
			list = append(list, e.describe())
		}
	}
	co.openMu.Lock()
	defer co.openMu.Unlock()
	for _, o := range co.orphans {
		list = append(list, o.PendingTx)
	}
	return list
}

func (e *entry) describe() PendingTx {
	p := PendingTx{TxID: e.txid, State: e.state(), Protocol: e.protocol, Since: e.at, Sides: e.sides, Statements: []string{}}
	for _, r := range e.redo {
		p.Statements = append(p.Statements, r.text)
	}
	if e.problem != nil {
		p.Problem = e.problem.Error()
	}
	return p
}

func (co *coordinator) outcome(ctx context.Context, txid uuid.UUID) (Outcome, error) {
	if co.journal.find(txid) != nil {
		if _, err := co.recover(ctx); err != nil {
			return 0, err
		}
	}
	if o, ok := co.journal.outcome(txid); ok {
		return o, nil
	}
	if e := co.journal.find(txid); e != nil {
		return co.journal.state(e), nil
	}
	return 0, fmt.Errorf("dualsql: %w %s: this journal has never reported it as in doubt or half done", ErrUnknownTx, txid)
}

func (co *coordinator) recover(ctx context.Context) (Recovery, error) {
	co.work()
	before := slices.Clone(co.adopted)
	for _, p := range co.pending() {
		before = append(before, p.TxID)
	}
	slices.SortFunc(before, byAge)
	before = slices.Compact(before)
	if err := co.prepare(ctx); err != nil {
		return Recovery{}, err
	}
	co.settleAll(ctx)
	co.sweepPrepared(ctx)
	r := Recovery{Committed: []uuid.UUID{}, RolledBack: []uuid.UUID{}, Pending: co.pending()}
	co.openMu.Lock()
	swept := co.swept
	co.swept = map[uuid.UUID]engine.State{}
	co.openMu.Unlock()
	for txid, state := range swept {
		if state == engine.Committed {
			r.Committed = append(r.Committed, txid)
		} else {
			r.RolledBack = append(r.RolledBack, txid)
		}
	}
	for _, txid := range before {
		switch o, _ := co.journal.outcome(txid); o {
		case Committed:
			r.Committed = append(r.Committed, txid)
		case RolledBack:
			r.RolledBack = append(r.RolledBack, txid)
		}
	}
	return r, nil
}

func (co *coordinator) forget(ctx context.Context, txid uuid.UUID) error {
	e := co.journal.find(txid)
	if e == nil && slices.ContainsFunc(co.pending(), func(p PendingTx) bool { return p.TxID == txid }) {
		return fmt.Errorf("dualsql: transaction %s is prepared in a database, not in this journal: it is listed until somebody ends it there; see its problem", txid)
	}
	if e == nil {
		return fmt.Errorf("dualsql: %w %s: the journal has no open transaction of this id", ErrUnknownTx, txid)
	}
	f := co.flightOf(txid)
	if f == nil && !slices.ContainsFunc(co.pending(), func(p PendingTx) bool { return p.TxID == txid }) {
		return fmt.Errorf("dualsql: transaction %s is just being committed; it cannot be forgotten", txid)
	}
	if e.protocol == lostRedo {
		// Its marker is what the next start would find it by.
		if err := co.dropMarkers(ctx, []uuid.UUID{txid}); err != nil {
			return err
		}
	}
	co.tell(e, nil)
	if f != nil {
		co.finish(e, f, Forgotten)
		return nil
	}
	co.ended(e, Forgotten)
	return nil
}
