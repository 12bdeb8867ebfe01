package engine

import (
	"context"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestPostgresOutcomeUnknown is what can be told of a COMMIT that an error came back for (PostgreSQL manual, appendix A).
func TestPostgresOutcomeUnknown(t *testing.T) {
	said := func(severity, code string) error {
		return fmt.Errorf("commit: %w", &pgconn.PgError{SeverityUnlocalized: severity, Code: code})
	}
	for _, c := range []struct {
		name    string
		err     error
		unknown bool
	}{
		{"serialization failure", said("ERROR", "40001"), false},
		{"deadlock", said("ERROR", "40P01"), false},
		{"deferred foreign key", said("ERROR", "23503"), false},
		{"the fence's marker is there", said("ERROR", "23505"), false},
		{"cancelled by request", said("ERROR", "57014"), false}, // a wait for a synchronous standby ends with a warning only
		{"statement completion unknown", said("ERROR", "40003"), true},
		{"connection failure", said("ERROR", "08006"), true},
		{"protocol violation", said("ERROR", "08P01"), true},
		{"terminated by an administrator", said("FATAL", "57P01"), true},
		{"crash of another backend", said("FATAL", "57P02"), true},
		{"idle in transaction", said("FATAL", "25P03"), true},
		{"panic", said("PANIC", "XX000"), true},
		{"severity is missing", said("", "23505"), true},
		{"end of the connection", io.ErrUnexpectedEOF, true},
		{"reset", syscall.ECONNRESET, true},
		{"time-out", context.DeadlineExceeded, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := pgOutcomeUnknown(c.err); got != c.unknown {
				t.Errorf("unknown = %v, want %v", got, c.unknown)
			}
		})
	}
}
