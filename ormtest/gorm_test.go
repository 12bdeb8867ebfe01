package ormtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// The models have each kind of association, and fields of many types.
type (
	company struct {
		ID   uint
		Name string `gorm:"uniqueIndex;size:100;not null"`
	}

	user struct {
		gorm.Model
		Name      string  `gorm:"index:idx_user_name_age,priority:1;not null;default:anonymous"`
		Email     string  `gorm:"uniqueIndex;size:200"`
		Age       int     `gorm:"index:idx_user_name_age,priority:2;check:age_positive,age >= 0"`
		Score     float64 `gorm:"type:double precision"` // as numeric, which GORM takes by itself, SQL Server could not hold it
		Secret    []byte
		Settings  map[string]any `gorm:"serializer:json;type:jsonb"`
		Birthday  *time.Time
		Home      address `gorm:"embedded;embeddedPrefix:home_"`
		CompanyID *uint
		Company   *company
		Card      card
		Notes     []note      `gorm:"constraint:OnDelete:CASCADE"`
		Languages []*language `gorm:"many2many:user_languages"`
		Toys      []toy       `gorm:"polymorphic:Owner"`
		Version   int
		hooks     []string
	}

	address struct{ City, Street string }

	card struct {
		ID     uint
		Number string
		UserID uint
	}

	note struct {
		ID     uint
		UserID uint
		Text   string
	}

	language struct {
		Code string `gorm:"primaryKey;size:2"`
		Name string
	}

	toy struct {
		ID        uint
		Name      string
		OwnerID   uint
		OwnerType string
	}

	audit struct {
		ID   uint
		Text string
	}

	account struct {
		Code    string `gorm:"primaryKey"`
		Balance int64  `gorm:"check:balance >= 0"`
	}
)

func (u *user) BeforeCreate(*gorm.DB) error {
	if u.Name == "forbidden" {
		return errors.New("a hook says no")
	}
	u.hooks = append(u.hooks, "BeforeCreate")
	return nil
}

func (u *user) AfterCreate(tx *gorm.DB) error {
	u.hooks = append(u.hooks, "AfterCreate")
	return tx.Create(&audit{Text: fmt.Sprintf("created %d", u.ID)}).Error
}

func (u *user) BeforeUpdate(tx *gorm.DB) error {
	tx.Statement.SetColumn("Version", u.Version+1)
	return nil
}

func (u *user) AfterDelete(tx *gorm.DB) error {
	return tx.Create(&audit{Text: "deleted " + u.Name}).Error
}

func (u *user) AfterFind(*gorm.DB) error {
	u.hooks = append(u.hooks, "AfterFind")
	return nil
}

var gormModels = []any{&company{}, &language{}, &user{}, &card{}, &note{}, &toy{}, &audit{}, &account{}}

// wider is user after a change of the program.
type wider struct {
	ID       uint
	Name     string `gorm:"size:300"`
	Nickname string `gorm:"index;not null;default:none"`
}

func (wider) TableName() string { return "users" }

func openGORM(x *target, dialector gorm.Dialector, change func(*gorm.Config)) *gorm.DB {
	x.Helper()
	var mu sync.Mutex
	times := newClock()
	cfg := &gorm.Config{
		TranslateError: true,
		Logger:         logger.Discard,
		NowFunc: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return times.next()
		},
	}
	if change != nil {
		change(cfg)
	}
	db, err := gorm.Open(dialector, cfg)
	x.must(err)
	return db
}

func TestGORM(t *testing.T) {
	play(t, func(x *target) {
		db := openGORM(x, postgres.New(postgres.Config{Conn: x.db}), nil)
		gormScript(x, db)
		gormMigrateAgain(x, db)
		gormErrors(x, db)
	})
}

func TestGORMSkipDefaultTransaction(t *testing.T) {
	play(t, func(x *target) {
		db := openGORM(x, postgres.New(postgres.Config{Conn: x.db}), func(c *gorm.Config) { c.SkipDefaultTransaction = true })
		gormScript(x, db)
		gormErrors(x, db)
	})
}

func TestGORMPrepareStmt(t *testing.T) {
	// GORM's cache of statements has a goroutine that nothing ends: no check for those that are left.
	playLeaking(t, func(x *target) {
		db := openGORM(x, postgres.New(postgres.Config{Conn: x.db}), func(c *gorm.Config) { c.PrepareStmt = true })
		gormScript(x, db)
		gormMigrateAgain(x, db)
		gormErrors(x, db)
		db.ConnPool.(*gorm.PreparedStmtDB).Close()
	})
}

// notPGX is pgx under another name: GORM does some things for the name "pgx" alone.
const notPGX = "pgx by another name"

func init() { sql.Register(notPGX, stdlib.GetDefaultDriver()) }

// GORM opens the pool itself, by the driver's name.
func TestGORMDriverName(t *testing.T) {
	play(t, func(x *target) {
		if x.driver == "pgx" {
			x.driver = notPGX
		}
		db := openGORM(x, postgres.New(postgres.Config{DriverName: x.driver, DSN: x.dsn}), nil)
		pool, err := db.DB()
		x.must(err)
		defer pool.Close()
		gormScript(x, db)
		// By any name but pgx's, GORM looks at a table by a statement that pgx has prepared before the table was changed.
		x.refused("a table's second change", "0A000", errors.Join(db.AutoMigrate(&wider{}), db.Migrator().AlterColumn(&user{}, "Email")))
		gormErrors(x, db)
	})
}

// Where pgx keeps no prepared statements, a table may be changed again and again under any name.
func TestGORMDriverNameDescribeExec(t *testing.T) {
	play(t, func(x *target) {
		if x.driver == "pgx" {
			x.driver = notPGX
		}
		const parameter = "sslmode=disable"
		if !strings.Contains(x.dsn, parameter) {
			x.Skip("the servers' URLs have no parameter to add another to")
		}
		dsn := strings.ReplaceAll(x.dsn, parameter, parameter+"&default_query_exec_mode=describe_exec")
		x.must(x.db.Close()) // it has the same journal, and another configuration
		db := openGORM(x, postgres.New(postgres.Config{DriverName: x.driver, DSN: dsn}), nil)
		pool, err := db.DB()
		x.must(err)
		x.Cleanup(func() { pool.Close() })
		x.must(db.AutoMigrate(gormModels...))
		gormMigrateAgain(x, db)
		x.gorm("create", db.Create(&account{Code: "a"}))
		x.db = pool // for what is asked afterwards
	})
}

func gormScript(x *target, db *gorm.DB) {
	gormMigrate(x, db)
	gormCreate(x, db)
	gormRead(x, db)
	gormUpdate(x, db)
	gormAssociations(x, db)
	gormDelete(x, db)
	gormTransactions(x, db)
}

// gorm notes how many rows a call has affected.
func (x *target) gorm(what string, res *gorm.DB) {
	x.Helper()
	x.must(res.Error)
	x.note(what, res.RowsAffected)
}

func gormMigrate(x *target, db *gorm.DB) {
	x.must(db.AutoMigrate(gormModels...))
	x.must(db.AutoMigrate(gormModels...)) // finds all as it should be
	m := db.Migrator()
	tables, err := m.GetTables()
	x.must(err)
	x.note("tables", len(tables) > 0, m.HasTable(&user{}), m.HasTable("nothing"), m.HasColumn(&user{}, "home_city"), m.HasIndex(&user{}, "idx_user_name_age"), m.HasConstraint(&user{}, "age_positive"))
	columns, err := m.ColumnTypes(&user{})
	x.must(err)
	for _, c := range columns {
		nullable, _ := c.Nullable()
		def, _ := c.DefaultValue()
		length, _ := c.Length()
		x.note("column", c.Name(), c.DatabaseTypeName(), nullable, def, length)
	}
}

func gormMigrateAgain(x *target, db *gorm.DB) {
	x.must(db.AutoMigrate(&wider{}))
	m := db.Migrator()
	x.must(m.RenameColumn(&wider{}, "nickname", "nick"))
	x.must(m.AlterColumn(&user{}, "Email"))
	x.must(m.DropIndex(&user{}, "idx_user_name_age"))
	x.must(m.CreateIndex(&user{}, "idx_user_name_age"))
	x.must(m.RenameIndex(&user{}, "idx_user_name_age", "idx_name_age"))
	x.must(m.DropConstraint(&user{}, "age_positive"))
	x.must(m.CreateConstraint(&user{}, "age_positive"))
	x.must(db.WithContext(x.views()).Migrator().CreateView("adults", gorm.ViewOption{Query: db.Model(&user{}).Where("age >= 18"), Replace: true}))
	x.must(m.RenameTable("toys", "playthings"))
	x.must(m.RenameTable("playthings", "toys"))
}

func gormCreate(x *target, db *gorm.DB) {
	birthday := time.Date(1990, 5, 17, 8, 30, 0, 654321000, time.UTC)
	anna := user{
		Name: "anna", Email: "anna@example.com", Age: 30, Score: 0.1, Secret: []byte{0, 1, 0xff}, Birthday: &birthday,
		Settings: map[string]any{"theme": "dark"}, Home: address{"Bern", "Main 1"}, Company: &company{Name: "Acme"},
		Card: card{Number: "4711"}, Notes: []note{{Text: "first"}, {Text: "it's \\ the second ?"}},
		Languages: []*language{{Code: "de", Name: "German"}, {Code: "fr", Name: "French"}}, Toys: []toy{{Name: "ball"}},
	}
	x.gorm("create", db.Create(&anna))
	x.note("ids", anna.ID, *anna.CompanyID, anna.Card.ID, anna.Notes[1].ID, anna.Toys[0].OwnerType, anna.CreatedAt, anna.hooks)
	unnamed := user{Email: "unnamed@example.com"}
	x.gorm("create with the database's default", db.Create(&unnamed))
	x.note("default", unnamed.Name, unnamed.ID)
	var many []user
	for i := range 25 {
		many = append(many, user{Name: fmt.Sprintf("user%02d", i), Email: fmt.Sprintf("user%02d@example.com", i), Age: i, CompanyID: anna.CompanyID})
	}
	x.gorm("batches", db.CreateInBatches(&many, 10))
	x.note("last id", many[24].ID)
	x.gorm("a map", db.Model(&user{}).Create(map[string]any{"Name": "map", "Email": "map@example.com", "Age": 1}))
	x.gorm("upsert", db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"age", "name"})}).
		Create(&user{Name: "anna the second", Email: "anna@example.com", Age: 31}))
	x.gorm("upsert an expression", db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoUpdates: clause.Assignments(map[string]any{"name": gorm.Expr("languages.name || ?", "!")})}).
		Create(&[]language{{Code: "de", Name: "Deutsch"}, {Code: "it", Name: "Italian"}}))
	x.gorm("upsert that does nothing", db.Clauses(clause.OnConflict{DoNothing: true}).Create(&[]language{{Code: "de"}, {Code: "es", Name: "Spanish"}}))
	for range 2 {
		var found company
		x.gorm("first or create", db.Where(company{Name: "Globex"}).FirstOrCreate(&found))
		x.note("found", found)
	}
	x.gorm("accounts", db.Create([]account{{"a", 100}, {"b", 0}}))
}

func gormRead(x *target, db *gorm.DB) {
	var anna user
	x.gorm("preload", db.Preload("Company").Preload("Card").Preload("Notes", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).
		Preload("Languages", func(db *gorm.DB) *gorm.DB { return db.Order("code") }).Preload("Toys").First(&anna, "email = ?", "anna@example.com"))
	x.note("anna", anna.Name, anna.Age, anna.Score, anna.Secret, anna.Settings, anna.Birthday.UTC(), anna.Home, *anna.Company, anna.Card, anna.Notes, len(anna.Languages), anna.Toys, anna.hooks)
	var joined []user
	x.gorm("join", db.Joins("Company").Where("age > ?", 20).Order("users.id").Find(&joined))
	x.note("joined", len(joined), joined[0].Company.Name)
	var names []string
	x.gorm("pluck", db.Model(&user{}).Where(map[string]any{"age": []int{1, 2, 3}}).Order("id").Pluck("name", &names))
	x.note("names", names)
	var sums []struct {
		CompanyID *uint
		Total     int
	}
	x.gorm("group", db.Model(&user{}).Select("company_id, sum(age) AS total").Group("company_id").Having("sum(age) > @least", map[string]any{"least": 0}).Order("company_id").Scan(&sums))
	x.note("sums", len(sums), sums[0].Total)
	var n int64
	x.must(db.Model(&user{}).Where("name LIKE ?", "user%").Count(&n).Error)
	x.note("count", n)
	rows, err := db.Model(&user{}).Where("age < ?", 3).Order("id").Rows()
	x.must(err)
	for rows.Next() {
		var u user
		x.must(db.ScanRows(rows, &u))
		x.note("row", u.ID, u.Email)
	}
	x.must(rows.Close())
	x.must(rows.Err())
	var batch []user
	x.gorm("find in batches", db.Where("name LIKE ?", "user%").FindInBatches(&batch, 10, func(tx *gorm.DB, i int) error {
		x.note("batch", i, tx.RowsAffected)
		return tx.Model(&user{}).Where("id = ?", batch[0].ID).UpdateColumn("score", i).Error
	}))
	x.note("not found", db.First(&user{}, "email = ?", "nobody").Error)
}

func gormUpdate(x *target, db *gorm.DB) {
	var u user
	x.must(db.First(&u, "email = ?", "user03@example.com").Error)
	u.Home.City = "Basel"
	x.gorm("save", db.Save(&u))
	x.gorm("updates", db.Model(&u).Updates(user{Age: 40, Score: 1.5}))
	x.gorm("updates of a map", db.Model(&u).Updates(map[string]any{"age": 0, "birthday": nil, "secret": []byte("x")}))
	x.gorm("select", db.Model(&u).Select("score").Updates(user{Age: 99, Score: 2.5}))
	x.gorm("an expression", db.Model(&user{}).Where("age > ?", 20).Update("score", gorm.Expr("score + age * ?", 2)))
	x.gorm("no hooks", db.Model(&u).UpdateColumns(map[string]any{"home_street": "Side 2"}))
	x.gorm("nobody", db.Model(&user{}).Where("id = ?", -1).Update("age", 1))
	var changed []user
	x.gorm("returning", db.Model(&changed).Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}, {Name: "age"}}}).Where("name LIKE ?", "user0%").Update("age", gorm.Expr("age + 1")))
	x.note("changed", len(changed), changed[0].ID > 0)
	x.gorm("subquery", db.Model(&user{}).Where("company_id IN (?)", db.Model(&company{}).Select("id").Where("name = ?", "Acme")).Update("home_city", "Bern"))
	x.gorm("a text", db.Exec("UPDATE users SET score = @score WHERE email = @email", map[string]any{"score": 9, "email": "user05@example.com"}))
	x.must(db.First(&u).Error)
}

func gormAssociations(x *target, db *gorm.DB) {
	var u user
	x.must(db.First(&u, "email = ?", "user04@example.com").Error)
	a := func(name string) *gorm.Association { return db.Model(&u).Association(name) }
	x.must(a("Languages").Append(&language{Code: "en", Name: "English"}, &language{Code: "de"}))
	x.note("languages", a("Languages").Count())
	x.must(a("Languages").Replace(&language{Code: "fr", Name: "French"}, &language{Code: "en"}))
	x.must(a("Languages").Delete(&language{Code: "fr"}))
	x.note("languages", a("Languages").Count())
	x.must(a("Notes").Append(&[]note{{Text: "n1"}, {Text: "n2"}}))
	x.must(a("Company").Replace(&company{Name: "Initech"}))
	x.must(a("Toys").Append(&toy{Name: "car"}))
	x.must(a("Languages").Clear())
	x.note("languages", a("Languages").Count(), a("Notes").Count(), a("Toys").Count())
}

func gormDelete(x *target, db *gorm.DB) {
	var u user
	x.must(db.First(&u, "email = ?", "user04@example.com").Error)
	x.gorm("soft", db.Delete(&u))
	x.note("gone", db.First(&user{}, u.ID).Error)
	x.gorm("there", db.Unscoped().First(&user{}, u.ID))
	x.gorm("with associations", db.Select("Toys").Delete(&u))
	x.gorm("hard", db.Unscoped().Delete(&u)) // the foreign key takes the notes along
	x.gorm("several", db.Unscoped().Where("email IN ?", []string{"user10@example.com", "user11@example.com"}).Delete(&user{}))
	var gone []company
	x.gorm("returning", db.Clauses(clause.Returning{}).Where("name = ?", "Globex").Delete(&gone))
	x.note("deleted", len(gone), gone[0].Name)
	x.note("without a condition", db.Delete(&company{}).Error)
}

func gormTransactions(x *target, db *gorm.DB) {
	move := func(tx *gorm.DB, from, to string, amount int64) error {
		var a account
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&a, "code = ?", from).Error; err != nil {
			return err
		}
		if err := tx.Model(&a).Update("balance", gorm.Expr("balance - ?", amount)).Error; err != nil {
			return err
		}
		return tx.Model(&account{}).Where("code = ?", to).Update("balance", gorm.Expr("balance + ?", amount)).Error
	}
	x.must(db.Transaction(func(tx *gorm.DB) error { return move(tx, "a", "b", 30) }))
	stop := errors.New("stop")
	x.note("rolled back", db.Transaction(func(tx *gorm.DB) error {
		x.must(move(tx, "a", "b", 7))
		return stop
	}))
	x.must(db.Transaction(func(tx *gorm.DB) error {
		x.must(move(tx, "a", "b", 1))
		x.note("inner", tx.Transaction(func(tx *gorm.DB) error {
			x.must(move(tx, "a", "b", 50))
			return stop
		}))
		// A refusal inside a savepoint leaves the transaction usable.
		x.refused("inner refusal", "23514", tx.Transaction(func(tx *gorm.DB) error { return move(tx, "a", "b", 1000) }))
		return tx.Transaction(func(tx *gorm.DB) error { return move(tx, "a", "b", 2) })
	}))
	tx := db.Begin()
	x.must(tx.Error)
	x.must(tx.Create(&account{"c", 1}).Error)
	x.must(tx.SavePoint("before").Error)
	x.must(tx.Create(&account{"d", 2}).Error)
	x.must(tx.RollbackTo("before").Error)
	x.must(tx.Create(&account{"e", 3}).Error)
	x.must(tx.Commit().Error)
	ctx, cancel := context.WithCancel(x.Context())
	tx = db.WithContext(ctx).Begin()
	x.must(tx.Create(&account{"f", 4}).Error)
	cancel()
	x.note("cancelled", tx.Commit().Error != nil)
	func() {
		defer func() { x.note("panic", recover()) }()
		_ = db.Transaction(func(tx *gorm.DB) error {
			x.must(tx.Create(&account{"g", 5}).Error)
			panic("no")
		})
	}()
	var all []account
	x.must(db.Order("code").Find(&all).Error)
	x.note("accounts", all)
}

// gormErrors comes last: after a failed statement, ids that sequences give are not the same any more on both sides.
func gormErrors(x *target, db *gorm.DB) {
	refused := func(what, code string, want, err error) {
		x.Helper()
		if !errors.Is(err, want) {
			x.Errorf("%s: %v, want %v", what, err, want)
		}
		x.refused(what, code, err)
	}
	refused("unique", "23505", gorm.ErrDuplicatedKey, db.Create(&user{Email: "anna@example.com"}).Error)
	refused("key", "23505", gorm.ErrDuplicatedKey, db.Create(&account{Code: "a"}).Error)
	nobody := uint(4711)
	refused("foreign key", "23503", gorm.ErrForeignKeyViolated, db.Create(&user{Email: "x@example.com", CompanyID: &nobody}).Error)
	refused("check", "23514", gorm.ErrCheckConstraintViolated, db.Model(&account{}).Where("code = ?", "a").Update("balance", -1).Error)
	x.refused("unknown column", "42703", db.Exec("UPDATE accounts SET nothing = 1").Error)
	x.refused("in a transaction", "25P02", db.Transaction(func(tx *gorm.DB) error {
		refused("first", "23505", gorm.ErrDuplicatedKey, tx.Create(&account{Code: "a"}).Error)
		return tx.Create(&account{Code: "z"}).Error
	}))
	x.note("hook", db.Create(&user{Name: "forbidden"}).Error)
	x.gorm("afterwards", db.Create(&account{Code: "y"}))
}
