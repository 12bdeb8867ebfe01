package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
)

// quoteIDs lists UUIDs as SQL string literals.
func quoteIDs(ids []uuid.UUID) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("'" + id.String() + "'")
	}
	return b.String()
}

// fenced returns the state that a fence has found or left. It is never zero: nothing follows from no answer.
func fenced(ctx context.Context, s Marking, m Marker) (State, error) {
	state, err := s.MarkerState(ctx, m.TxID)
	if err == nil && state != Committed && state != Aborted {
		err = errors.New("the transaction's marker, which has just been written, is not there: somebody deletes dualsql's markers")
	}
	return state, err
}

// Literal writes a string for the texts of all engines; PostgreSQL's standard_conforming_strings is on.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func containsFold(s, sub string) bool { return strings.Contains(strings.ToLower(s), sub) }
