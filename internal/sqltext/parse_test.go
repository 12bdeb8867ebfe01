package sqltext

import (
	"reflect"
	"strings"
	"testing"
)

func TestHint(t *testing.T) {
	tests := []struct {
		text    string
		want    Hint
		wantErr string
	}{
		{"SELECT 1", NoHint, ""},
		{"/* dualsql:mirror */ SELECT f()", HintMirror, ""},
		{"SELECT f() /*dualsql:primary*/", HintPrimary, ""},
		{"SELECT f( -- dualsql:mirror\n)", HintMirror, ""},
		{"/* dualsql:mirror */ SELECT 1 -- dualsql:mirror", HintMirror, ""},
		{"SELECT '/* dualsql:mirror */'", NoHint, ""},
		{"SELECT 1 /* not dualsql:mirror */", NoHint, ""},
		{"/* dualsql:mirror */ SELECT 1 /* dualsql:primary */", HintMirror, "contradict"},
		{"/* dualsql:miror */ SELECT 1", NoHint, "unknown hint"},
		{"SELECT 1 /* dualsql:mirror", HintMirror, ""},
	}
	for _, d := range []Dialect{Postgres, SQLite, SQLServer, Generic} {
		for _, tt := range tests {
			s := Parse(tt.text, d)
			if s.Hint != tt.want || !errorHas(s.HintErr, tt.wantErr) {
				t.Errorf("%v: hint of %q = %v, %v; want %v, error with %q", d, tt.text, s.Hint, s.HintErr, tt.want, tt.wantErr)
			}
			if _, _, err := s.Bind(Shape{}, Dollar); !errorHas(err, tt.wantErr) {
				t.Errorf("%v: Bind of %q = %v, want error with %q", d, tt.text, err, tt.wantErr)
			}
		}
	}
}

// errorHas: an empty part means no error.
func errorHas(err error, part string) bool {
	if part == "" || err == nil {
		return part == "" && err == nil
	}
	return strings.Contains(err.Error(), part)
}

func TestCalls(t *testing.T) {
	tests := []struct {
		d    Dialect
		text string
		want []Function
	}{
		{Postgres, "SELECT 1", nil},
		{Postgres, `SELECT F(1), f (2), "F"(3), s.g(4), "S"."a""b"(5)`,
			[]Function{{"", "f"}, {"", "F"}, {"s", "g"}, {"S", `a"b`}}},
		{Postgres, "SELECT * FROM a.b.f() WHERE x IN (1) AND EXISTS (SELECT 1) AND y = ANY (z)", []Function{{"b", "f"}}},
		{Postgres, "SELECT sum(a) FILTER (WHERE b) OVER (ORDER BY c), filter(d)", []Function{{"", "sum"}, {"", "filter"}}},
		{Postgres, "SELECT f /* c */ (1), 'g(2)', replace(a), left(b)", []Function{{"", "f"}, {"", "replace"}, {"", "left"}}},
		{SQLite, `SELECT "F"(1), [g](2)`, []Function{{"", "f"}, {"", "g"}}},
		{SQLServer, "SELECT dbo.F(1), [dbo].[G]](](2)", []Function{{"dbo", "F"}, {"dbo", "G]("}}},
	}
	for _, tt := range tests {
		if got := Parse(tt.text, tt.d).Calls; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%v: calls of %q = %q, want %q", tt.d, tt.text, got, tt.want)
		}
	}
}

func TestSettings(t *testing.T) {
	tests := []struct {
		d    Dialect
		text string
		want []Setting
	}{
		{Postgres, "SET Search_Path = A, 'b' -- c", []Setting{{Name: "search_path", Value: "A, 'b'"}}},
		{Postgres, "SET LOCAL lock_timeout TO '5s'", []Setting{{Name: "lock_timeout", Value: "'5s'", Local: true}}},
		{Postgres, "SET SESSION my.var = 1; RESET my.var", []Setting{{Name: "my.var", Value: "1"}, {Name: "my.var", Reset: true}}},
		{Postgres, "SET work_mem TO DEFAULT", []Setting{{Name: "work_mem", Reset: true}}},
		{Postgres, "SET TIME ZONE 'UTC'", []Setting{{Name: "timezone", Value: "'UTC'"}}},
		{Postgres, "RESET TIME ZONE", []Setting{{Name: "timezone", Reset: true}}},
		{Postgres, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", []Setting{{Name: "transaction", Value: "ISOLATION LEVEL SERIALIZABLE"}}},
		{Postgres, "SET LOCAL TRANSACTION READ ONLY", []Setting{{Name: "transaction", Value: "READ ONLY", Local: true}}},
		{Postgres, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
			[]Setting{{Name: "session characteristics", Value: "AS TRANSACTION READ ONLY"}}},
		{Postgres, "SET SESSION AUTHORIZATION joe", []Setting{{Name: "session authorization", Value: "joe"}}},
		{Postgres, "SET LOCAL SESSION AUTHORIZATION joe", []Setting{{Name: "session authorization", Value: "joe", Local: true}}},
		{Postgres, "SET ROLE joe", []Setting{{Name: "role", Value: "joe"}}},
		{Postgres, "SET role = joe", []Setting{{Name: "role", Value: "joe"}}},
		{Postgres, "SET CONSTRAINTS ALL DEFERRED", []Setting{{Name: "constraints", Value: "ALL DEFERRED"}}},
		{Postgres, "RESET ALL", []Setting{{Name: "all", Reset: true}}},
		{Postgres, "DISCARD ALL", []Setting{{Name: "all", Reset: true}}},
		{Postgres, "DISCARD PLANS", nil},
		{Postgres, "SET", []Setting{{}}},
		{SQLite, "PRAGMA main.Foreign_Keys = ON", []Setting{{Name: "main.foreign_keys", Value: "ON"}}},
		{SQLite, "PRAGMA foreign_keys(1)", []Setting{{Name: "foreign_keys", Value: "1"}}},
		{SQLite, "PRAGMA foreign_keys", nil},
		{SQLServer, "SET NOCOUNT, XACT_ABORT ON", []Setting{{Name: "nocount", Value: "ON"}, {Name: "xact_abort", Value: "ON"}}},
		{SQLServer, "SET LOCK_TIMEOUT 5 SELECT 1", []Setting{{Name: "lock_timeout", Value: "5"}}},
		{SQLServer, "SET STATISTICS IO ON", []Setting{{Name: "statistics io", Value: "ON"}}},
		{SQLServer, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT", []Setting{{Name: "transaction isolation level", Value: "ISOLATION LEVEL SNAPSHOT"}}},
		{SQLServer, "SET @x = 1", nil},
		{SQLServer, "USE [d]", []Setting{{Name: "use", Value: "[d]"}}},
		{Generic, "SET a = f(1, 2), b := 3", []Setting{{Name: "a", Value: "f(1, 2)"}, {Name: "b", Value: "3"}}},
		{Generic, "SET NAMES utf8mb4", []Setting{{Name: "client_encoding", Value: "utf8mb4"}}},
	}
	for _, tt := range tests {
		got := Parse(tt.text, tt.d).Settings
		for i := range got {
			got[i].Text = "" // see TestSettingText
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%v: settings of %q = %+v, want %+v", tt.d, tt.text, got, tt.want)
		}
	}
}

func TestSavepoint(t *testing.T) {
	tests := []struct {
		d    Dialect
		text string
		kind Kind
		want SavepointRef
	}{
		{Postgres, "SAVEPOINT Ab", Savepoint, SavepointRef{SetSavepoint, "ab"}},
		{Postgres, `SAVEPOINT "A""b"`, Savepoint, SavepointRef{SetSavepoint, `A"b`}},
		{Postgres, "RELEASE SAVEPOINT a", Savepoint, SavepointRef{ReleaseSavepoint, "a"}},
		{Postgres, "RELEASE a", Savepoint, SavepointRef{ReleaseSavepoint, "a"}},
		{Postgres, "RELEASE savepoint", Savepoint, SavepointRef{ReleaseSavepoint, "savepoint"}},
		{Postgres, "ROLLBACK TO a", Savepoint, SavepointRef{RollbackToSavepoint, "a"}},
		{Postgres, "ROLLBACK WORK TO SAVEPOINT a", Savepoint, SavepointRef{RollbackToSavepoint, "a"}},
		{Postgres, "ROLLBACK", TxControl, SavepointRef{}},
		{Postgres, "SAVEPOINT", Savepoint, SavepointRef{SetSavepoint, ""}},
		{SQLite, "SAVEPOINT [A]", Savepoint, SavepointRef{SetSavepoint, "a"}},
		{SQLServer, "SAVE TRAN [A]", Savepoint, SavepointRef{SetSavepoint, "A"}},
		{SQLServer, "ROLLBACK TRANSACTION a", TxControl, SavepointRef{RollbackToSavepoint, "a"}},
		{SQLServer, "ROLLBACK TRANSACTION", TxControl, SavepointRef{}},
		{SQLServer, "BEGIN TRY ROLLBACK TRAN END TRY", TxControl, SavepointRef{}},
	}
	for _, tt := range tests {
		s := Parse(tt.text, tt.d)
		if s.Kind != tt.kind || s.Savepoint != tt.want {
			t.Errorf("%v: %q = %v %+v, want %v %+v", tt.d, tt.text, s.Kind, s.Savepoint, tt.kind, tt.want)
		}
	}
}

// TestUnclosed: what is not closed reaches to the end, and nothing in it counts.
func TestUnclosed(t *testing.T) {
	for _, open := range []string{"'", `"`, "/*", "--", "E'", `E'\`, "U&'", "$$", "$a$", "(", "$", "?", "@"} {
		for _, d := range []Dialect{Postgres, SQLite, SQLServer, Generic} {
			for _, text := range []string{open, "SELECT " + open, "CREATE TRIGGER " + open, "WITH x AS " + open} {
				if s := Parse(text, d); s.Text != text {
					t.Errorf("%v: %q became %q", d, text, s.Text)
				}
			}
		}
	}
	for _, open := range []string{"'", `"`, "/*", "E'", "$$"} {
		if s := Parse("SELECT "+open+"; DELETE FROM t WHERE a = $1", Postgres); s.Kind != Read || len(s.marks) != 0 {
			t.Errorf("after %s: kind %v, %d marks", open, s.Kind, len(s.marks))
		}
	}
}

// TestLinear would run for minutes if any of these were quadratic.
func TestLinear(t *testing.T) {
	const n = 1 << 14
	for _, unit := range []string{
		"(", ";", "WITH a AS () (", "COPY (", "EXPLAIN ANALYZE ", "COPY (WITH a AS () (", "CASE ", "$a", "$a$ ", "E'a'\n", "/*",
		"CREATE ", "CREATE OR ", "ALTER DROP ", "# ", "INSERT ", "@a, ", "? ", "EXEC p @a = ", "[", "a.", "SET a = 1, ", "CREATE TRIGGER ;",
		"DECLARE @a ,", "EXPLAIN (", "REINDEX (", "WITH a AS (), ",
	} {
		for _, d := range []Dialect{Postgres, SQLite, SQLServer, Generic} {
			s := Parse(strings.Repeat(unit, n), d)
			if _, _, err := s.Bind(Shape{Unknown: true}, Dollar); err != nil && len(err.Error()) > 200 {
				t.Errorf("%v: %q: long error", d, unit)
			}
		}
	}
}

// TestSettingText: each setting has the statement that makes it, and a name without quotes.
func TestSettingText(t *testing.T) {
	got := Parse(`set "Search_Path" = a; insert into t values (1); reset "role"`, Postgres).Settings
	want := []Setting{
		{Name: "search_path", Value: "a", Text: `set "Search_Path" = a`},
		{Name: "role", Reset: true, Text: `reset "role"`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
