package dualsql

import (
	"context"
	"fmt"
	"strings"

	"github.com/dualsql/dualsql/internal/engine"
)

// SequenceState tells where a generator of numbers stands on both sides: a PostgreSQL sequence, a column with IDENTITY on SQL
// Server, one with AUTOINCREMENT on SQLite.
type SequenceState struct {
	Name      string `json:"name"`      // schema.table.column, without the default schema; schema.sequence if no column owns it
	Primary   int64  `json:"primary"`   // the number that comes next
	Secondary int64  `json:"secondary"` // the same on the other side; zero if Missing
	Behind    bool   `json:"behind"`    // the secondary would give numbers that are taken
	Missing   bool   `json:"missing"`   // the secondary has none
}

// Sequences compares the generators of numbers of both sides. The secondary's may stay behind as long as all writes go through
// dualsql; when the secondary is to take the primary's place they have to be level. A generic engine is an error. It needs no
// journal, and is safe for concurrent use.
func (c *Connector) Sequences(ctx context.Context) ([]SequenceState, error) {
	return c.sequences(ctx, false)
}

// LevelSequences brings the secondary's generators that are behind to where the primary's stand, and returns what was found
// before. Nothing is locked: numbers that the primary gives meanwhile are not seen, so let the application rest first.
func (c *Connector) LevelSequences(ctx context.Context) ([]SequenceState, error) {
	return c.sequences(ctx, true)
}

func (c *Connector) sequences(ctx context.Context, level bool) (list []SequenceState, err error) {
	err = c.withSessions(ctx, func(s [2]engine.Session) (err error) {
		list, err = sequencesOf(ctx, c.sides, s, level)
		return err
	})
	return list, err
}

func sequencesOf(ctx context.Context, sides [2]*side, sessions [2]engine.Session, level bool) ([]SequenceState, error) {
	var sequenced [2]engine.Sequenced
	var found [2][]engine.Sequence
	for role, side := range sides {
		var ok bool
		if sequenced[role], ok = sessions[role].(engine.Sequenced); !ok {
			return nil, fmt.Errorf("dualsql: %s: dualsql knows nothing of the %s engine's sequences", side.role, side.engine.Name())
		}
		var err error
		if found[role], err = sequenced[role].Sequences(ctx); err != nil {
			return nil, &SideError{Side: side.role.String(), Op: "read the sequences", Err: err}
		}
	}
	list := []SequenceState{}
	for _, p := range matchSequences(found, sides[0].engine != sides[1].engine) {
		list = append(list, p.SequenceState)
		if !level || !p.behind() { // it may be the counterpart of another one too, and level by now
			continue
		}
		p.there.Next = p.Primary
		if err := sequenced[engine.Secondary].SetSequence(ctx, *p.there); err != nil {
			return list, &SideError{Side: "secondary", Op: "set the sequence of " + p.Name, Err: err}
		}
	}
	return list, nil
}

type sequencePair struct {
	SequenceState
	step  int64
	there *engine.Sequence // the secondary's; nil: it has none
}

// behind is Behind as things are now.
func (p *sequencePair) behind() bool {
	return p.there != nil && (p.step > 0 && p.there.Next < p.Primary || p.step < 0 && p.there.Next > p.Primary)
}

// matchSequences finds the secondary's counterpart of each of the primary's. fold: names are equal whatever their case.
func matchSequences(found [2][]engine.Sequence, fold bool) []sequencePair {
	same := func(a, b string) bool { return a == b || fold && strings.EqualFold(a, b) }
	var list []sequencePair
	for _, q := range found[engine.Primary] {
		p := sequencePair{SequenceState: SequenceState{Name: sequenceName(q), Primary: q.Next, Missing: true}, step: q.Step}
		for i := range found[engine.Secondary] {
			s := &found[engine.Secondary][i]
			if same(q.Schema, s.Schema) && same(q.Table, s.Table) && (same(q.Column, s.Column) || q.Column == "" || s.Column == "") {
				p.there, p.Missing, p.Secondary = s, false, s.Next
				p.Behind = p.behind()
				break
			}
		}
		list = append(list, p)
	}
	return list
}

func sequenceName(q engine.Sequence) string {
	var parts []string
	for _, part := range []string{q.Schema, q.Table, q.Column} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ".")
}
