package ormtest

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/migrate"

	"github.com/dualsql/dualsql"
)

type (
	writer struct {
		bun.BaseModel `bun:"table:writers,alias:w"`
		ID            int64             `bun:"id,pk,autoincrement"`
		Name          string            `bun:"name,notnull,unique"`
		Emails        []string          `bun:"emails,array"`
		Attrs         map[string]string `bun:"attrs,type:jsonb"`
		Born          time.Time         `bun:"born,nullzero"`
		Photo         []byte            `bun:"photo"`
		Rank          int               `bun:"rank,notnull,default:5"`
		DeletedAt     time.Time         `bun:"deleted_at,soft_delete,nullzero"`
		Posts         []*post           `bun:"rel:has-many,join:id=writer_id"`
		Tags          []tag             `bun:"m2m:writer_tags,join:Writer=Tag"`
	}

	post struct {
		bun.BaseModel `bun:"table:posts,alias:p"`
		ID            int64   `bun:"id,pk,autoincrement,identity"`
		Title         string  `bun:"title,notnull"`
		Price         float64 `bun:"price,type:numeric(10,2)"`
		WriterID      int64   `bun:"writer_id"`
		Writer        *writer `bun:"rel:belongs-to,join:writer_id=id"`
	}

	tag struct {
		bun.BaseModel `bun:"table:tags"`
		Code          string `bun:"code,pk"`
	}

	writerTag struct {
		bun.BaseModel `bun:"table:writer_tags"`
		WriterID      int64   `bun:"writer_id,pk"`
		Writer        *writer `bun:"rel:belongs-to,join:writer_id=id"`
		TagCode       string  `bun:"tag_code,pk"`
		Tag           *tag    `bun:"rel:belongs-to,join:tag_code=code"`
	}
)

var _ bun.BeforeAppendModelHook = (*post)(nil)

func (p *post) BeforeAppendModel(_ context.Context, q bun.Query) error {
	if _, ok := q.(*bun.InsertQuery); ok && p.Title == "" {
		p.Title = "untitled"
	}
	return nil
}

func TestBun(t *testing.T) { play(t, bunScript) }

func bunScript(x *target) {
	ctx, times := x.Context(), newClock()
	db := bun.NewDB(x.db, pgdialect.New())
	db.RegisterModel((*writerTag)(nil))
	done := func(what string, res sql.Result, err error) {
		x.Helper()
		x.must(err)
		n, err := res.RowsAffected()
		x.note(what, n, err)
	}
	for _, model := range []any{(*writer)(nil), (*tag)(nil), (*writerTag)(nil)} {
		_, err := db.NewCreateTable().Model(model).IfNotExists().Exec(ctx)
		x.must(err)
	}
	_, err := db.NewCreateTable().Model((*post)(nil)).ForeignKey(`("writer_id") REFERENCES "writers" ("id") ON DELETE CASCADE`).Exec(ctx)
	x.must(err)
	_, err = db.NewCreateIndex().Model((*post)(nil)).Index("posts_title").Column("title").Where("price > 0").Exec(ctx)
	x.must(err)
	_, err = db.NewAddColumn().Model((*post)(nil)).ColumnExpr("likes integer NOT NULL DEFAULT 0").Exec(ctx)
	x.must(err)

	anna := &writer{Name: "anna", Emails: []string{"a@example.com", `b"c`}, Attrs: map[string]string{"k": "it's ? $1"}, Born: times.next(), Photo: []byte{0, 255}}
	res, err := db.NewInsert().Model(anna).Exec(ctx)
	done("insert", res, err)
	x.note("returned", anna.ID, anna.Rank)
	posts := []post{{Title: "one", Price: 1.25, WriterID: anna.ID}, {Price: 2, WriterID: anna.ID}, {Title: `a 'quote' and a \ backslash`, WriterID: anna.ID}}
	res, err = db.NewInsert().Model(&posts).Exec(ctx)
	done("batch", res, err)
	x.note("ids", posts[0].ID, posts[1].ID, posts[2].ID, posts[1].Title)
	res, err = db.NewInsert().Model(&writer{Name: "anna", Rank: 9}).On("CONFLICT (name) DO UPDATE").Set("rank = EXCLUDED.rank + w.rank").Exec(ctx)
	done("upsert", res, err)
	res, err = db.NewInsert().Model(&[]tag{{Code: "x"}, {Code: "y"}, {Code: "z"}}).Exec(ctx)
	done("tags", res, err)
	res, err = db.NewInsert().Model(&tag{Code: "x"}).Ignore().Exec(ctx)
	done("ignore", res, err)
	res, err = db.NewInsert().Model(&[]writerTag{{WriterID: anna.ID, TagCode: "x"}, {WriterID: anna.ID, TagCode: "z"}}).Exec(ctx)
	done("m2m", res, err)

	var found writer
	x.must(db.NewSelect().Model(&found).Relation("Posts", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("id") }).
		Relation("Tags", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("code") }).Where("name = ?", "anna").Scan(ctx))
	x.note("found", found.ID, found.Emails, found.Attrs, found.Born.UTC(), found.Photo, found.Rank, len(found.Posts), len(found.Tags), found.Posts[2].Title)
	var list []post
	n, err := db.NewSelect().Model(&list).Relation("Writer").Where("p.price IN ?", bun.Tuple([]float64{1.25, 2})).Order("p.id").Limit(1).ScanAndCount(ctx)
	x.must(err)
	x.note("and count", n, len(list), list[0].Writer.Name)
	var total float64
	x.must(db.NewSelect().With("dear", db.NewSelect().Model((*post)(nil)).Where("price > 1")).Table("dear").ColumnExpr("sum(price)").Scan(ctx, &total))
	x.note("total", total)
	x.note("no rows", errors.Is(db.NewSelect().Model(&found).Where("id = 99").Scan(ctx), sql.ErrNoRows))

	posts[0].Title = "changed"
	res, err = db.NewUpdate().Model(&posts[0]).Column("title").WherePK().Exec(ctx)
	done("update", res, err)
	var changed []post
	res, err = db.NewUpdate().Model(&changed).Set("price = price + ?", 1).Where("price > 0").Returning("id, price").Exec(ctx)
	done("returning", res, err)
	x.note("changed", len(changed), len(changed) > 0 && changed[0].Price > 0)
	posts[1].Price, posts[2].Price = 7, 8
	values := db.NewValues(&[]*post{&posts[1], &posts[2]})
	res, err = db.NewUpdate().With("v", values).Model((*post)(nil)).TableExpr("v").Set("price = v.price").Where("p.id = v.id").Exec(ctx)
	done("bulk update", res, err)
	var version int
	x.must(db.NewRaw("SELECT current_setting('server_version_num')::int").Scan(ctx, &version))
	if version >= 150000 { // the first with MERGE
		res, err = db.NewMerge().Model((*tag)(nil)).With("src", db.NewValues(&[]tag{{Code: "y"}, {Code: "q"}})).Using("src").On("tag.code = src.code").
			WhenInsert("NOT MATCHED", func(q *bun.InsertQuery) *bun.InsertQuery { return q.Value("code", "src.code") }).WhenDelete("MATCHED").Exec(dualsql.WithMirror(ctx)) // its values are all given
		done("merge", res, err)
	}
	_, err = db.NewRaw("UPDATE ? SET likes = likes + ? WHERE id = ?", bun.Ident("posts"), 3, posts[0].ID).Exec(ctx)
	x.must(err)

	stop := errors.New("stop")
	x.note("rolled back", db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*post)(nil)).Where("TRUE").Exec(ctx)
		x.must(err)
		return stop
	}))
	x.must(db.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead}, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*writer)(nil)).Set("rank = 1").Where("name = ?", "anna").Exec(ctx)
		x.must(err)
		x.note("inner", tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { // a savepoint
			_, err := tx.NewUpdate().Model((*writer)(nil)).Set("rank = 2").Where("name = ?", "anna").Exec(ctx)
			x.must(err)
			return stop
		}))
		return tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*writer)(nil)).Set("rank = rank + 10").Where("name = ?", "anna").Exec(ctx)
			return err
		})
	}))
	rows, err := db.NewSelect().Model((*post)(nil)).Order("id").Rows(ctx)
	x.must(err)
	for rows.Next() {
		var p post
		x.must(db.ScanRow(ctx, rows, &p))
		x.note("row", p.ID, p.Title, p.Price)
	}
	x.must(rows.Close())

	res, err = db.NewDelete().Model((*post)(nil)).Where("id = ?", posts[1].ID).Exec(ctx)
	done("delete", res, err)
	_, err = db.NewInsert().Model(&writer{Name: "anna"}).Exec(ctx)
	x.refused("unique", "23505", err)
	_, err = db.NewInsert().Model(&post{Title: "x", WriterID: 99}).Exec(ctx)
	x.refused("foreign key", "23503", err)
	res, err = db.NewDelete().Model(anna).WherePK().ForceDelete().Exec(ctx)
	done("with all posts", res, err)
	_, err = db.NewTruncateTable().Model((*writerTag)(nil)).Exec(ctx)
	x.must(err)
	_, err = db.NewDropTable().Model((*writerTag)(nil)).IfExists().Exec(ctx)
	x.must(err)
}

// bun's migrator takes the time of a migration from the database's clock, and locks by a row.
func TestBunMigrate(t *testing.T) { play(t, bunMigrateScript, "public.bun_migrations.migrated_at") }

func bunMigrateScript(x *target) {
	ctx := x.Context()
	db := bun.NewDB(x.db, pgdialect.New())
	list := migrate.NewMigrations()
	x.must(list.Discover(fstest.MapFS{
		"1_a.up.sql":      {Data: []byte("CREATE TABLE a (id bigserial PRIMARY KEY)")},
		"1_a.down.sql":    {Data: []byte("DROP TABLE a")},
		"2_n.tx.up.sql":   {Data: []byte("ALTER TABLE a ADD n integer DEFAULT 7;\n--bun:split\nINSERT INTO a DEFAULT VALUES;")},
		"2_n.tx.down.sql": {Data: []byte("ALTER TABLE a DROP n")},
	}))
	m := migrate.NewMigrator(db, list)
	x.must(m.Init(ctx))
	x.must(m.Lock(ctx))
	x.note("locked", m.Lock(ctx) != nil)
	group, err := m.Migrate(ctx)
	x.must(err)
	x.note("migrated", group.ID, len(group.Migrations))
	x.must(m.Unlock(ctx))
	group, err = m.Rollback(ctx)
	x.must(err)
	x.note("rolled back", group.ID, len(group.Migrations))
	_, err = m.Migrate(ctx)
	x.must(err)
}
