package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// pgStale is how the server's error of pgCheckSeen begins behind its own words.
const pgStale = "dualsql stale: "

// pgCheckSeen fails where the table's stamp or the functions' is another than $3: with a text that is no number, which is in the
// error in every language.
var pgCheckSeen = `select (` + Literal(pgStale) + ` || c.relname)::int4 from pg_catalog.pg_class c where c.oid = $1 and concat(` + TableStamp("c.oid") + `, (
	select sum(p.xmin::text::int8) from pg_catalog.pg_proc p where p.proname = any($2::text[]))) is distinct from $3`

// checkSeen returns what goes in front of the end of a transaction that relies on what was seen: statements with a semicolon behind
// each. answeredSeen must be called when the text has run.
func (s *pgSession) checkSeen(seen []Seen) string {
	if len(seen) == 0 {
		return ""
	}
	var b strings.Builder
	if s.keeps {
		b.WriteString(s.check.define("oid, text[], text", pgCheckSeen))
	}
	for _, one := range seen {
		args := []string{fmt.Sprint(one.Table), Literal(one.Functions), Literal(one.Stamp)}
		if s.keeps {
			b.WriteString(s.check.execute(args...))
		} else {
			b.WriteString(strings.NewReplacer("$1", args[0], "$2", args[1], "$3", args[2]).Replace(pgCheckSeen))
		}
		b.WriteString("; ")
	}
	return b.String()
}

// answeredSeen returns ErrStale if err is of checkSeen's making, and else err.
func (s *pgSession) answeredSeen(seen []Seen, err error) error {
	if len(seen) == 0 {
		return err
	}
	s.check.answered(err)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "22P02" {
		if _, table, ok := strings.Cut(pe.Message, pgStale); ok {
			return fmt.Errorf("table %s: %w", strings.Trim(table, `"`), ErrStale)
		}
	}
	return err
}

// Expect implements [Cataloged].
func (s *pgSession) Expect(seen []Seen) { s.seen = seen }

// takeSeen: the transaction ends.
func (s *pgSession) takeSeen() []Seen {
	seen := s.seen
	s.seen = nil
	return seen
}

// Verify implements [Cataloged].
func (s *pgSession) Verify(ctx context.Context, seen []Seen) error {
	if len(seen) == 0 {
		return nil
	}
	_, err := s.simple(ctx, s.checkSeen(seen))
	return s.answeredSeen(seen, err)
}
