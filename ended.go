package dualsql

import (
	"container/heap"
	"slices"

	"github.com/google/uuid"
)

// maxOutcomes is how many ends of transactions that were in doubt or half done stay known: the newest.
const maxOutcomes = 10_000

type ended struct {
	outcome Outcome
	segment uint64
}

func (j *journal) remember(txid uuid.UUID, o Outcome, segment uint64) {
	if _, ok := j.outcomes[txid]; !ok {
		heap.Push(&j.ages, txid)
	}
	j.outcomes[txid] = ended{o, segment}
	if len(j.outcomes) > maxOutcomes {
		delete(j.outcomes, heap.Pop(&j.ages).(uuid.UUID))
	}
}

// byAge compares transactions, the oldest first: TxIDs are ordered by time.
func byAge(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }

// ages is a heap with the oldest transaction on top.
type ages []uuid.UUID

func (a ages) Len() int           { return len(a) }
func (a ages) Less(i, k int) bool { return byAge(a[i], a[k]) < 0 }
func (a ages) Swap(i, k int)      { a[i], a[k] = a[k], a[i] }
func (a *ages) Push(txid any)     { *a = append(*a, txid.(uuid.UUID)) }

func (a *ages) Pop() any {
	last := len(*a) - 1
	txid := (*a)[last]
	*a = (*a)[:last]
	return txid
}

func (j *journal) outcome(txid uuid.UUID) (Outcome, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.outcomes[txid]
	return e.outcome, ok
}
