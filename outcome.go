package dualsql

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Outcome is how a transaction ended, or where it stands.
type Outcome byte

// The outcomes. The zero Outcome means that nothing is known.
const (
	Committed  Outcome = 'C' // on both sides
	RolledBack Outcome = 'R' // on both sides
	InDoubt    Outcome = '?' // nobody knows yet
	HalfDone   Outcome = 'H' // committed on one side, not yet on the other
	// Forgotten transactions were taken off the list by an operator, who made the sides equal by hand.
	Forgotten Outcome = 'F'
)

func (o Outcome) String() string {
	switch o {
	case Committed:
		return "committed"
	case RolledBack:
		return "rolled back"
	case InDoubt:
		return "in doubt"
	case HalfDone:
		return "half done"
	case Forgotten:
		return "forgotten"
	}
	return "unknown"
}

// MarshalText makes JSON say the outcome in words.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText has written.
func (o *Outcome) UnmarshalText(text []byte) error {
	for _, known := range []Outcome{0, Committed, RolledBack, InDoubt, HalfDone, Forgotten} {
		if known.String() == string(text) {
			*o = known
			return nil
		}
	}
	return fmt.Errorf("dualsql: unknown outcome %q", text)
}

// PendingTx is a transaction that has not ended on both sides.
type PendingTx struct {
	TxID       uuid.UUID `json:"txid"`
	State      Outcome   `json:"state"` // InDoubt or HalfDone
	Protocol   Protocol  `json:"protocol"`
	Since      time.Time `json:"since"`
	Sides      [2]string `json:"sides"`      // primary and secondary, without passwords
	Statements []string  `json:"statements"` // the texts, without arguments
	Problem    string    `json:"problem"`    // why it could not be ended; empty while it is on its way
}
