package torture

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"
)

// keep writes the ledger beside the journals and logs: what every caller was told, in the order in which each process has
// told it.
func (t *torture) keep() (err error) {
	file, err := os.Create(filepath.Join(t.dir, "ledger"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriter(file)
	t.ledger.mu.Lock()
	defer t.ledger.mu.Unlock()
	txids := t.txids()
	for n, life := range t.lives {
		fmt.Fprintf(out, "process run %d: process %d, after %d deletions of its journal\n", n+1, life.journal.process+1, life.journal.deletions)
		var vals []int64
		for w := range life.workers {
			for i := range life.workers[w] {
				vals = append(vals, value(n+1, w, i+1))
			}
		}
		slices.SortFunc(vals, func(a, b int64) int { return int(t.entry(a).tried) - int(t.entry(b).tried) })
		for _, val := range vals {
			e := t.entry(val)
			_, w, i := split(val)
			fmt.Fprintf(out, "%d: worker %d transaction %d, tried in line %d, told in line %d: %s %s", val, w, i, e.tried, e.told, e.said, t.whys[e.why])
			if q := t.queries[txids[val]]; q != nil {
				fmt.Fprintf(out, "; %s, answers %v, journal deleted %v", q.txid, q.answers, q.lost)
			}
			fmt.Fprintln(out)
		}
	}
	return out.Flush()
}

// txids names, by their values, the transactions that were told to be in doubt or half done, as logs do.
func (l *ledger) txids() map[int64]uuid.UUID {
	ids := map[int64]uuid.UUID{}
	for id, q := range l.queries {
		ids[q.val] = id
	}
	return ids
}
