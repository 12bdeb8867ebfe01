package torture

import (
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
)

// ledger is what the working processes have said of their transactions: what a customer would have been told. It outlives
// them. Safe for concurrent use.
type ledger struct {
	mu      sync.Mutex
	lives   []*life // life n is lives[n-1]
	queries map[uuid.UUID]*query
	whys    []string // the distinct texts of errors
	index   map[string]uint16
	total   Sum
}

// Sum counts transactions by what was told of them.
type Sum struct {
	Tried      int `json:"tried"`
	Committed  int `json:"committed"`
	RolledBack int `json:"rolled_back"`
	InDoubt    int `json:"in_doubt"`
	HalfDone   int `json:"half_done"`
	Untold     int `json:"untold"` // the process was killed before it could tell
}

// life is what one working process has said, from its start to its end.
type life struct {
	journal  journalID
	lines    uint32    // heard so far
	worked   uint32    // the number of the line that announced the newest transaction that is known to be committed
	workers  [][]entry // by worker, then by the number in the value
	recovers int       // transactions that it has ended and had not begun, or not been able to end
}

// entry is one transaction.
type entry struct {
	tried uint32          // the number of the line that announced it, within its life
	told  uint32          // the number of the line that told how it ended; 0: the process died before
	said  dualsql.Outcome // how it ended, as the caller was told
	why   uint16          // an error's text
	found [2]uint8        // how often its value is in the database; set by verify
}

// journalID names a journal directory's content: what has been deleted is not the same journal any more.
type journalID struct{ process, deletions int }

// query is a transaction that was told to be in doubt or half done, and what Connector.Outcome has said of it since.
type query struct {
	val     int64
	txid    uuid.UUID
	journal journalID
	said    dualsql.Outcome
	answers []dualsql.Outcome // the different ones
	lost    bool              // its journal was deleted: nobody can answer any more
}

func newLedger() *ledger {
	return &ledger{queries: map[uuid.UUID]*query{}, index: map[string]uint16{"": 0}, whys: []string{""}}
}

// A value is unique for ever: the life (from 1), the worker, and the number of the transaction (from 1).
const (
	workerBits = 8
	numberBits = 28
	maxWorkers = 1 << workerBits
)

func value(life, worker, number int) int64 {
	return int64(life)<<(workerBits+numberBits) | int64(worker)<<numberBits | int64(number)
}

func split(val int64) (life, worker, number int) {
	return int(val >> (workerBits + numberBits)), int(val>>numberBits) & (maxWorkers - 1), int(val & (1<<numberBits - 1))
}

// name is a value for people.
func name(val int64) string {
	l, w, n := split(val)
	return fmt.Sprintf("%d (transaction %d of worker %d, process run %d)", val, n, w, l)
}

// begin opens the account of a new working process and returns its number.
func (l *ledger) begin(j journalID) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lives = append(l.lives, &life{journal: j})
	return len(l.lives)
}

// entry returns what is known of a value, or nil.
func (l *ledger) entry(val int64) *entry {
	n, w, i := split(val)
	if val <= 0 || n < 1 || n > len(l.lives) {
		return nil
	}
	workers := l.lives[n-1].workers
	if w >= len(workers) || i < 1 || i > len(workers[w]) {
		return nil
	}
	return &workers[w][i-1]
}

func (l *ledger) why(text string) uint16 {
	i, ok := l.index[text]
	if !ok && len(l.whys) < 1<<16-1 {
		i = uint16(len(l.whys))
		l.whys = append(l.whys, text)
		l.index[text] = i
	}
	return i
}

// deleted notes that a journal is gone, with the answers that it had.
func (l *ledger) deleted(j journalID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range l.queries {
		if q.journal == j {
			q.lost = true
		}
	}
}

// open returns the transactions of a journal that nobody has told the end of yet.
func (l *ledger) open(j journalID) (list []uuid.UUID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range l.queries {
		if q.journal == j && !q.answered() {
			list = append(list, q.txid)
		}
	}
	return list
}

func (q *query) answered() bool {
	for _, o := range q.answers {
		if o == dualsql.Committed || o == dualsql.RolledBack {
			return true
		}
	}
	return false
}

func (l *ledger) recovered() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, life := range l.lives {
		n += life.recovers
	}
	return n
}

func (l *ledger) sum() Sum {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.total
	s.Untold = s.Tried - s.Committed - s.RolledBack - s.InDoubt - s.HalfDone
	return s
}

// lines returns how many lines have been heard of a life, and the number of the line that announced the newest transaction
// that it has seen committed.
func (l *ledger) lines(n int) (heard, worked uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lives[n-1].lines, l.lives[n-1].worked
}

// Cause is why transactions were rolled back: an error's text without what is different each time.
type Cause struct {
	Text  string `json:"text"`
	Count int    `json:"count"`
}

// causes are the most frequent ones.
func (l *ledger) causes() []Cause {
	const most = 10
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Cause, len(l.whys))
	for i, text := range l.whys {
		list[i].Text = text
	}
	for _, life := range l.lives {
		for _, entries := range life.workers {
			for _, e := range entries {
				if e.said == dualsql.RolledBack {
					list[e.why].Count++
				}
			}
		}
	}
	list = slices.DeleteFunc(list, func(c Cause) bool { return c.Count == 0 })
	slices.SortFunc(list, func(a, b Cause) int { return b.Count - a.Count })
	return list[:min(len(list), most)]
}
