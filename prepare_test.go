package dualsql

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// claimable is as much of a side as claimPair asks for.
type claimable struct {
	engine.Marking
	name   string
	row    *engine.PairRow
	looked func() // is called behind a look at the row
}

func (c *claimable) Identity(context.Context) (string, error) { return c.name, nil }
func (c *claimable) Init(context.Context) error               { return nil }

func (c *claimable) Pair(context.Context) (engine.PairRow, error) {
	row := *c.row
	c.looked()
	return row, nil
}

func (c *claimable) ClaimPair(_ context.Context, row engine.PairRow) (engine.PairRow, error) {
	if c.row.Pair == uuid.Nil {
		*c.row = row
	}
	return *c.row, nil
}

// TestClaimedMeanwhile: two processes meet at the pair's first use. One of them makes it a pair while the other has looked at one side.
func TestClaimedMeanwhile(t *testing.T) {
	ctx := t.Context()
	var rows [2]engine.PairRow
	sides := func(looked func()) (p, s *claimable) {
		return &claimable{name: "a", row: &rows[0], looked: looked}, &claimable{name: "b", row: &rows[1], looked: looked}
	}
	var theirs uuid.UUID
	p, s := sides(func() {
		if theirs != uuid.Nil {
			return
		}
		p, s := sides(func() {})
		var err error
		if theirs, err = claimPair(ctx, p, s); err != nil {
			t.Fatal(err)
		}
	})
	ours, err := claimPair(ctx, p, s)
	if err != nil || ours != theirs || theirs == uuid.Nil {
		t.Errorf("this process has pair %v, %v; the other has %v", ours, err, theirs)
	}
}
