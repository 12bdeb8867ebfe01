package demo

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// Phase is what one half of the demo has found: the hand-written code's, or dualsql's.
type Phase struct {
	Kills        int                `json:"kills"`
	Acknowledged int                `json:"acknowledged"`
	RolledBack   int                `json:"rolled_back"` // that the working process told of
	Torn         int                `json:"torn"`        // at the end: transactions that are on one side only
	Tables       []sides.Difference `json:"tables"`
	Recovery     *Recovery          `json:"recovery,omitempty"` // of dualsql's half
	Checks       []sides.Check      `json:"checks,omitempty"`   // likewise
}

// Recovery is what the kills have left and what became of it.
type Recovery struct {
	KillsTorn       int `json:"kills_torn"`        // right after which a transaction was on one side only
	KillsOpen       int `json:"kills_open"`        // right after which the journal had an open transaction that it had not had before
	KillsInRecovery int `json:"kills_in_recovery"` // that hit a process which had not yet recovered from the kill before
	Torn            int `json:"torn"`              // transactions that a kill left on one side only
	Open            int `json:"open"`              // transactions that a kill left open in the journal
	Finished        int `json:"finished"`          // of the open ones: brought to the other side, or found to be there
	RolledBack      int `json:"rolled_back"`       // of the open ones
	Pending         int `json:"pending"`           // open at the end
}

// lastWork is how long the last working process, which is not killed, works after it has recovered.
const lastWork = 300 * time.Millisecond

// killing is one half of the demo at work.
type killing struct {
	*show
	job     job
	sides   [2]*sql.DB
	journal string // empty: hand-written
	told    told
	kills   int
	phase   Phase
	open    map[uuid.UUID]bool // every transaction that was found open
}

// run kills the working process again and again and lets the last one end in good order. The moments come from the seed
// alone, so that both halves are killed by the same plan.
func (k *killing) run(ctx context.Context) error {
	plan := rand.New(rand.NewPCG(k.opts.Seed, 0))
	span := k.opts.Duration / time.Duration(k.opts.Kills) // there are two halves, and a run takes half of the span on average
	k.told = told{map[string]bool{}, map[string]bool{}}
	k.open = map[uuid.UUID]bool{}
	if k.journal != "" {
		k.phase.Recovery = &Recovery{}
	}
	for k.kills = range k.opts.Kills {
		k.job.Run = k.kills + 1
		l, err := live(ctx, k.job, time.Duration(plan.Int64N(int64(span)+1)), &k.told, k.progress)
		if err != nil {
			return err
		}
		if err := k.examine(ctx, l); err != nil {
			return err
		}
	}
	k.kills = k.opts.Kills
	if k.journal != "" {
		k.job.Run = k.kills + 1
		if _, err := live(ctx, k.job, -lastWork, &k.told, k.progress); err != nil {
			return err
		}
		if err := k.settle(); err != nil {
			return err
		}
	}
	k.phase.Kills, k.phase.Acknowledged, k.phase.RolledBack = k.kills, len(k.told.committed), len(k.told.rolledBack)
	return k.result(ctx)
}

// examine looks at what a kill has left, before anybody recovers it.
func (k *killing) examine(ctx context.Context, l life) error {
	r := k.phase.Recovery
	if r == nil {
		return nil
	}
	if !l.ready {
		r.KillsInRecovery++
	}
	n, err := torn(ctx, k.sides, firstID(k.job.Run))
	if err != nil {
		return err
	}
	if r.Torn += n; n > 0 {
		r.KillsTorn++
	}
	list, _, err := dualsql.OpenIntents(k.journal, nil)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	before := len(k.open)
	for _, o := range list {
		k.open[o.TxID] = true
	}
	if len(k.open) > before {
		r.KillsOpen++
	}
	return nil
}

// settle reads from the journal what became of every transaction that was found open.
func (k *killing) settle() error {
	r := k.phase.Recovery
	r.Open = len(k.open)
	outcomes := map[uuid.UUID]dualsql.Outcome{}
	_, err := dualsql.ReadJournal(k.journal, nil, func(rec dualsql.JournalRecord) error {
		if rec.Kind == "end" {
			outcomes[rec.TxID] = rec.Outcome
		}
		return nil
	})
	if err != nil {
		return err
	}
	for txid := range k.open {
		switch outcomes[txid] {
		case dualsql.Committed:
			r.Finished++
		case dualsql.RolledBack:
			r.RolledBack++
		}
	}
	list, _, err := dualsql.OpenIntents(k.journal, nil)
	r.Pending = len(list)
	return err
}

// result compares the sides.
func (k *killing) result(ctx context.Context) (err error) {
	if k.phase.Tables, err = sides.Compare(ctx, k.sides[0], k.sides[1], comparable()); err != nil {
		return err
	}
	if k.phase.Torn, err = torn(ctx, k.sides, 0); err != nil || k.journal == "" {
		return err
	}
	k.phase.Checks, err = verify(ctx, k.sides, &k.told)
	return err
}

// equal reports whether the sides are the same and all holds.
func (p *Phase) equal() bool {
	for _, d := range p.Tables {
		if !d.Equal() {
			return false
		}
	}
	for _, c := range p.Checks {
		if !c.OK {
			return false
		}
	}
	return p.Recovery == nil || p.Recovery.Pending == 0
}
