package tsql

import (
	"strings"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// plainFunctions have the same name, arguments and type in the support schema or in PostgreSQL.
var plainFunctions = words(`UPPER LOWER LTRIM RTRIM TRIM REVERSE LEFT RIGHT SUBSTRING REPLACE REPLICATE STUFF SPACE ASCII UNICODE
QUOTENAME CHARINDEX DATALENGTH NULLIF COALESCE ABS ROUND FLOOR CEILING POWER SQRT EXP SIGN SIN COS TAN PI DEGREES RADIANS NEWID GETDATE
SYSDATETIME SYSDATETIMEOFFSET YEAR MONTH DAY SWITCHOFFSET TODATETIMEOFFSET DB_ID DB_NAME SCHEMA_ID SCHEMA_NAME OBJECT_ID OBJECT_NAME
SERVERPROPERTY DATABASEPROPERTYEX APPLOCK_TEST SCOPE_IDENTITY IDENT_CURRENT ROW_NUMBER RANK DENSE_RANK NTILE LAG LEAD FIRST_VALUE LAST_VALUE
MIN MAX SUM AVG CHAR NCHAR`)

var aggregates = words("COUNT COUNT_BIG SUM AVG MIN MAX STRING_AGG")

// sameAs are other names of functions.
var sameAs = map[string]string{"GETUTCDATE": "getdate", "SYSUTCDATETIME": "sysdatetime", "NEWSEQUENTIALID": "newid"}

// dateParts are the names and abbreviations of DATEADD and its kin ("DATEADD", argument datepart).
var dateParts = map[string]string{
	"YEAR": "year", "YY": "year", "YYYY": "year", "QUARTER": "quarter", "QQ": "quarter", "Q": "quarter", "MONTH": "month",
	"MM": "month", "M": "month", "DAYOFYEAR": "dayofyear", "DY": "dayofyear", "Y": "dayofyear", "DAY": "day", "DD": "day", "D": "day",
	"WEEK": "week", "WK": "week", "WW": "week", "WEEKDAY": "weekday", "DW": "weekday", "HOUR": "hour", "HH": "hour",
	"MINUTE": "minute", "MI": "minute", "N": "minute", "SECOND": "second", "SS": "second", "S": "second",
	"MILLISECOND": "millisecond", "MS": "millisecond", "MICROSECOND": "microsecond", "MCS": "microsecond",
	"NANOSECOND": "nanosecond", "NS": "nanosecond",
}

// special parses what begins with a word and is no column: functions, and the constants that look like columns.
func (p *parser) special() (code, bool) {
	t := p.peek()
	switch t.up {
	case "CURRENT_TIMESTAMP":
		p.next()
		return sql("getdate()"), true
	case "CURRENT_USER", "SESSION_USER", "USER":
		p.next()
		return sql("'dbo'::tsql.nvarchar(128)"), true
	case "SYSTEM_USER":
		p.next()
		return sql(sessionText(func(s *session) string { return s.user })), true
	}
	if t.kind != tokWord || p.ahead(1).up != "(" {
		return nil, false
	}
	var c code
	p.withoutKeys(func() {
		p.pos += 2
		c = p.function(t)
	})
	return c, true
}

// function parses the call of one behind its opening parenthesis.
func (p *parser) function(t token) code {
	if known, ok := sessionFunctions[t.up]; ok {
		p.expect(")")
		return known.code()
	}
	switch t.up {
	case "CAST", "TRY_CAST":
		o := p.scalar()
		p.expect("AS")
		to := p.typeName(30)
		p.expect(")")
		return p.convert(t, o, to, nil)
	case "CONVERT", "TRY_CONVERT":
		to := p.typeName(30)
		p.expect(",")
		o := p.scalar()
		var style code
		if p.accept(",") {
			style = p.scalar().code
		}
		p.expect(")")
		return p.convert(t, o, to, style)
	case "COUNT", "COUNT_BIG":
		return p.count(t)
	case "STRING_AGG":
		return p.stringAgg()
	case "IIF":
		condition := p.expr()
		p.expect(",")
		yes := p.scalar()
		p.expect(",")
		no := p.scalar()
		p.expect(")")
		return sql("case when ", condition.code, " then ", yes.code, " else ", no.code, " end")
	case "DATEADD", "DATEDIFF", "DATEDIFF_BIG", "DATEPART":
		return p.dateFunction(t)
	}
	args := p.arguments(t)
	switch t.up {
	case "ISNULL":
		return sql("coalesce(", join(args, ", "), ")")
	case "LEN":
		return sql("len((", args[0], ")::tsql.nvarchar)")
	case "CONCAT", "CONCAT_WS":
		for i, arg := range args {
			args[i] = sql("(", arg, ")::tsql.nvarchar::text")
		}
		return sql(strings.ToLower(t.up), "(", join(args, ", "), ")::tsql.nvarchar")
	case "SUSER_SNAME", "SUSER_NAME", "ORIGINAL_LOGIN":
		return sql(sessionText(func(s *session) string { return s.user }))
	case "USER_NAME":
		return sql("'dbo'::tsql.nvarchar(128)")
	case "IS_ROLEMEMBER", "IS_SRVROLEMEMBER", "HAS_PERMS_BY_NAME", "HAS_DBACCESS", "IS_MEMBER":
		return sql("1") // everybody is the superuser here
	case "APPLOCK_MODE":
		return sql(applockMode(args))
	}
	name := strings.ToLower(t.up)
	if other, ok := sameAs[t.up]; ok {
		name = other
	} else if !plainFunctions[t.up] {
		panic(unknown(t.line, "function "+t.text))
	}
	if t.up != "COALESCE" && t.up != "NULLIF" { // those are grammar, of PostgreSQL too
		name = ident(name)
	}
	return p.over(t, sql(name, "(", join(args, ", "), ")"))
}

func (p *parser) arguments(t token) []code {
	var args []code
	distinct := aggregates[t.up] && p.accept("DISTINCT")
	if !p.at(")") {
		p.list(func() { args = append(args, p.expr().code) })
	}
	p.expect(")")
	if distinct {
		args[0] = sql("distinct ", args[0])
	}
	if len(args) == 0 && (t.up == "LEN" || t.up == "ISNULL" || t.up == "APPLOCK_MODE") {
		panic(refusal(174, t.line, "The "+strings.ToLower(t.text)+" function requires 1 argument(s)."))
	}
	return args
}

// count is an int, COUNT_BIG a bigint as in PostgreSQL.
func (p *parser) count(t token) code {
	arg := sql("*")
	if !p.accept("*") {
		distinct := p.accept("DISTINCT")
		arg = p.expr().code
		if distinct {
			arg = sql("distinct ", arg)
		}
	}
	p.expect(")")
	c := p.over(t, sql("count(", arg, ")"))
	if t.up == "COUNT" {
		c = sql("(", c, ")::int4")
	}
	return c
}

func (p *parser) stringAgg() code {
	item := p.scalar()
	p.expect(",")
	separator := p.scalar()
	p.expect(")")
	order := code(nil)
	if p.accept("WITHIN", "GROUP") {
		p.parenthesized(func() { order = p.orderBy() })
	}
	p.seen.aggregates++
	return sql("string_agg((", item.code, ")::tsql.nvarchar::text, (", separator.code, ")::tsql.nvarchar::text", order, ")::tsql.nvarchar")
}

// over adds an OVER clause, or counts an aggregate that has none.
func (p *parser) over(t token, call code) code {
	if !p.accept("OVER") {
		if aggregates[t.up] {
			p.seen.aggregates++
		}
		return call
	}
	c := sql(call, " over (")
	p.parenthesized(func() {
		if p.accept("PARTITION", "BY") {
			var items []code
			p.list(func() { items = append(items, p.scalar().code) })
			c.add("partition by ", join(items, ", "))
		}
		c.add(p.orderBy())
		if p.at("ROWS") || p.at("RANGE") {
			for !p.at(")") && p.peek().kind != tokEnd {
				c.add(" ", p.next().text)
			}
		}
	})
	return sql(c, ")")
}

func (p *parser) dateFunction(t token) code {
	word := p.next()
	part, ok := dateParts[word.up]
	if !ok {
		panic(refusal(155, word.line, "'"+word.text+"' is not a recognized "+strings.ToLower(t.text)+" option."))
	}
	p.expect(",")
	first := p.scalar()
	if t.up == "DATEPART" {
		p.expect(")")
		return sql("datepart(", literal(part), ", (", first.code, ")::tsql.datetimeoffset)")
	}
	p.expect(",")
	second := p.scalar()
	p.expect(")")
	if part == "dayofyear" || part == "weekday" {
		part = "day"
	}
	if t.up == "DATEADD" {
		return sql("dateadd(", literal(part), ", (whole(", first.code, "))::int8, ", second.code, ")")
	}
	c := sql("datediff(", literal(part), ", (", first.code, ")::tsql.datetimeoffset, (", second.code, ")::tsql.datetimeoffset)")
	if t.up == "DATEDIFF" {
		c = sql("(", c, ")::int4")
	}
	return c
}

// convert is CAST and CONVERT. TRY_ has NULL for what cannot be converted, which needs a function of its own.
func (p *parser) convert(t token, o operand, to tds.Type, style code) code {
	typ := pgType(to)
	switch {
	case strings.HasPrefix(t.up, "TRY_"):
		return sql("try_convert((", o.code, ")::tsql.nvarchar::text, ", literal(typ), ")::", typ)
	case o.null:
		return sql("null::", typ)
	case style != nil && stringy(to.Kind):
		return sql("(styled(", o.code, ", ", style, "))::", typ)
	case style != nil && lengthy(to.Kind):
		return sql("(bytes_of(", o.code, ", ", style, "))::", typ)
	case integer(to.Kind):
		return sql("(whole(", o.code, "))::", typ)
	}
	return sql("(", o.code, ")::", typ)
}
