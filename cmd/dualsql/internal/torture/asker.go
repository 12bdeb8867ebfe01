package torture

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
)

// asker holds the transactions whose end is still to be asked for. It is safe for concurrent use.
type asker struct {
	mu   sync.Mutex
	open []uuid.UUID
}

func newAsker(texts []string) (*asker, error) {
	a := &asker{}
	for _, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, err
		}
		a.open = append(a.open, id)
	}
	return a, nil
}

func (a *asker) add(txid uuid.UUID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = append(a.open, txid)
}

func (a *asker) list() []uuid.UUID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.open)
}

func (a *asker) remove(txid uuid.UUID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = slices.DeleteFunc(a.open, func(id uuid.UUID) bool { return id == txid })
}

const (
	askEvery = 200 * time.Millisecond
	askLimit = 5 * time.Second  // for one answer
	lastAsks = 30 * time.Second // after the work is done
)

// ask asks Connector.Outcome for everything that callers were not told the end of, as their program would.
func (w *worker) ask(served <-chan struct{}) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	var limit <-chan time.Time
	for {
		list := w.asker.list()
		if len(list) == 0 && served == nil {
			return
		}
		for _, txid := range list {
			ctx, cancel := context.WithTimeout(context.Background(), askLimit)
			o, err := w.connector.Outcome(ctx, txid)
			cancel()
			if err != nil {
				break // a server is away; what the journal does not know, it is asked for again at the end
			}
			w.Say(sayAnswer, txid.String(), string(rune(o)))
			if o == dualsql.Committed || o == dualsql.RolledBack {
				w.asker.remove(txid)
			}
		}
		select {
		case <-served:
			served, limit = nil, time.After(lastAsks)
		case <-limit:
			return
		case <-tick.C:
		}
	}
}
