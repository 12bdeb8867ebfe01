package ormtest

import (
	"database/sql"
	"encoding/json"
	"testing"

	"github.com/dualsql/dualsql/ormtest/sqlcshop"
)

func TestSQLC(t *testing.T) {
	play(t, func(x *target) {
		createSQLC(x)
		sqlcScript(x, sqlcshop.New(x.db))
	})
}

func TestSQLCPrepared(t *testing.T) {
	play(t, func(x *target) {
		createSQLC(x)
		q, err := sqlcshop.Prepare(x.Context(), x.db)
		x.must(err)
		sqlcScript(x, q)
		x.must(q.Close())
	})
}

func createSQLC(x *target) {
	_, err := x.db.Exec(sqlcshop.Schema)
	x.must(err)
}

func sqlcScript(x *target, q *sqlcshop.Queries) {
	ctx, times := x.Context(), newClock()
	anna, err := q.CreateAuthor(ctx, sqlcshop.CreateAuthorParams{Name: "anna", Born: sql.NullTime{Time: times.next(), Valid: true}, Tags: []string{"a", `b "c"`, "d,e"}})
	x.must(err)
	ben, err := q.CreateAuthor(ctx, sqlcshop.CreateAuthorParams{Name: "ben", Tags: []string{}})
	x.must(err)
	x.note("created", anna.ID, anna.Born.Time.UTC(), anna.Tags, ben)
	found, err := q.AuthorsByID(ctx, []int64{ben.ID, anna.ID, 99})
	x.must(err)
	x.note("found", len(found), found[0].Name, found[0].Tags)
	for _, price := range []string{"10", "12.50"} {
		for _, isbn := range []string{"1", "2"} {
			book, err := q.UpsertBook(ctx, sqlcshop.UpsertBookParams{Isbn: isbn, Author: anna.ID, Genre: sqlcshop.GenreNovel, Price: price, Cover: []byte{0, 1}, Extra: json.RawMessage(`{"pages": 7}`)})
			x.must(err)
			x.note("upserted", book)
		}
	}
	res, err := q.RaisePrices(ctx, sqlcshop.RaisePricesParams{Factor: "1.1", Genre: sqlcshop.GenreNovel})
	x.must(err)
	n, err := res.RowsAffected()
	x.note("raised", n, err)
	n, err = q.RenameAuthor(ctx, sqlcshop.RenameAuthorParams{ID: ben.ID, Name: sql.NullString{String: "benjamin", Valid: true}})
	x.note("renamed", n, err)
	books, err := q.BooksOf(ctx, "anna")
	x.must(err)
	for _, b := range books {
		x.note("book", b.Isbn, b.AuthorName, b.Genre, b.Price, b.Cover, string(b.Extra))
	}

	inTx := func(end func(*sql.Tx) error, work func(*sqlcshop.Queries)) {
		x.Helper()
		tx, err := x.db.BeginTx(ctx, nil)
		x.must(err)
		work(q.WithTx(tx))
		x.must(end(tx))
	}
	change := func(q *sqlcshop.Queries) {
		price, err := q.LockBook(ctx, "1")
		x.must(err)
		_, err = q.UpsertBook(ctx, sqlcshop.UpsertBookParams{Isbn: "1", Author: anna.ID, Genre: sqlcshop.GenrePoetry, Price: "99", Extra: json.RawMessage("{}")})
		x.must(err)
		gone, err := q.RemoveBooks(ctx, "50")
		x.note("in a transaction", price, gone, err)
	}
	inTx((*sql.Tx).Rollback, change)
	inTx((*sql.Tx).Commit, change)

	_, err = q.UpsertBook(ctx, sqlcshop.UpsertBookParams{Isbn: "3", Author: 99, Genre: sqlcshop.GenreNovel, Price: "1", Extra: json.RawMessage("{}")})
	x.refused("foreign key", "23503", err)
	_, err = q.UpsertBook(ctx, sqlcshop.UpsertBookParams{Isbn: "3", Author: anna.ID, Genre: "opera", Price: "1", Extra: json.RawMessage("{}")})
	x.refused("enum", "22P02", err)
	x.must(q.DeleteAuthor(ctx, ben.ID))
	_, err = q.CreateAuthor(ctx, sqlcshop.CreateAuthorParams{Name: "anna", Tags: []string{}})
	x.refused("unique", "23505", err)
}
