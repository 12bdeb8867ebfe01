package dualsql

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/wal"
)

// replay fills a journal from its log. Nearly all intents have ended: only those that are open at the end are decoded.
type replay struct {
	journal *journal
	open    map[uuid.UUID]*replayed
	free    []*replayed // ended, for the next intents
}

// replayed is an intent that has no end yet.
type replayed struct {
	entry
	payload []byte
}

func (r *replay) record(segment uint64, record wal.Record) error {
	r.journal.newest = segment
	txid := uuid.UUID(record.TxID)
	e := r.open[txid]
	switch record.Type {
	case recordIntent:
		if e == nil {
			e = r.fresh()
			r.open[txid] = e
		}
		e.segment = segment // of the newest copy
		e.payload = append(e.payload[:0], record.Payload...)
	case recordDecided:
		if e != nil {
			e.decided = true
		}
	case recordTold:
		if e != nil {
			e.told = true
		}
	case recordEnd:
		if len(record.Payload) != 1 {
			return fmt.Errorf("transaction %s has a malformed end", txid)
		}
		// An end without its intent was carried over from a segment that is gone.
		if e == nil || e.told {
			r.journal.remember(txid, Outcome(record.Payload[0]), segment)
		}
		if e != nil {
			delete(r.open, txid)
			r.free = append(r.free, e)
		}
	default:
		return fmt.Errorf("unknown record type %q: written by a newer version", record.Type)
	}
	return nil
}

func (r *replay) fresh() *replayed {
	n := len(r.free)
	if n == 0 {
		return &replayed{}
	}
	e := r.free[n-1]
	r.free = r.free[:n-1]
	e.entry = entry{}
	return e
}

func (r *replay) finish() error {
	for txid, e := range r.open {
		in, err := r.journal.decode(txid, e.payload)
		if err != nil {
			return err
		}
		r.journal.open[txid] = &entry{intent: in, segment: e.segment, decided: e.decided, told: e.told}
	}
	return nil
}
