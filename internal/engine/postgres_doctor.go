package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresGrants is what the application's role needs when another role has created the schema; %s is the role, quoted.
const PostgresGrants = `grant usage on schema dualsql to %[1]s;
grant select, insert, delete on dualsql.commit to %[1]s;
grant select, insert on dualsql.pair to %[1]s`

// prepareLimit is how long a prepared transaction of dualsql's is plainly on its way.
const prepareLimit = time.Minute

func (s *pgSession) Clock(ctx context.Context) (now time.Time, err error) {
	err = s.pg.QueryRow(ctx, "select clock_timestamp()").Scan(&now)
	return now, err
}

func (s *pgSession) Examine(ctx context.Context) ([]Diagnosis, error) {
	var d diagnoses
	for _, check := range []func(context.Context, *diagnoses) error{
		s.examineServer, s.examineSchema, s.examinePrepared, s.examineDurability,
	} {
		if err := check(ctx, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (s *pgSession) examineServer(ctx context.Context, d *diagnoses) error {
	var version, role, database string
	var standby bool
	err := s.pg.QueryRow(ctx, "select current_setting('server_version'), current_user::text, current_database()::text, pg_is_in_recovery()").
		Scan(&version, &role, &database, &standby)
	if err != nil {
		return err
	}
	d.add("server", OK, fmt.Sprintf("PostgreSQL %s, database %s, role %s", version, database, role), "")
	if standby {
		d.add("standby", Problem, "the server is a standby in recovery: it takes no writes", "name the primary server of the replication, or promote this one")
	}
	return nil
}

// examineSchema asks the catalog: to_regclass fails on a schema that the role may not use.
func (s *pgSession) examineSchema(ctx context.Context, d *diagnoses) error {
	var tables int
	var lacking []string
	rows, err := s.pg.Query(ctx, `
		select c.relname::text, has_schema_privilege(n.oid, 'usage'), has_table_privilege(c.oid, 'select'),
			has_table_privilege(c.oid, 'insert'), c.relname <> 'commit' or has_table_privilege(c.oid, 'delete')
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'dualsql' and c.relname in ('commit', 'pair') order by 1`)
	if err != nil {
		return err
	}
	var table string
	var may [4]bool
	_, err = pgx.ForEachRow(rows, []any{&table, &may[0], &may[1], &may[2], &may[3]}, func() error {
		tables++
		for i, right := range []string{"USAGE on schema dualsql", "SELECT on dualsql." + table, "INSERT on dualsql." + table, "DELETE on dualsql." + table} {
			if !may[i] && (i > 0 || tables == 1) {
				lacking = append(lacking, right)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var create bool
	var role string
	if err := s.pg.QueryRow(ctx, `select has_database_privilege(current_database(), 'create'), quote_ident(current_user)`).Scan(&create, &role); err != nil {
		return err
	}
	switch {
	case len(lacking) > 0:
		d.add("schema", Problem, "the role "+role+" lacks "+strings.Join(lacking, ", "),
			"as the schema's owner: "+strings.ReplaceAll(fmt.Sprintf(PostgresGrants, role), "\n", " "))
	case tables == 2:
		d.add("schema", OK, "the dualsql schema is there, and the role may use it", "")
	case create:
		d.add("schema", OK, "the dualsql schema is not there yet; the first connection creates it", "")
	default:
		d.add("schema", Problem, "the dualsql schema is not there, and the role "+role+" may not create it",
			"run `dualsql init` once with a role that may, then grant; `dualsql init -print` shows the SQL")
	}
	return nil
}

func (s *pgSession) examinePrepared(ctx context.Context, d *diagnoses) error {
	var slots, connections, count int
	var oldest string
	var seconds float64
	err := s.pg.QueryRow(ctx, `select current_setting('max_prepared_transactions')::int, current_setting('max_connections')::int, count(*)::int,
		coalesce((array_agg(gid order by prepared))[1], ''), coalesce(extract(epoch from clock_timestamp() - min(prepared)), 0)::float8
		from pg_catalog.pg_prepared_xacts where gid like 'dualsql:%' and database = current_database()`).
		Scan(&slots, &connections, &count, &oldest, &seconds)
	if err != nil {
		return err
	}
	examineSlots(d, slots, connections)
	if count == 0 {
		d.add("prepared", OK, "none of dualsql's transactions is prepared", "")
		return nil
	}
	age := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	text := fmt.Sprintf("%d of dualsql's transactions are prepared and hold their locks, the oldest for %v: %s", count, age, oldest)
	if age > prepareLimit {
		d.add("prepared", Warning, text, "run `dualsql recover`; do not end them by hand")
	} else {
		d.add("prepared", OK, text, "")
	}
	return nil
}

// examineSlots follows the manual's advice (20.4.1): as many as there can be connections.
func examineSlots(d *diagnoses, slots, connections int) {
	const advice = "set max_prepared_transactions to max_connections in postgresql.conf and restart the server"
	switch {
	case slots == 0:
		d.add("slots", OK, "max_prepared_transactions is 0: this side prepares nothing, and commit=2pc needs the other one to", "")
	case slots < connections:
		d.add("slots", Warning, fmt.Sprintf("max_prepared_transactions is %d and max_connections %d: with more than %d connections that write, commits may fail under commit=2pc",
			slots, connections, slots), advice)
	default:
		d.add("slots", OK, fmt.Sprintf("max_prepared_transactions is %d, max_connections %d", slots, connections), "")
	}
}

// examineDurability asks for the settings as they are without dualsql: reset_val, not what Setup has made of them.
func (s *pgSession) examineDurability(ctx context.Context, d *diagnoses) error {
	settings := map[string]string{}
	rows, err := s.pg.Query(ctx, `select name::text, coalesce(reset_val, '')::text from pg_catalog.pg_settings
		where name in ('fsync', 'full_page_writes', 'synchronous_commit')`)
	if err != nil {
		return err
	}
	var name, value string
	if _, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error { settings[name] = value; return nil }); err != nil {
		return err
	}
	good := true
	if settings["fsync"] == "off" {
		good = false
		d.add("durability", Problem, "fsync is off: when the machine crashes, this side can lose committed transactions or the whole database",
			"set fsync = on in postgresql.conf and reload")
	}
	if settings["full_page_writes"] == "off" {
		good = false
		d.add("durability", Warning, "full_page_writes is off: a crash in the middle of writing a page can damage it",
			"set full_page_writes = on, unless the file system writes pages whole")
	}
	if settings["synchronous_commit"] == "off" {
		good = false
		d.add("durability", OK, "synchronous_commit is off; dualsql raises it for its own transactions", "")
	}
	if good {
		d.add("durability", OK, "fsync, full_page_writes and synchronous_commit are on", "")
	}
	return nil
}
