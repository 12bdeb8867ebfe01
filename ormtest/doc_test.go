package ormtest

// The snippets of docs/orm.md, compiled and run.

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/dualsql/dualsql/ormtest/ent"
	"github.com/dualsql/dualsql/ormtest/sqlcshop"
)

type product struct {
	ID   uint
	Name string `gorm:"unique"`
}

func docGORM(pool *sql.DB) error {
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{TranslateError: true})
	if err != nil {
		return err
	}
	if err := db.AutoMigrate(&product{}); err != nil {
		return err
	}
	err = db.Create(&product{Name: "chair"}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return nil // somebody was here before
	}
	return err
}

func docSQLX(pool *sql.DB) error {
	sqlx.BindDriver("dualsql", sqlx.DOLLAR) // once; without it texts keep their ?, which dualsql takes as well
	db := sqlx.NewDb(pool, "dualsql")
	_, err := db.NamedExec("insert into products (name) values (:name)", []map[string]any{{"name": "table"}, {"name": "lamp"}})
	if err != nil {
		return err
	}
	var names []string
	return db.Select(&names, db.Rebind("select name from products where id > ? order by name"), 0)
}

func docSQLC(ctx context.Context, pool *sql.DB) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	queries := sqlcshop.New(pool).WithTx(tx)
	if _, err := queries.CreateAuthor(ctx, sqlcshop.CreateAuthorParams{Name: "anna", Tags: []string{"new"}}); err != nil {
		return err
	}
	return tx.Commit()
}

func docBun(ctx context.Context, pool *sql.DB) error {
	db := bun.NewDB(pool, pgdialect.New())
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("products").Set("name = upper(name)").Where("name = ?", "lamp").Exec(ctx)
		return err
	})
}

func docEnt(ctx context.Context, pool *sql.DB) error {
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, pool)))
	if err := client.Schema.Create(ctx); err != nil {
		return err
	}
	return client.Person.Create().SetName("anna").SetEmail("anna@example.com").Exec(ctx)
}

//go:embed testdata/migrations/*.sql
var files embed.FS

func docGoose(ctx context.Context, pool *sql.DB) error {
	migrations, err := fs.Sub(files, "testdata/migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker() // on the primary, for all processes of the pair
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, migrations, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func TestDocSnippets(t *testing.T) {
	logger.Default = logger.Discard // the second run of GORM's snippet would log its error
	play(t, func(x *target) {
		ctx := x.Context()
		_, err := x.db.ExecContext(ctx, sqlcshop.Schema)
		x.must(err)
		x.must(docGORM(x.db))
		x.must(docSQLX(x.db))
		x.must(docSQLC(ctx, x.db))
		x.must(docBun(ctx, x.db))
		x.must(docEnt(ctx, x.db))
		x.must(docGoose(ctx, x.db))
		x.must(docGORM(x.db)) // what a second run meets
	}, gooseTime)
}

// TestDocSnippetsAreTested: what docs/orm.md shows stands in this file.
func TestDocSnippetsAreTested(t *testing.T) {
	page, err := os.ReadFile("../docs/orm.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("doc_test.go")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(page), "```go\n")
	if len(parts) != 7 {
		t.Fatalf("%d snippets, want one for each tool", len(parts)-1)
	}
	for _, part := range parts[1:] {
		snippet, _, closed := strings.Cut(part, "```")
		if !closed || !strings.Contains(string(source), snippet) {
			t.Errorf("this snippet is in no test:\n%s", snippet)
		}
	}
}
