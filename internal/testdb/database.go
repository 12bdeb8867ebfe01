package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const databaseLimit = 60 * time.Second

// DSN returns the URL of a database of the cluster, for the superuser.
func (c *Cluster) DSN(db string) string {
	if c.named == nil {
		return postgresURL(c.port, db)
	}
	u := *c.named
	u.Path = "/" + db
	return u.String()
}

func postgresURL(port int, db string) string {
	return "postgres://postgres@127.0.0.1:" + strconv.Itoa(port) + "/" + url.PathEscape(db) + "?sslmode=disable"
}

// CreateDatabase returns the DSN of an empty database that nobody else uses. When the test ends its sessions are ended, and what
// is still prepared in it is logged and rolled back.
//
// To create a database and to drop it takes PostgreSQL longer than most tests, so a cluster of the tests' own keeps it, emptied,
// for the next test.
func (c *Cluster) CreateDatabase(tb testing.TB) string {
	tb.Helper()
	return c.CreateDatabaseOf(tb, "", empty)
}

// CreateDatabaseOf does the same with databases that have something in them when they are used again: empty makes a used one
// ready, and kind keeps them apart from others.
func (c *Cluster) CreateDatabaseOf(tb testing.TB, kind string, empty func(context.Context, *pgx.Conn) error) string {
	tb.Helper()
	s := c.takeSpare(kind)
	if s.name == "" {
		ctx, cancel := context.WithTimeout(context.Background(), databaseLimit)
		defer cancel()
		s.name = "dualsql_test_" + rand.Text()
		// template0, because copying template1 fails while anybody is connected to it.
		if err := c.maintain(ctx, "CREATE DATABASE "+quote(s.name)+" TEMPLATE template0"); err != nil {
			tb.Fatalf("create database %s: %v\n%s", s.name, err, c.Log())
		}
	}
	dsn := c.DSN(s.name)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), databaseLimit)
		defer cancel()
		recycle := func(conn *pgx.Conn) error {
			if err := leave(ctx, tb, conn); err != nil {
				return err
			}
			return empty(ctx, conn)
		}
		if c.named == nil && s.use(ctx, dsn, recycle) == nil {
			c.putSpare(kind, s)
			return
		}
		if err := c.drop(ctx, tb, s.name, dsn); err != nil {
			tb.Errorf("drop database %s: %v\n%s", s.name, err, c.Log())
		}
	})
	return dsn
}

// spare is a database that waits for its next test, and the session that empties it: to start one costs more than to empty it.
type spare struct {
	name string
	conn *pgx.Conn // nil where there is none yet
}

// use calls f with the session, and once more with a new one where the server has ended it meanwhile.
func (s *spare) use(ctx context.Context, dsn string, f func(*pgx.Conn) error) error {
	if s.conn != nil {
		if err := f(s.conn); err == nil || !s.conn.IsClosed() {
			return err
		}
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = Resting
	if s.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return err
	}
	return f(s.conn)
}

func (c *Cluster) takeSpare(kind string) (s spare) {
	c.spareMu.Lock()
	defer c.spareMu.Unlock()
	if list := c.spare[kind]; len(list) > 0 {
		s, c.spare[kind] = list[len(list)-1], list[:len(list)-1]
	}
	return s
}

func (c *Cluster) putSpare(kind string, s spare) {
	c.spareMu.Lock()
	defer c.spareMu.Unlock()
	if c.spare == nil {
		c.spare = map[string][]spare{}
	}
	c.spare[kind] = append(c.spare[kind], s)
}

// Resting is the application_name of sessions that are kept between tests: nothing is going on in them.
const Resting = "resting"

// leave ends what is still going on in conn's database.
func leave(ctx context.Context, tb testing.TB, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "+
		"AND application_name <> "+literal(Resting))
	if err != nil {
		return err
	}
	return rollbackPrepared(ctx, tb, conn)
}

// empty makes a database what CREATE DATABASE has made it. The schema public is the one of template0 (PostgreSQL manual, 5.9.6:
// since version 15 only the database's owner may create in it).
func empty(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `DO $$ DECLARE s name; BEGIN
		FOR s IN SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' LOOP
			EXECUTE format('DROP SCHEMA %I CASCADE', s);
		END LOOP;
		PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
		CREATE SCHEMA public;
		IF current_setting('server_version_num')::int < 150000 THEN
			GRANT ALL ON SCHEMA public TO PUBLIC;
		ELSE
			ALTER SCHEMA public OWNER TO pg_database_owner;
			GRANT USAGE ON SCHEMA public TO PUBLIC;
		END IF;
		EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
	END $$`)
	return err
}

// maintain runs one statement in the maintenance database.
func (c *Cluster) maintain(ctx context.Context, sql string) error {
	dsn := c.DSN("postgres")
	if c.named != nil {
		dsn = c.named.String()
	}
	return withConn(ctx, dsn, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
}

// drop drops a database. DROP DATABASE ... WITH (FORCE) ends sessions but stops at prepared transactions (PostgreSQL
// manual, DROP DATABASE); a session that is just preparing one makes it try again.
func (c *Cluster) drop(ctx context.Context, tb testing.TB, name, dsn string) error {
	for {
		err := withConn(ctx, dsn, func(conn *pgx.Conn) error { return rollbackPrepared(ctx, tb, conn) })
		if err == nil {
			err = c.maintain(ctx, "DROP DATABASE "+quote(name)+" WITH (FORCE)")
		}
		if !busy(err) || ctx.Err() != nil {
			return err
		}
	}
}

func rollbackPrepared(ctx context.Context, tb testing.TB, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, gid := range names {
		tb.Logf("the test left the prepared transaction %q", gid)
		if _, err := conn.Exec(ctx, "ROLLBACK PREPARED "+literal(gid)); err != nil {
			return fmt.Errorf("roll back the prepared transaction %q: %w", gid, err)
		}
	}
	return nil
}

// busy reports whether err passes when somebody else has finished: the database is in use (55006), the prepared
// transaction is locked by a session (55000) or has just been finished by one (42704).
func busy(err error) bool {
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) {
		return false
	}
	return refusal.Code == "55006" || refusal.Code == "55000" || refusal.Code == "42704"
}

func withConn(ctx context.Context, dsn string, use func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(use(conn), conn.Close(ctx))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a string for statements that take no parameters; standard_conforming_strings is on by default.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
