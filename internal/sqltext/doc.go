// Package sqltext reads SQL text without knowing any database: what kind of
// statement it is, where its placeholders are, which functions it may call,
// which session settings it makes, and which hint comments it carries. It also
// renders the text with another placeholder style.
//
// It tokenizes; it does not parse. Where a text is not plain, it decides for
// the stronger [Kind]: a read that is taken for a write costs time, a write
// that is taken for a read loses data.
//
// # Placeholders
//
// A caller may write one of
//
//	?      in order                 a = ? AND b = ?
//	$1     numbered                 a = $1 AND b = $2
//	@p1    numbered, any case       a = @p1 AND b = @p2
//	?1     numbered                 a = ?1 AND b = ?2
//	@name  with sql.Named           a = @first AND b = @second
//
// Named ones may stand beside one of the others. Which marks of a text are
// placeholders depends on the arguments, so [Statement.Bind] takes their
// [Shape]:
//
//   - If any $n occurs, it is the style, and ? is PostgreSQL's operator. Next come @pN, ?n and ?.
//     In the SQLServer dialect @pN comes before $n, and $5 beside @p1 is a money literal.
//   - Without positional arguments ? and @pN are no placeholders.
//   - @name is a placeholder if an argument of that name was passed. Before
//     the arguments are known, every @name is, but local variables of T-SQL.
//   - ?? is the operator ? where ? is the style. In the Postgres dialect ?|, ?& and @? are operators
//     always (?|| and ?&& are a placeholder and an operator).
//   - In the Postgres and Generic dialects <@, @> and @@ are operators always.
//
// Every function is safe for concurrent use.
package sqltext
