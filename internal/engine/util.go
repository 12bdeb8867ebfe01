package engine

import (
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

// Literal writes a string for the texts of all engines; PostgreSQL's standard_conforming_strings is on.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func containsFold(s, sub string) bool { return strings.Contains(strings.ToLower(s), sub) }
