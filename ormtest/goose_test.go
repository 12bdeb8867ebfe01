package ormtest

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/dualsql/dualsql"
)

//go:embed testdata/migrations/*.sql testdata/vendors/*.sql
var migrationFiles embed.FS

func migrations(x *target, dir string) fs.FS {
	sub, err := fs.Sub(migrationFiles, dir)
	x.must(err)
	return sub
}

// goose's own table takes the time of a migration from the database's clock.
const gooseTime = "public.goose_db_version.tstamp"

func TestGoose(t *testing.T) {
	play(t, func(x *target) { gooseScript(x) }, gooseTime)
}

func TestGooseSessionLocker(t *testing.T) {
	play(t, func(x *target) {
		locker, err := lock.NewPostgresSessionLocker()
		x.must(err)
		gooseScript(x, goose.WithSessionLocker(locker))
		var n int
		x.must(x.db.QueryRow("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND classid = $2", uint32(lock.DefaultLockID&0xffffffff), uint32(lock.DefaultLockID>>32)).Scan(&n))
		x.note("locks left", n)
	}, gooseTime)
}

// Of several programs that migrate at once, one does it.
func TestGooseConcurrent(t *testing.T) {
	play(t, func(x *target) {
		// goose creates its own table without the lock.
		p, err := goose.NewProvider(goose.DialectPostgres, x.db, migrations(x, "testdata/migrations"))
		x.must(err)
		_, err = p.UpTo(x.Context(), 1)
		x.must(err)
		done := make(chan error)
		applied := make(chan int, 3)
		for range 3 {
			go func() {
				locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
				if err != nil {
					done <- err
					return
				}
				p, err := goose.NewProvider(goose.DialectPostgres, x.db, migrations(x, "testdata/migrations"), goose.WithSessionLocker(locker))
				if err != nil {
					done <- err
					return
				}
				results, err := p.Up(context.Background())
				applied <- len(results)
				done <- err
			}()
		}
		for range 3 {
			err = errors.Join(err, <-done)
		}
		x.must(err)
		x.note("applied", <-applied+<-applied+<-applied)
	}, gooseTime)
}

func gooseScript(x *target, options ...goose.ProviderOption) {
	ctx := x.Context()
	options = append(options, goose.WithGoMigrations(goose.NewGoMigration(4, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO invoice (customer, total) SELECT id, $1 FROM customer ORDER BY id", "12.50")
		return err
	}}, &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, "DELETE FROM invoice")
		return err
	}})))
	p, err := goose.NewProvider(goose.DialectPostgres, x.db, migrations(x, "testdata/migrations"), options...)
	x.must(err)
	report := func(what string, results []*goose.MigrationResult, err error) {
		x.Helper()
		x.must(err)
		for _, r := range results {
			x.note(what, r.Source.Version, r.Direction, r.Empty, r.Error == nil)
		}
		version, err := p.GetDBVersion(ctx)
		x.note("version", version, err)
	}
	results, err := p.UpTo(ctx, 2)
	report("up to 2", results, err)
	results, err = p.Up(ctx)
	report("up", results, err)
	result, err := p.Down(ctx)
	report("down", []*goose.MigrationResult{result}, err)
	results, err = p.DownTo(ctx, 1)
	report("down to 1", results, err)
	results, err = p.Up(ctx)
	report("up", results, err)
	states, err := p.Status(ctx)
	x.must(err)
	for _, s := range states {
		x.note("status", s.Source.Version, s.State)
	}

	// What the migrations have made is used by the program.
	_, err = x.db.Exec("INSERT INTO invoice (customer, total, note) SELECT max(id), 5, $1 FROM customer", "new")
	x.must(err)
	_, err = x.db.Exec("UPDATE invoice SET total = -1")
	x.refused("the trigger", "P0001", err)

	// A migration that fails leaves nothing on either side.
	broken := fstest.MapFS{"00006_broken.sql": {Data: []byte("-- +goose Up\nCREATE TABLE half (id integer);\nINSERT INTO nothing VALUES (1);\n")}}
	p, err = goose.NewProvider(goose.DialectPostgres, x.db, broken, goose.WithAllowOutofOrder(true))
	x.must(err)
	_, err = p.Up(ctx)
	var partial *goose.PartialError
	if !errors.As(err, &partial) {
		x.Errorf("a broken migration: %v", err)
	}
	x.refused("a broken migration", "42P01", partial.Err)
	if x.driver == dualsql.Name {
		settled(x.T, x.db)
	}
}

// The functions of the package, which work on global state.
func TestGooseGlobal(t *testing.T) {
	play(t, func(x *target) {
		goose.SetBaseFS(migrationFiles)
		goose.SetLogger(goose.NopLogger())
		x.must(goose.SetDialect("postgres"))
		x.must(goose.UpContext(x.Context(), x.db, "testdata/migrations"))
		version, err := goose.GetDBVersionContext(x.Context(), x.db)
		x.note("version", version, err)
		x.must(goose.RedoContext(x.Context(), x.db, "testdata/migrations"))
		x.must(goose.ResetContext(x.Context(), x.db, "testdata/migrations"))
		x.must(goose.UpToContext(x.Context(), x.db, "testdata/migrations", 3))
	}, gooseTime)
}
