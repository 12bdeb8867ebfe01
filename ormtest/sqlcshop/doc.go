// Package sqlcshop is what sqlc generates of schema.sql and query.sql.
package sqlcshop

import _ "embed"

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

// Schema creates the tables.
//
//go:embed schema.sql
var Schema string
