package ormtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
)

// target is what a script is played on.
type target struct {
	*testing.T
	driver string // to open the database by name: a script closes what it opens
	dsn    string
	db     *sql.DB // the same, open
	notes  []string
	views  func() context.Context // under which a view of adults is made
}

// note keeps a result that has to be the same on pgx alone and on dualsql.
func (x *target) note(what string, values ...any) {
	line := what
	for _, v := range values {
		if err, ok := v.(error); ok {
			v = describeError(err)
		}
		line += fmt.Sprintf(" | %v", v)
	}
	x.notes = append(x.notes, line)
}

// must fails the script: what follows would make no sense.
func (x *target) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// refused asserts that err is the server's refusal with the code, as programs look for it.
func (x *target) refused(what, code string, err error) {
	x.Helper()
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) || refusal.Code != code {
		x.Errorf("%s: %v, want SQLSTATE %s in a *pgconn.PgError", what, err, code)
	}
	x.note(what, err)
}

// describeError adds to the message what programs look for in the server's error.
func describeError(err error) string {
	text := fmt.Sprintf("%T %v", err, err)
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		text += fmt.Sprintf(" [%s %s.%s %s: %s]", refusal.Code, refusal.SchemaName, refusal.TableName, refusal.ConstraintName, refusal.Detail)
	}
	return text
}

// play runs a script on pgx alone and on dualsql, under each protocol that commits to both sides for certain, and compares:
// what was noted, the two databases of the pair, and each pair with the plain database. Columns that the databases fill in by
// themselves are equal in a pair, and not in two runs: timesAndChance name them.
func play(t *testing.T, script func(*target), timesAndChance ...string) {
	t.Helper()
	chaos.CheckGoroutines(t)
	playLeaking(t, script, timesAndChance...)
}

// playLeaking is play for a script that leaves goroutines behind.
func playLeaking(t *testing.T, script func(*target), timesAndChance ...string) {
	t.Helper()
	c := testdb.Clusters(t, 2)
	// A sequence moves on when a statement fails, and a statement that failed does not reach the secondary.
	inPair, inRuns := []string{Positions}, append([]string{Positions}, timesAndChance...)
	plain := c[0].CreateDatabase(t)
	want := run(t, "pgx", plain, script)
	for _, commit := range []string{"2pc", "marker"} {
		primary, secondary := c[0].CreateDatabase(t), c[1].CreateDatabase(t)
		dsn := fmt.Sprintf("primary='%s' secondary='%s' journal='%s' commit=%s", primary, secondary, t.TempDir(), commit)
		notes := run(t, dualsql.Name, dsn, script)
		for i := range max(len(want), len(notes)) {
			if w, n := at(want, i), at(notes, i); w != n {
				t.Errorf("%s:\n pgx:     %s\n dualsql: %s", commit, w, n)
			}
		}
		same(t, commit+": primary and secondary", primary, secondary, inPair...)
		same(t, commit+": plain and primary", plain, primary, inRuns...)
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "(nothing)"
}

func run(t *testing.T, driver, dsn string, script func(*target)) []string {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	x := &target{T: t, driver: driver, dsn: dsn, db: db, views: t.Context}
	if strings.Contains(dsn, "sqlserver://") {
		x.views = func() context.Context {
			return dualsql.WithSecondarySQL(t.Context(), "create or alter view adults as select * from users where age >= 18")
		}
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	script(x)
	if driver == dualsql.Name {
		settled(t, x.db)
	}
	return x.notes
}

// settled asserts that no transaction is open.
func settled(t *testing.T, db *sql.DB) {
	t.Helper()
	connector, err := dualsql.FromDB(db)
	if err != nil {
		t.Fatal(err)
	}
	pending, err := connector.Pending()
	if err != nil || len(pending) > 0 {
		t.Errorf("pending: %+v, %v", pending, err)
	}
}

// clock is a program's own clock, so that two runs have the same times. PostgreSQL keeps microseconds.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2024, 2, 29, 12, 0, 0, 123456000, time.UTC)} }

func (c *clock) next() time.Time {
	c.now = c.now.Add(time.Second)
	return c.now
}
