package ormtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Positions, given to [Compare] among what to leave out, stands for the positions of all sequences.
const Positions = "positions"

// Compare returns what two PostgreSQL databases differ in, a line a difference, and nothing if they are equal: schemas,
// extensions, types, tables and views with their columns, constraints, indexes and triggers, functions, sequences with
// their positions, and every row of every table with every column as text. What is dualsql's own is left out, and so is
// what without names: [Positions], or a column, as "public.visit.at", whose values are not compared.
func Compare(ctx context.Context, a, b string, without ...string) ([]string, error) {
	left, err := describe(ctx, a, without)
	if err != nil {
		return nil, err
	}
	right, err := describe(ctx, b, without)
	if err != nil {
		return nil, err
	}
	return difference(left, right), nil
}

// difference of two sorted lists, in which a line may stand more than once.
func difference(a, b []string) []string {
	var found []string
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			found, a = append(found, "first only: "+a[0]), a[1:]
		case len(a) == 0 || b[0] < a[0]:
			found, b = append(found, "second only: "+b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return found
}

// describe returns a database as sorted lines.
func describe(ctx context.Context, dsn string, without []string) (lines []string, err error) {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return describeOn(ctx, conn, without)
}

func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	// Values and definitions as text depend on these.
	cfg.RuntimeParams["timezone"] = "UTC"
	cfg.RuntimeParams["datestyle"] = "ISO"
	cfg.RuntimeParams["intervalstyle"] = "postgres"
	cfg.RuntimeParams["extra_float_digits"] = "1"
	cfg.RuntimeParams["search_path"] = "pg_catalog"
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // prepared statements would not outlive a change of their tables
	return pgx.ConnectConfig(ctx, cfg)
}

func describeOn(ctx context.Context, conn *pgx.Conn, without []string) (lines []string, err error) {
	for _, query := range definitions {
		found, err := texts(ctx, conn, query)
		if err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}
	if !slices.Contains(without, Positions) {
		found, err := positions(ctx, conn)
		if err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}
	rows, err := contents(ctx, conn, without)
	if err != nil {
		return nil, err
	}
	lines = append(lines, rows...)
	slices.Sort(lines)
	return lines, nil
}

// ofUser is the condition under which a schema n is the user's.
const ofUser = `n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'dualsql')`

// definitions are queries that describe each kind of thing, a line a thing, by its definition and by no id of its own.
var definitions = []string{
	`SELECT format('schema %I', n.nspname) FROM pg_namespace n WHERE ` + ofUser,

	`SELECT format('extension %I %s', extname, extversion) FROM pg_extension`,

	`SELECT format('type %I.%I: %s %s', n.nspname, t.typname, t.typtype, coalesce(
		(SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
		concat_ws(' ', format_type(t.typbasetype, t.typtypmod), t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END,
			(SELECT string_agg(conname || ' ' || pg_get_constraintdef(oid), ', ' ORDER BY conname) FROM pg_constraint WHERE contypid = t.oid))))
	FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype IN ('d', 'e', 'r') AND ` + ofUser,

	`SELECT format('relation %I.%I: kind %s, persistence %s, options %s, identity %s, security %s, partition %s, comment %s, %s', n.nspname, c.relname,
		c.relkind, c.relpersistence, c.reloptions, c.relreplident, c.relrowsecurity, pg_get_expr(c.relpartbound, c.oid),
		quote_nullable(obj_description(c.oid, 'pg_class')), CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ` + ofUser,

	`SELECT format('column %I.%I.%I: place %s, %s, collation %s, %s, default %s, identity %L, generated %L, comment %s', n.nspname, c.relname, a.attname,
		row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod),
		(SELECT collname FROM pg_collation WHERE oid = a.attcollation), CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE 'NULL' END,
		pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, quote_nullable(col_description(c.oid, a.attnum)))
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped AND ` + ofUser,

	`SELECT format('constraint %I on %s: %s, validated %s', o.conname, o.conrelid::regclass, pg_get_constraintdef(o.oid), o.convalidated)
	FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace WHERE o.conrelid <> 0 AND ` + ofUser,

	`SELECT format('index %s, valid %s, primary %s, comment %s', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisprimary,
		quote_nullable(obj_description(i.indexrelid, 'pg_class')))
	FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ` + ofUser,

	`SELECT format('trigger %s, enabled %s', pg_get_triggerdef(t.oid), t.tgenabled)
	FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND ` + ofUser,

	`SELECT format('function %s', pg_get_functiondef(p.oid))
	FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e') AND ` + ofUser,

	`SELECT format('sequence %I.%I: %s, start %s, from %s to %s by %s, cycle %s, owned by %s', n.nspname, c.relname, format_type(s.seqtypid, NULL),
		s.seqstart, s.seqmin, s.seqmax, s.seqincrement, s.seqcycle, (SELECT format('%s.%I', a.attrelid::regclass, a.attname)
			FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
			WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
	FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ` + ofUser,
}

func texts(ctx context.Context, conn *pgx.Conn, query string) ([]string, error) {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// positions reads the sequences themselves: the view pg_sequences shows NULL before the first use.
func positions(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	names, err := texts(ctx, conn, `SELECT format('%I.%I', n.nspname, c.relname)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND `+ofUser)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, name := range names {
		found, err := texts(ctx, conn, "SELECT format('position "+strings.ReplaceAll(name, "'", "''")+": %s, called %s', last_value, is_called) FROM "+name)
		if err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}
	return lines, nil
}

// contents reads every row. A partitioned table has none of its own.
func contents(ctx context.Context, conn *pgx.Conn, without []string) ([]string, error) {
	type table struct {
		Name    string // quoted
		Plain   string
		Columns []string
	}
	rows, err := conn.Query(ctx, `SELECT format('%I.%I', n.nspname, c.relname), n.nspname || '.' || c.relname,
			array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attname IS NOT NULL)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relkind IN ('r', 'm') AND `+ofUser+` GROUP BY 1, 2`)
	if err != nil {
		return nil, err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, t := range tables {
		columns := slices.DeleteFunc(t.Columns, func(c string) bool { return slices.Contains(without, t.Plain+"."+c) })
		found, err := tableRows(ctx, conn, t.Name, columns)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		lines = append(lines, found...)
	}
	return lines, nil
}

func tableRows(ctx context.Context, conn *pgx.Conn, table string, columns []string) ([]string, error) {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = pgx.Identifier{c}.Sanitize() + "::text"
	}
	rows, err := conn.Query(ctx, "SELECT ARRAY["+strings.Join(list, ", ")+"]::text[] FROM ONLY "+table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var values []*string
		if err := row.Scan(&values); err != nil {
			return "", err
		}
		line := "row of " + table + ":"
		for i, v := range values {
			text := "NULL" // the only value without quotes
			if v != nil {
				text = strconv.Quote(*v)
			}
			line += " " + columns[i] + "=" + text
		}
		return line, nil
	})
}
