package dualsql

import (
	"slices"

	"github.com/google/uuid"
)

// OpenIntent is an intent of a journal without an end.
type OpenIntent struct {
	JournalRecord      // the intent itself
	Decided       bool // the side that decides has committed
	Told          bool // a caller was told that it is in doubt or half done, or a start has found it
}

// OpenIntents reads the journal in dir, as [ReadJournal] does, and returns the intents without an end, oldest first. If a
// process holds the journal, those that nobody was told of are commits under way; if none does, a crash has cut them.
func OpenIntents(dir string, key []byte) ([]OpenIntent, JournalInfo, error) {
	open := map[uuid.UUID]*OpenIntent{}
	info, err := ReadJournal(dir, key, func(r JournalRecord) error {
		o := open[r.TxID]
		switch {
		case r.Kind == "intent":
			open[r.TxID] = &OpenIntent{JournalRecord: r}
		case o == nil:
		case r.Kind == "decided":
			o.Decided = true
		case r.Kind == "told":
			o.Told = true
		case r.Kind == "end":
			delete(open, r.TxID)
		}
		return nil
	})
	if err != nil {
		return nil, info, err
	}
	list := make([]OpenIntent, 0, len(open))
	for _, o := range open {
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b OpenIntent) int { return byAge(a.TxID, b.TxID) })
	return list, info, nil
}
