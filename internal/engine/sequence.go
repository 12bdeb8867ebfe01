package engine

import "context"

// Sequence is a generator of numbers, most often of a column's.
type Sequence struct {
	// Schema is empty for the session's default one, and for an engine that has none.
	Schema string
	// Table and Column are those whose numbers it makes. For a sequence that stands by itself Table is empty and Column its name;
	// Column is empty where an engine does not tell.
	Table, Column string
	// Name is how the engine's own statements call it.
	Name string
	// Next is the number that it gives next, and Step what it adds to it each time.
	Next, Step int64
}

// Sequenced is a session whose engine numbers rows by generators that do not look at the rows.
type Sequenced interface {
	Session
	// Sequences returns all that the role can see but dualsql's own.
	Sequences(ctx context.Context) ([]Sequence, error)
	// SetSequence makes the sequence of this Name give the number Next, or one soon behind it. It waits for nobody.
	SetSequence(ctx context.Context, s Sequence) error
}
