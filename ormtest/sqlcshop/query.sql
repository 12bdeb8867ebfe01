-- name: CreateAuthor :one
INSERT INTO author (name, born, tags) VALUES ($1, $2, $3) RETURNING *;

-- name: AuthorsByID :many
SELECT * FROM author WHERE id = ANY(@ids::bigint[]) ORDER BY id;

-- name: RenameAuthor :execrows
UPDATE author SET name = coalesce(sqlc.narg('name'), name), born = $2 WHERE id = $1;

-- name: DeleteAuthor :exec
DELETE FROM author WHERE id = $1;

-- name: UpsertBook :one
INSERT INTO book (isbn, author, genre, price, cover, extra) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (isbn) DO UPDATE SET price = excluded.price, genre = excluded.genre
RETURNING isbn, price;

-- name: RaisePrices :execresult
UPDATE book SET price = price * sqlc.arg('factor')::numeric WHERE genre = $1;

-- name: BooksOf :many
SELECT b.*, a.name AS author_name FROM book b JOIN author a ON a.id = b.author WHERE a.name = $1 ORDER BY b.isbn;

-- name: LockBook :one
SELECT price FROM book WHERE isbn = $1 FOR UPDATE;

-- name: RemoveBooks :many
DELETE FROM book WHERE price > @above::numeric RETURNING isbn;
