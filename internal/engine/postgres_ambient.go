package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dualsql/dualsql/internal/sqltext"
)

// pgAmbient are the settings on which it depends what a text means (PostgreSQL manual, chapter 20). The server, the database and the
// role can each have their own. Locales are not among them: the other side need not know one of that name.
var pgAmbient = []string{"timezone", "datestyle", "intervalstyle", "search_path", "bytea_output", "array_nulls", "standard_conforming_strings",
	"backslash_quote", "default_text_search_config", "extra_float_digits", "xmlbinary", "xmloption", "transform_null_equals", "default_transaction_isolation"}

// pgAmbientQuery returns their names and values.
var pgAmbientQuery = "select n, pg_catalog.current_setting(n) from pg_catalog.unnest('{" + strings.Join(pgAmbient, ",") + "}'::text[]) n"

// Ambient implements [Ambient].
func (s *pgSession) Ambient() map[string]string { return s.ambient }

// adoptText sets what the session is to take over and has not, and returns it. What its own connection string says stays.
func (s *pgSession) adoptText() string {
	var values []string
	for _, name := range slices.Sorted(maps.Keys(s.o.Like)) {
		if !s.configured(name) {
			values = append(values, "("+Literal(name)+", "+Literal(s.o.Like[name])+")")
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "select n, v, pg_catalog.set_config(n, v, false) from (values " + strings.Join(values, ", ") +
		") s(n, v) where pg_catalog.current_setting(n) is distinct from v"
}

func (s *pgSession) configured(name string) bool {
	for key, value := range s.pg.Config().RuntimeParams {
		if strings.EqualFold(key, name) || key == "options" && containsFold(value, name) {
			return true
		}
	}
	return false
}

// Adopted implements [Ambient].
func (s *pgSession) Adopted() string {
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(s.adopted)) {
		calls = append(calls, pgSetConfig(name, s.adopted[name], false))
	}
	if len(calls) == 0 {
		return ""
	}
	return "select " + strings.Join(calls, ", ")
}

func pgSetConfig(name, value string, local bool) string {
	return fmt.Sprintf("pg_catalog.set_config(%s, %s, %t)", Literal(name), Literal(value), local)
}

// Restore implements [Ambient].
func (s *pgSession) Restore(ctx context.Context, set sqltext.Setting) error {
	value, ok := s.adopted[set.Name]
	if !ok || !set.Reset {
		return nil
	}
	_, err := s.simple(ctx, "select "+pgSetConfig(set.Name, value, set.Local))
	return err
}

var _ Ambient = (*pgSession)(nil)
