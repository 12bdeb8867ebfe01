package ormtest

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// Models whose columns the database fills in from its clock and from chance, and ids of a sequence after statements that
// failed.

type ticket struct {
	ID      string    `gorm:"type:uuid;primaryKey;default:gen_random_uuid()" bun:"id,pk,type:uuid,nullzero,default:gen_random_uuid()" db:"id"`
	Seq     int64     `gorm:"autoIncrement;not null" bun:"seq,autoincrement,nullzero" db:"seq"`
	Title   string    `gorm:"uniqueIndex" bun:"title,unique" db:"title"`
	Created time.Time `gorm:"not null;default:now();autoCreateTime:false" bun:"created,nullzero,notnull,default:now()" db:"created"`
}

var ticketVaries = []string{"public.tickets.id", "public.tickets.created"}

func TestGORMRows(t *testing.T) {
	play(t, func(x *target) {
		db := openGORM(x, postgres.New(postgres.Config{Conn: x.db}), nil)
		x.must(db.AutoMigrate(&ticket{}))
		one := ticket{Title: "a"}
		x.gorm("create", db.Create(&one))
		x.note("filled in", len(one.ID), one.Seq, one.Created.IsZero())
		x.gorm("batch", db.Create(&[]ticket{{Title: "b"}, {Title: "c"}}))
		x.refused("unique", "23505", db.Create(&ticket{Title: "a"}).Error)
		x.note("rolled back", db.Transaction(func(tx *gorm.DB) error {
			x.must(tx.Create(&ticket{Title: "d"}).Error)
			return gorm.ErrInvalidTransaction
		}))
		after := ticket{Title: "e"}
		x.gorm("after failures", db.Create(&after))
		x.note("id", after.Seq)
		x.gorm("the clock", db.Model(&ticket{}).Where("title IN ?", []string{"b", "c"}).Update("created", gorm.Expr("clock_timestamp()")))
		x.gorm("delete by a value of the database", db.Delete(&ticket{}, "id = ?", one.ID))
	}, ticketVaries...)
}

func TestSQLXRows(t *testing.T) {
	play(t, func(x *target) {
		db := sqlx.NewDb(x.db, x.driver)
		db.MustExec(`CREATE TABLE tickets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), seq bigserial, title text UNIQUE, created timestamptz NOT NULL DEFAULT now())`)
		var one ticket
		x.must(db.Get(&one, db.Rebind("INSERT INTO tickets (title) VALUES (?) RETURNING *"), "a"))
		_, err := db.NamedExec("INSERT INTO tickets (title) VALUES (:title)", []ticket{{Title: "b"}, {Title: "c"}})
		x.must(err)
		_, err = db.Exec("INSERT INTO tickets (title) VALUES ('a')")
		x.refused("unique", "23505", err)
		tx := db.MustBegin()
		tx.MustExec("INSERT INTO tickets (title) VALUES ('d')")
		x.must(tx.Rollback())
		db.MustExec("INSERT INTO tickets (title) SELECT 'e' || i FROM generate_series(1, 3) i")
		db.MustExec("UPDATE tickets SET created = clock_timestamp(), title = title || random() WHERE title = 'c'")
		db.MustExec("DELETE FROM tickets WHERE id = $1", one.ID)
	}, append([]string{"public.tickets.title"}, ticketVaries...)...)
}

func TestBunRows(t *testing.T) {
	play(t, func(x *target) {
		ctx := x.Context()
		db := bun.NewDB(x.db, pgdialect.New())
		_, err := db.NewCreateTable().Model((*ticket)(nil)).Exec(ctx)
		x.must(err)
		many := []ticket{{Title: "a"}, {Title: "b"}}
		_, err = db.NewInsert().Model(&many).Exec(ctx)
		x.must(err)
		x.note("filled in", len(many[0].ID), many[1].Seq, many[1].Created.IsZero())
		_, err = db.NewInsert().Model(&ticket{Title: "a"}).Exec(ctx)
		x.refused("unique", "23505", err)
		_, err = db.NewInsert().Model(&ticket{Title: "c"}).Exec(ctx)
		x.must(err)
		_, err = db.NewUpdate().Model((*ticket)(nil)).Set("created = now()").Where("id = ?", many[0].ID).Exec(ctx)
		x.must(err)
	}, ticketVaries...)
}

func TestGORMRowsAfterFailures(t *testing.T) {
	play(t, func(x *target) {
		db := openGORM(x, postgres.New(postgres.Config{Conn: x.db}), nil)
		gormScript(x, db)
		gormErrors(x, db)
		x.gorm("after failures", db.Create(&user{Name: "late", Email: "late@example.com", Notes: []note{{Text: "late"}}}))
	})
}
