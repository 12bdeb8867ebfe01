package dualsql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// coordinator is what all connections to one pair share within a process: the journal, the commit protocol, and the
// resolver. Safe for concurrent use.
type coordinator struct {
	cfg     *Config
	sides   [2]*side
	log     *slog.Logger
	journal *journal
	plans   *planCache
	// variants are the plans of texts that only the secondary gets.
	variants *planCache
	mirror   Mirror
	// translates: the secondary gets changes of the schema in its own words.
	translates bool
	window     window
	catalog    atomic.Int64 // counts the DDL statements seen, to drop what is known of functions
	stats      counters

	// prepared is set once the pair has been checked and what was open has been looked at: before that no write runs.
	prepared  atomic.Bool
	away      atomic.Bool // the first attempt has failed: later connections do not wait for another
	prepareMu sync.Mutex
	proto     atomic.Pointer[protocol]
	pair      atomic.Pointer[uuid.UUID]
	slots     atomic.Int64      // under 2pc: how many transactions may be prepared at once
	writer    [2]engine.Marking // the sessions that hold the pair's writer lock; nil: none do; guarded by prepareMu

	openMu  sync.Mutex
	flights map[uuid.UUID]*flight      // of the entries that the resolver works on
	adopted []uuid.UUID                // what was open when the journal was opened; not changed later
	orphans []orphan                   // prepared transactions of others that the last sweep could not end
	swept   map[uuid.UUID]engine.State // those that sweeps have ended since Recover last told

	bg      context.Context // ends with the coordinator
	cancel  context.CancelFunc
	workers sync.WaitGroup
	wake    chan struct{} // to the resolver
	markers collector
	spares  spares

	resolving sync.Once // starts the resolver

	conns   atomic.Int64 // open connections
	crowded atomic.Bool  // it has been said that they are more than slots

	users int           // connectors and connections; guarded by coordinatorsMu
	gone  chan struct{} // closed when users has become 0 and the journal has been given back
}

// coordinators holds this process's, by journal directory.
var (
	coordinatorsMu sync.Mutex
	coordinators   = map[string]*coordinator{}
)

// acquire returns the coordinator of cfg's journal, and opens it if it is the first use.
func acquire(cfg *Config, sides [2]*side) (*coordinator, error) {
	coordinatorsMu.Lock()
	defer coordinatorsMu.Unlock()
	for co := coordinators[cfg.Journal]; co != nil && co.users == 0; co = coordinators[cfg.Journal] {
		coordinatorsMu.Unlock() // the databases that it still talks to may take their time
		<-co.gone
		coordinatorsMu.Lock()
	}
	if co := coordinators[cfg.Journal]; co != nil {
		if !samePair(co.cfg, cfg) {
			return nil, fmt.Errorf("dualsql: journal %s is in use in this process with another configuration (%s); give each pair a journal of its own, and all connectors of a pair one configuration",
				cfg.Journal, co.cfg.Redacted())
		}
		co.users++
		return co, nil
	}
	j, err := openJournal(cfg.Journal, cfg.JournalKey)
	if err != nil {
		return nil, err
	}
	co := &coordinator{cfg: cfg, sides: sides, mirror: mirrorOf(cfg.Mirror, sides), translates: translates(cfg.Mirror, sides), log: cfg.Logger, journal: j, users: 1,
		plans: newPlanCache(sides[engine.Primary].engine), variants: newPlanCache(sides[engine.Secondary].engine), flights: map[uuid.UUID]*flight{}, swept: map[uuid.UUID]engine.State{}, wake: make(chan struct{}, 1),
		gone: make(chan struct{})}
	if co.log == nil {
		co.log = slog.Default()
	}
	co.bg, co.cancel = context.WithCancel(context.Background())
	coordinators[cfg.Journal] = co
	co.adopt()
	return co, nil
}

// work starts the resolver, with the first connection or recovery. Until then an operator can forget a transaction that he
// has carried out by hand, before anybody carries it out again.
func (co *coordinator) work() { co.resolving.Do(func() { co.workers.Go(co.resolve) }) }

func samePair(a, b *Config) bool {
	return a.FormatDSN() == b.FormatDSN() && sameConnector(a.Primary.Connector, b.Primary.Connector) &&
		sameConnector(a.Secondary.Connector, b.Secondary.Connector)
}

// sameConnector takes connectors that cannot be compared, such as pgx's, for different ones.
func sameConnector(a, b driver.Connector) bool {
	return reflect.ValueOf(&a).Elem().Comparable() && a == b
}

// release gives a use back; the last one closes the journal.
func (co *coordinator) release() error {
	coordinatorsMu.Lock()
	co.users--
	last := co.users == 0
	coordinatorsMu.Unlock()
	if !last {
		return nil
	}
	defer close(co.gone)
	co.cancel()
	co.workers.Wait()
	co.prepareMu.Lock()
	defer co.prepareMu.Unlock()
	ctx, cancel := cleanupContext(context.Background())
	defer cancel()
	co.deleteMarkers(ctx, 1)
	co.spares.close()
	co.closeWriter()
	err := co.journal.close()
	coordinatorsMu.Lock()
	defer coordinatorsMu.Unlock()
	delete(coordinators, co.cfg.Journal)
	return err
}

// connOpened says, once, that the pool has grown beyond what the server lets prepare at once.
func (co *coordinator) connOpened() {
	n, slots := co.conns.Add(1), co.slots.Load()
	if slots > 0 && n == slots+1 && co.crowded.CompareAndSwap(false, true) {
		co.log.Warn("dualsql: there are more connections than slots for prepared transactions: commits may fail when all are at it at once; "+
			"raise max_prepared_transactions, or bound the pool with SetMaxOpenConns", "connections", n, "max_prepared_transactions", slots)
	}
}

func (co *coordinator) connClosed() {
	co.conns.Add(-1)
	if err := co.release(); err != nil {
		co.log.Error("dualsql: closing the journal", "error", err)
	}
}

// newConn makes a connection for the pool: to the primary at once, to the secondary when it is needed.
func (co *coordinator) newConn(ctx context.Context) (c *Conn, err error) {
	// The connection's own use comes first: the last one of others may end meanwhile.
	coordinatorsMu.Lock()
	if co.users == 0 {
		coordinatorsMu.Unlock()
		return nil, errors.New("dualsql: the connector is closed")
	}
	co.users++
	coordinatorsMu.Unlock()
	co.connOpened()
	defer func() {
		if err != nil {
			co.connClosed()
		}
	}()
	co.work()
	if err := co.firstLook(ctx); err != nil {
		return nil, err
	}
	p, err := co.sides[engine.Primary].connect(ctx)
	if err != nil {
		return nil, err
	}
	c = &Conn{co: co, primary: p}
	c.guard, _ = p.(engine.Guarding)
	return c, nil
}

// firstLook prepares the pair for the first connection. If a side is away it is left to the first write and to the
// resolver: reads go on.
func (co *coordinator) firstLook(ctx context.Context) error {
	if co.prepared.Load() || co.away.Load() {
		return nil
	}
	err := co.prepare(ctx)
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.error
	}
	if err != nil {
		co.away.Store(true)
		co.log.Warn("dualsql: writes have to wait", "error", err)
	}
	return nil
}

// protocol is known once the pair is prepared.
func (co *coordinator) protocol() protocol { return *co.proto.Load() }

func (co *coordinator) pairID() uuid.UUID {
	if id := co.pair.Load(); id != nil {
		return *id
	}
	return uuid.Nil
}

// newIntent makes the journal's record of a transaction, without its redo.
func (co *coordinator) newIntent(txid uuid.UUID, p Protocol) *intent {
	return &intent{txid: txid, protocol: p, pair: co.pairID(), sides: [2]string{co.sides[0].name, co.sides[1].name}, at: now()}
}

// admit lets a transaction's first write through: the pair is prepared, and nothing is open that it could overtake.
func (co *coordinator) admit(ctx context.Context) error {
	if err := co.prepare(ctx); err != nil {
		return err
	}
	return co.passGate(ctx)
}

// passGate waits until no transaction is stuck that a later one could overtake.
func (co *coordinator) passGate(ctx context.Context) error {
	if !co.prepared.Load() || !co.protocol().ordered() {
		return nil
	}
	for {
		f := co.window.stuck()
		if f == nil {
			return nil
		}
		timer := time.NewTimer(co.cfg.CommitTimeout)
		select {
		case <-f.left:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
			return co.held(f.txid)
		}
	}
}

func (co *coordinator) held(txid uuid.UUID) error {
	what := "is not settled"
	if e := co.journal.find(txid); e != nil {
		what = "is " + co.journal.state(e).String()
		if problem := co.journal.problemOf(e); problem != nil {
			what += ": " + problem.Error()
		}
	}
	return fmt.Errorf("dualsql: %w: %s %s; see `dualsql status`", ErrWritesHeld, txid, what)
}

// decided and ended write to the journal what a restart could find out by itself; that they fail changes no outcome, and
// the journal refuses the next intent.
func (co *coordinator) decided(e *entry) {
	if err := co.journal.decide(e); err != nil {
		co.log.Error("dualsql: journal", "txid", e.txid, "error", err)
	}
}

func (co *coordinator) ended(e *entry, o Outcome) {
	rotated, err := co.journal.end(e, o)
	if err != nil {
		co.log.Error("dualsql: journal", "txid", e.txid, "error", err)
	}
	if rotated {
		co.nudge() // the resolver prunes
	}
	if o == Committed {
		co.stats.committed.Add(1)
	}
}

// report keeps a transaction that has no end listed, and says so.
func (co *coordinator) report(e *entry, o Outcome, problem error) {
	co.tell(e, problem)
	co.log.Error("dualsql: transaction is "+o.String(), "txid", e.txid, "protocol", e.protocol, "error", problem)
	if o == HalfDone {
		co.stats.halfDone.Add(1)
	} else {
		co.stats.inDoubt.Add(1)
	}
}

func (co *coordinator) tell(e *entry, problem error) {
	if err := co.journal.tell(e, problem); err != nil {
		co.log.Error("dualsql: journal", "txid", e.txid, "error", err)
	}
}

// stuck hands a transaction to the resolver. It stays in the window, so that no other overtakes it.
func (co *coordinator) stuck(e *entry, f *flight, o Outcome, problem error) {
	co.report(e, o, problem)
	co.resolveLater(e, f)
}

// cleanUp hands a transaction to the resolver that is rolled back but for what is prepared of it.
func (co *coordinator) cleanUp(e *entry, f *flight, problem error) {
	co.tell(e, problem)
	co.log.Warn("dualsql: rolling back what is prepared has to wait", "txid", e.txid, "error", problem)
	co.resolveLater(e, f)
}

func (co *coordinator) resolveLater(e *entry, f *flight) {
	f.stick() // before anybody can find it and end it
	co.openMu.Lock()
	co.flights[e.txid] = f
	co.openMu.Unlock()
	co.nudge()
}

// flightOf returns the stuck transaction's place in the window; nil for all others.
func (co *coordinator) flightOf(txid uuid.UUID) *flight {
	co.openMu.Lock()
	defer co.openMu.Unlock()
	return co.flights[txid]
}

func (co *coordinator) stuckCount() int {
	co.openMu.Lock()
	defer co.openMu.Unlock()
	return len(co.flights)
}

// stuckUnder counts the stuck transactions of one protocol.
func (co *coordinator) stuckUnder(p Protocol) (n int) {
	co.openMu.Lock()
	defer co.openMu.Unlock()
	for txid := range co.flights {
		if e := co.journal.find(txid); e != nil && e.protocol == p {
			n++
		}
	}
	return n
}

func (co *coordinator) nudge() {
	select {
	case co.wake <- struct{}{}:
	default:
	}
}
