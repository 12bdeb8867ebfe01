package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// pgStale is how the server's error of pgCheckSeen begins behind its own words.
const pgStale = "dualsql stale: "

// What was seen is compared by statements that fail, where it is something else now, with a text that is no number: it is in the
// error in every language.
var (
	pgCheckTable = "select (" + Literal(pgStale) + " || case when stamp <> $2 then relname else '' end)::int4 " +
		"from (select k.relname, " + pgStamp + " as stamp from pg_catalog.pg_class k where k.oid = $1 offset 0) s " + // offset: it is there once
		"where stamp <> $2 or $3 and pg_catalog.current_setting('transaction_isolation') in ('repeatable read', 'serializable')"
	pgCheckFunctions = "select (" + Literal(pgStale) + " || 'a function, ' || coalesce(s.n, 0))::int4 from (select sum(p.xmin::text::int8) as n from pg_catalog.pg_proc p " +
		"where p.proname = any($1::text[])) s where s.n is distinct from $2"
)

// checkSeen returns what goes in front of the end of a transaction that relies on what was seen: statements with a semicolon behind
// each. answeredSeen must be called when the text has run.
func (s *pgSession) checkSeen(seen []Seen, live bool) string {
	if len(seen) == 0 {
		return ""
	}
	var b strings.Builder
	if s.keeps {
		b.WriteString(s.check.define("oid, text, bool", pgCheckTable))
	}
	for _, one := range seen {
		args := []string{fmt.Sprint(one.Table), Literal(one.Stamp), strconv.FormatBool(live)}
		if s.keeps {
			b.WriteString(s.check.execute(args...) + "; ")
		} else {
			b.WriteString(withArgs(pgCheckTable, args...))
		}
		if one.Functions != "" {
			b.WriteString(withArgs(pgCheckFunctions, Literal(one.Functions), fmt.Sprint(one.FunctionStamp)))
		}
	}
	return b.String()
}

// withArgs puts the arguments in at once: one may hold what looks like the place of another.
func withArgs(text string, args ...string) string {
	var places []string
	for i, a := range args {
		places = append(places, fmt.Sprintf("$%d", i+1), a)
	}
	return strings.NewReplacer(places...).Replace(text) + "; "
}

// answeredSeen returns ErrStale or ErrSnapshot if err is of checkSeen's making, and else err.
func (s *pgSession) answeredSeen(seen []Seen, err error) error {
	if len(seen) == 0 {
		return err
	}
	s.check.answered(err)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "22P02" {
		if _, table, ok := strings.Cut(pe.Message, pgStale); ok {
			if table = strings.Trim(table, `"`); table == "" {
				return ErrSnapshot
			}
			return fmt.Errorf("%s: %w", table, ErrStale)
		}
	}
	return err
}

// Expect implements [Cataloged].
func (s *pgSession) Expect(seen []Seen, live bool) { s.seen, s.live = seen, live }

// takeSeen: the transaction ends.
func (s *pgSession) takeSeen() []Seen {
	seen := s.seen
	s.seen = nil
	return seen
}

// Verify implements [Cataloged].
func (s *pgSession) Verify(ctx context.Context, seen []Seen, live bool) error {
	if len(seen) == 0 {
		return nil
	}
	_, err := s.simple(ctx, s.checkSeen(seen, live))
	return s.answeredSeen(seen, err)
}
