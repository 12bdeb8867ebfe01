package dualsql

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/wal"
)

// JournalRecord is one record of a journal, as [ReadJournal] shows it.
type JournalRecord struct {
	Segment uint64    `json:"segment"`
	TxID    uuid.UUID `json:"txid"`
	// Kind is "intent", "decided" (the side that decides has committed), "told" (the caller was told that it is in doubt or half
	// done) or "end".
	Kind       string             `json:"kind"`
	Outcome    Outcome            `json:"outcome,omitempty"` // of an end
	At         time.Time          `json:"at,omitzero"`       // of an intent; likewise what follows
	Protocol   Protocol           `json:"protocol,omitempty"`
	Pair       uuid.UUID          `json:"pair,omitzero"`
	Sides      [2]string          `json:"sides,omitzero"`
	Statements []JournalStatement `json:"statements,omitempty"`
	Sealed     bool               `json:"sealed,omitempty"` // the statements are encrypted and the key was not given
}

// JournalStatement is one statement of an intent, as the secondary gets it.
type JournalStatement struct {
	Text string `json:"text"`
	Args []any  `json:"args"`
	Rows int64  `json:"rows"` // that it must affect or return; -1: not compared
}

// JournalInfo tells of a journal's files.
type JournalInfo struct {
	ID       uuid.UUID `json:"id"`
	Segments int       `json:"segments"`
	Bytes    int64     `json:"bytes"`
}

// ReadJournal calls fn with each record of the journal in dir, oldest first. It changes nothing and needs no lock, so it
// may run beside the process that holds the journal. Without the key, statements of an encrypted journal are left out; with
// a wrong one it fails. fn's first error ends it and is returned.
func ReadJournal(dir string, key []byte, fn func(JournalRecord) error) (JournalInfo, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return JournalInfo{}, err
	}
	j := &journal{aead: aead}
	info, err := wal.Scan(dir, func(segment uint64, r wal.Record) error {
		rec := JournalRecord{Segment: segment, TxID: r.TxID, Kind: "unknown"}
		switch r.Type {
		case recordIntent:
			rec.Kind = "intent"
			in, err := j.decode(r.TxID, r.Payload)
			if rec.Sealed = errors.Is(err, errNoKey); err != nil && !rec.Sealed {
				return err
			}
			rec.At, rec.Protocol, rec.Pair, rec.Sides = in.at, in.protocol, in.pair, in.sides
			for _, s := range in.redo {
				st := JournalStatement{Text: s.text, Rows: s.rows, Args: []any{}}
				for _, a := range s.args {
					st.Args = append(st.Args, a.Value)
				}
				rec.Statements = append(rec.Statements, st)
			}
		case recordDecided:
			rec.Kind = "decided"
		case recordTold:
			rec.Kind = "told"
		case recordEnd:
			rec.Kind = "end"
			if len(r.Payload) == 1 {
				rec.Outcome = Outcome(r.Payload[0])
			}
		}
		return fn(rec)
	})
	return JournalInfo{ID: info.ID, Segments: info.Segments, Bytes: info.Bytes}, err
}
