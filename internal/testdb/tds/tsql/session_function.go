package tsql

import "strconv"

// sessionFunction is a function whose value the session knows: its text is put into what PostgreSQL gets.
type sessionFunction struct {
	text gap
	typ  string
}

func (s sessionFunction) code() code { return sql("(", s.text, ")::", s.typ) }

func whole(value func(f *frame) int64) sessionFunction {
	return sessionFunction{func(f *frame) (string, error) { return strconv.FormatInt(value(f), 10), nil }, "int4"}
}

func ofError(typ string, value func(e *failure) string) sessionFunction {
	return sessionFunction{func(f *frame) (string, error) {
		if len(f.caught) == 0 {
			return "null", nil
		}
		return value(f.caught[len(f.caught)-1]), nil
	}, typ}
}

func sessionText(value func(s *session) string) gap {
	return func(f *frame) (string, error) { return literal(value(f.s)) + "::tsql.nvarchar(128)", nil }
}

// serverName is what @@SERVERNAME and SERVERPROPERTY say.
const serverName = "DUALSQL-TEST"

// sessionFunctions are without arguments; those with @@ are written without parentheses.
var sessionFunctions = map[string]sessionFunction{
	"@@TRANCOUNT":            whole(func(f *frame) int64 { return int64(f.s.tran.count) }),
	"@@ROWCOUNT":             whole(func(f *frame) int64 { return f.s.rowCount }),
	"ROWCOUNT_BIG":           whole(func(f *frame) int64 { return f.s.rowCount }),
	"@@ERROR":                whole(func(f *frame) int64 { return int64(f.s.lastError) }),
	"@@SPID":                 whole(func(f *frame) int64 { return int64(f.s.spid) }).as("int2"),
	"@@NESTLEVEL":            whole(func(f *frame) int64 { return int64(f.s.depth - 1) }),
	"@@LOCK_TIMEOUT":         whole(func(f *frame) int64 { return int64(f.s.lockTimeout) }),
	"@@OPTIONS":              whole(options),
	"@@MAX_PRECISION":        whole(func(*frame) int64 { return 38 }).as("int2"),
	"@@DATEFIRST":            whole(func(*frame) int64 { return 7 }).as("int2"),
	"@@SERVERNAME":           {sessionText(func(*session) string { return serverName }), "tsql.nvarchar(128)"},
	"@@LANGUAGE":             {sessionText(func(*session) string { return "us_english" }), "tsql.nvarchar(128)"},
	"@@VERSION":              {sessionText(func(*session) string { return "Microsoft SQL Server 2022 (test endpoint on PostgreSQL)" }), "tsql.nvarchar(300)"},
	"@@IDENTITY":             {func(*frame) (string, error) { return "scope_identity()", nil }, "numeric(38)"},
	"XACT_STATE":             whole(xactState).as("int2"),
	"ERROR_NUMBER":           ofError("int4", func(e *failure) string { return strconv.Itoa(int(e.Number)) }),
	"ERROR_SEVERITY":         ofError("int4", func(e *failure) string { return strconv.Itoa(int(e.Class)) }),
	"ERROR_STATE":            ofError("int4", func(e *failure) string { return strconv.Itoa(int(e.State)) }),
	"ERROR_LINE":             ofError("int4", func(e *failure) string { return strconv.Itoa(int(e.Line)) }),
	"ERROR_MESSAGE":          ofError("tsql.nvarchar(4000)", func(e *failure) string { return literal(e.Text) }),
	"ERROR_PROCEDURE":        ofError("tsql.nvarchar(128)", procedureOf),
	"SCOPE_IDENTITY":         {func(*frame) (string, error) { return "scope_identity()", nil }, "numeric(38)"},
	"CURRENT_TRANSACTION_ID": whole(func(f *frame) int64 { return int64(f.s.tran.descriptor) }).as("int8"),
}

func (s sessionFunction) as(typ string) sessionFunction {
	s.typ = typ
	return s
}

func procedureOf(e *failure) string {
	if e.Procedure == "" {
		return "null"
	}
	return literal(e.Procedure)
}

// xactState: "XACT_STATE".
func xactState(f *frame) int64 {
	switch {
	case f.s.tran.count == 0:
		return 0
	case f.s.tran.doomed:
		return -1
	}
	return 1
}

// options are the bits of @@OPTIONS: those that never change here, XACT_ABORT and NOCOUNT ("Configure the user options").
func options(f *frame) int64 {
	bits := int64(8 | 16 | 32 | 256 | 1024 | 4096)
	if f.s.xactAbort {
		bits |= 16384
	}
	if f.s.noCount {
		bits |= 512
	}
	return bits
}
