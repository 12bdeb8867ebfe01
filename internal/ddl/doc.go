// Package ddl says a change of the schema in another engine's words: what PostgreSQL is told, to SQL Server, and the reverse.
//
// It reads the subset that migration tools write (schemas, tables, columns, constraints, indexes) into a small tree and writes that
// anew. It guesses nothing: what it does not know to mean the same there is an [Error] that names the construct and its place.
// docs/ddl.md has the table of types and the list of constructs.
//
// The reader of each dialect gives names to constraints that have none where the engine's rule for them is known, so that a later
// statement finds them under the same name on both sides.
package ddl
