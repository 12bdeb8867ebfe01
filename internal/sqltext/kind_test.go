package sqltext

import "testing"

func TestKindOfStatement(t *testing.T) {
	everywhere := []Dialect{Postgres, SQLite, SQLServer, Generic}
	pg := []Dialect{Postgres, Generic}
	lite := []Dialect{SQLite}
	ms := []Dialect{SQLServer}
	tests := []struct {
		in   []Dialect
		text string
		want Kind
	}{
		{everywhere, "", Read},
		{everywhere, " ; ; -- nothing\n", Read},
		{everywhere, "SELECT 1", Read},
		{everywhere, "/* c */ (select 1) union (select 2)", Read},
		{everywhere, "SELECT 'delete from t; INTO x FOR UPDATE'", Read},
		{everywhere, `SELECT "into", "for" "update" FROM "x"`, Read},
		{everywhere, "WITH x AS (SELECT 1) SELECT * FROM x", Read},
		{everywhere, "WITH x (a, b) AS (SELECT 1, 2), y AS (SELECT 3) SELECT * FROM x, y", Read},
		{everywhere, "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", Write},
		{everywhere, "WITH x AS (SELECT 1) UPDATE t SET a = 1", Write},
		{everywhere, "SELECT replace(a, 'x', 'y') FROM t", Read},
		{everywhere, "SELECT (replace(a, 'x', 'y')) FROM t", Read},
		{everywhere, "SELECT a INTO b FROM c", Write},
		{everywhere, "INSERT INTO t VALUES (1)", Write},
		{everywhere, "insert into t select * from u", Write},
		{everywhere, "UPDATE t SET a = 1", Write},
		{everywhere, "DELETE FROM t", Write},
		{everywhere, "MERGE INTO t USING u ON a = b WHEN MATCHED THEN UPDATE SET x = 1", Write},
		{everywhere, "TRUNCATE TABLE t", Write},
		{everywhere, "CREATE TABLE t (a int)", DDL},
		{everywhere, "ALTER TABLE t ADD b int", DDL},
		{everywhere, "DROP TABLE t", DDL},
		{everywhere, "GRANT SELECT ON t TO u", DDL},
		{everywhere, "COMMIT", TxControl},
		{everywhere, "ROLLBACK", TxControl},
		{everywhere, "SELECT 1; DELETE FROM t", Write},
		{everywhere, "SELECT 1; COMMIT; DELETE FROM t", TxControl},
		{everywhere, "= 1", Other},
		{everywhere, "SELECT * FROM t FOR UPDATE", LockingRead},

		{pg, "BEGIN", TxControl},
		{pg, "START TRANSACTION ISOLATION LEVEL SERIALIZABLE", TxControl},
		{pg, "END", TxControl},
		{pg, "ABORT", TxControl},
		{pg, "PREPARE TRANSACTION 'x'", TxControl},
		{pg, "COMMIT PREPARED 'x'", TxControl},
		{pg, "ROLLBACK PREPARED 'x'", TxControl},
		{pg, "ROLLBACK AND CHAIN", TxControl},
		{pg, "VALUES (1), (2)", Read},
		{pg, "TABLE t", Read},
		{pg, "SHOW search_path", Read},
		{pg, "EXPLAIN DELETE FROM t", Read},
		{pg, "EXPLAIN (VERBOSE) DELETE FROM t", Read},
		{pg, "EXPLAIN ANALYZE SELECT 1", Read},
		{pg, "EXPLAIN ANALYZE VERBOSE DELETE FROM t", Write},
		{pg, "EXPLAIN (ANALYZE, BUFFERS) INSERT INTO t VALUES (1)", Write},
		{pg, "EXPLAIN (BUFFERS, ANALYZE off) DELETE FROM t", Read},
		{pg, "EXPLAIN (ANALYZE on) WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x", Write},
		{pg, "EXPLAIN (SELECT 1)", Read},
		{pg, "SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED", LockingRead},
		{pg, "SELECT * FROM t FOR KEY SHARE", LockingRead},
		{pg, "SELECT 'a' FOR SHARE", LockingRead},
		{pg, "SELECT * FROM (SELECT * FROM t FOR UPDATE) x", LockingRead},
		{pg, "WITH x AS (SELECT * FROM t FOR UPDATE) SELECT * FROM x", LockingRead},
		{pg, "SELECT substring(a for 3) FROM t", Read},
		{pg, "SELECT t.into, 1 AS into FROM t", Read},
		{pg, "LOCK TABLE t IN EXCLUSIVE MODE", LockingRead},
		{pg, "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", Write},
		{pg, "WITH x AS MATERIALIZED (SELECT 1), y AS (UPDATE t SET a = 1 RETURNING a) SELECT * FROM y", Write},
		{pg, "WITH x AS (INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 2 RETURNING a) TABLE x", Write},
		{pg, "WITH update AS (SELECT 1) SELECT * FROM update", Read},
		{pg, "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM x) SEARCH DEPTH FIRST BY n, m SET o CYCLE n SET c USING p SELECT * FROM x", Read},
		{pg, "COPY t (a) FROM STDIN", Write},
		{pg, "COPY t TO STDOUT", Read},
		{pg, "COPY (SELECT 1) TO STDOUT", Read},
		{pg, "COPY (DELETE FROM t RETURNING a) TO STDOUT", Write},
		{pg, "COPY (WITH x AS (SELECT 1) DELETE FROM t RETURNING a) TO STDOUT", Write},
		{pg, "LISTEN x", Local},
		{pg, "NOTIFY x, 'y'", Local},
		{pg, "DECLARE c CURSOR FOR SELECT 1", Local},
		{pg, "FETCH 10 FROM c", Local},
		{pg, "CHECKPOINT", Local},
		{pg, "SET search_path = a, b", Session},
		{pg, "RESET ALL", Session},
		{pg, "DISCARD ALL", Session},
		{pg, "SAVEPOINT a", Savepoint},
		{pg, "CALL p(1)", Call},
		{pg, "DO $$ BEGIN DELETE FROM t; END $$", Call},
		{pg, "COMMENT ON TABLE t IS 'x'", DDL},
		{pg, "REFRESH MATERIALIZED VIEW CONCURRENTLY v", DDL},
		{pg, "REINDEX TABLE t", DDL},
		{pg, "SECURITY LABEL ON TABLE t IS 'x'", DDL},
		{pg, "CREATE TABLE t AS SELECT 1", DDL},
		{pg, "CREATE INDEX i ON t (a)", DDL},
		{pg, "ALTER TYPE t ADD VALUE 'x'", DDL},
		{pg, "VACUUM (ANALYZE) t", NoTx},
		{pg, "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", NoTx},
		{pg, "DROP INDEX CONCURRENTLY i", NoTx},
		{pg, "REINDEX INDEX CONCURRENTLY i", NoTx},
		{pg, "REINDEX (CONCURRENTLY) INDEX i", NoTx},
		{pg, "REINDEX (VERBOSE) DATABASE d", NoTx},
		{pg, "REINDEX SCHEMA s", NoTx},
		{pg, "CREATE DATABASE d", NoTx},
		{pg, "DROP TABLESPACE s", NoTx},
		{pg, "ALTER DATABASE d SET TABLESPACE s", NoTx},
		{pg, "ALTER DATABASE d SET work_mem = 1", DDL},
		{pg, "ALTER SYSTEM SET a = 1", NoTx},
		{pg, "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p", NoTx},
		{pg, "ALTER SUBSCRIPTION s REFRESH PUBLICATION", NoTx},
		{pg, "ALTER SUBSCRIPTION s DISABLE", DDL},
		{pg, "ALTER TABLE t DETACH PARTITION p CONCURRENTLY", NoTx},
		{pg, "CLUSTER", NoTx},
		{pg, "CLUSTER (VERBOSE)", NoTx},
		{pg, "CLUSTER t USING i", DDL},
		{pg, "frobnicate", Other},
		{pg, "SELECT 1 # 2", Read},

		{[]Dialect{Postgres}, "PREPARE p AS INSERT INTO t VALUES (1)", Local},
		{[]Dialect{Postgres}, "EXECUTE p", Local},
		{[]Dialect{Postgres}, "SELECT /* a /* b */ ; DELETE */ 1", Read},
		{[]Dialect{Postgres}, `SELECT '\'; DELETE FROM t; --'`, Write},
		{[]Dialect{Postgres}, `SELECT E'\'; DELETE FROM t; --'`, Read},
		{[]Dialect{Postgres}, "SELECT E'a'\n  'b\\'; DELETE FROM t; --'", Read},
		{[]Dialect{Postgres}, "SELECT 'a'\n  'b\\'; DELETE FROM t; --'", Write},
		{[]Dialect{Postgres}, "SELECT E'a' 'b\\'; DELETE FROM t; --'", Write},
		{[]Dialect{Postgres}, `SELECT U&'\0041\'; DELETE FROM t`, Write},
		{[]Dialect{Postgres}, `SELECT U&"\0041;" FROM t`, Read},
		{[]Dialect{Postgres}, "SELECT 1_000, 1..2", Read},
		{[]Dialect{Postgres}, "SELECT a[1:2] FROM t; DELETE FROM t", Write},
		{[]Dialect{Postgres}, "SELECT $a$ ; DELETE FROM t; $b$ $a$", Read},
		{[]Dialect{Postgres}, "SELECT a$b$ FROM t; DELETE FROM t; SELECT $b$", Write},
		{[]Dialect{Postgres}, "SELECT 1 -- x\rDELETE", Read},
		{[]Dialect{Postgres}, "SELECT 1; -- x\rDELETE FROM t", Write},

		{lite, "BEGIN IMMEDIATE", TxControl},
		{lite, "END TRANSACTION", TxControl},
		{lite, "ROLLBACK TRANSACTION TO SAVEPOINT a", Savepoint},
		{lite, "REPLACE INTO t VALUES (1)", Write},
		{lite, "VACUUM", NoTx},
		{lite, "REINDEX", DDL},
		{lite, "PRAGMA user_version", Read},
		{lite, "PRAGMA main.user_version", Read},
		{lite, "PRAGMA user_version = 3", Session},
		{lite, "PRAGMA table_info(t)", Read},
		{lite, "PRAGMA foreign_keys(on)", Session},
		{lite, "PRAGMA wal_checkpoint(TRUNCATE)", Local},
		{lite, "EXPLAIN QUERY PLAN DELETE FROM t", Read},
		{lite, "EXPLAIN ANALYZE", Read},
		{lite, "ATTACH 'x' AS y", Local},
		{lite, "SELECT [into] FROM `for update`", Read},
		{lite, "SELECT /* /* */ 1; DELETE FROM t", Write},

		{ms, "SELECT [into]]; DELETE FROM t;] FROM t", Read},
		{ms, "SELECT * FROM t WITH (UPDLOCK, ROWLOCK)", LockingRead},
		{ms, "SELECT * FROM t WITH (NOLOCK)", Read},
		{ms, "SELECT NEXT VALUE FOR s", Local},
		{ms, "EXEC p 1", Call},
		{ms, "p", Call},
		{ms, "[dbo].[p]", Call},
		{ms, "dbo.p 1, 2", Call},
		{ms, "SELECT 1; p", Other},
		{ms, "BEGIN TRAN", TxControl},
		{ms, "BEGIN DISTRIBUTED TRANSACTION x", TxControl},
		{ms, "COMMIT TRAN x", TxControl},
		{ms, "ROLLBACK TRAN x", TxControl},
		{ms, "SAVE TRANSACTION x", Savepoint},
		{ms, "SET NOCOUNT ON", Session},
		{ms, "DECLARE @x int = 1; SET @x = 2; SELECT @x", Read},
		{ms, "SELECT 1 UPDATE t SET a = 1", Write},
		{ms, "select 1update t set a = 1", Write},
		{ms, "SELECT 1 COMMIT", TxControl},
		{ms, "IF EXISTS (SELECT 1) BEGIN DELETE FROM t END", Write},
		{ms, "IF 1 = 1 SELECT 1 ELSE SELECT 2", Read},
		{ms, "DECLARE @x int SELECT @x = 1 EXEC p @x", Call},
		{ms, "WITH x AS (SELECT 1 AS a) DELETE FROM x", Write},
		{ms, "SELECT a FROM t ORDER BY a OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY", Read},
		{ms, "SELECT * FROM a INNER MERGE JOIN b ON a.x = b.x", Read},
		{ms, "UPDATE STATISTICS t", DDL},
		{ms, "CREATE OR ALTER PROCEDURE p AS BEGIN TRAN; COMMIT", DDL},
		{ms, "ALTER DATABASE d SET RECOVERY SIMPLE", NoTx},
		{ms, "BACKUP DATABASE d TO DISK = 'x'", NoTx},
		{ms, "EXECUTE AS USER = 'x'", Session},
		{ms, "REVERT", Session},
		{ms, "PRINT 'x'", Local},
		{ms, "DENY SELECT ON t TO u", DDL},
		{ms, "BULK INSERT t FROM 'x'", Write},
		{ms, "DBCC CHECKIDENT (t)", Other},
		{ms, "DECLARE c CURSOR FOR SELECT a FROM t FOR UPDATE", Local},
		{ms, "SELECT 0x1FINTO t", Write}, // hexadecimal digits end before INTO
		{ms, "SELECT 1.5e3INTO t", Write},

		{[]Dialect{Generic}, `SELECT 'it\'s'`, Other},
		{[]Dialect{Generic}, "SELECT 1 /*! INTO OUTFILE 'x' */", Other},
		{[]Dialect{Generic}, "SELECT /* a /* b */ 1", Other},
		{[]Dialect{Generic}, "# don't\nSELECT 1", Read},
		{[]Dialect{Generic}, "SELECT 1 # don't\n; DELETE FROM t", Write},
		{[]Dialect{Generic}, "SELECT a #> '{x}'; DELETE FROM t", Write},
		{[]Dialect{Generic}, "SELECT * FROM t LOCK IN SHARE MODE", LockingRead},
		{[]Dialect{Generic}, "PREPARE p FROM 'x'", Other},
		{[]Dialect{Generic}, "START REPLICA", Other},
		{[]Dialect{Generic}, "RENAME TABLE a TO b", DDL},
		{[]Dialect{Generic}, "UNLOCK TABLES", Local},
		{[]Dialect{Generic}, "XA START 'x'", TxControl},
		{[]Dialect{Generic}, "LOAD DATA INFILE 'x' INTO TABLE t", Write},
	}
	for _, tt := range tests {
		for _, d := range tt.in {
			if got := Parse(tt.text, d).Kind; got != tt.want {
				t.Errorf("%v: kind of %q = %v, want %v", d, tt.text, got, tt.want)
			}
		}
	}
}

func TestCountAndVerb(t *testing.T) {
	tests := []struct {
		d     Dialect
		text  string
		count int
		verb  string
	}{
		{Postgres, "", 0, ""},
		{Postgres, ";;SELECT 1;;", 1, "SELECT"},
		{Postgres, "SELECT ';' ; insert into t values ($$;$$) ; /* ; */", 2, "INSERT"},
		{Postgres, "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; SELECT 1", 2, "CREATE FUNCTION"},
		{Postgres, "CREATE FUNCTION f(begin int) RETURNS int AS $$ a; b $$ LANGUAGE sql; SELECT 1", 2, "CREATE FUNCTION"},
		{Postgres, "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); SELECT 1", 2, "CREATE RULE"},
		{Postgres, "CREATE UNIQUE INDEX i ON t (a)", 1, "CREATE INDEX"},
		{Postgres, "COMMIT PREPARED 'x'", 1, "COMMIT PREPARED"},
		{Postgres, "ROLLBACK TO a", 1, "ROLLBACK TO"},
		{Postgres, "WITH x AS (SELECT 1) UPDATE t SET a = 1", 1, "UPDATE"},
		{Postgres, "'secret'", 1, ""},
		{SQLite, "CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET end = CASE WHEN 1 THEN 2 END; SELECT 1; END; SELECT 1", 2, "CREATE TRIGGER"},
		{SQLite, "CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END", 1, "CREATE TRIGGER"},
		{Generic, "CREATE DEFINER=`u`@`h` PROCEDURE p() BEGIN IF a THEN SELECT 1; END IF; CASE x WHEN 1 THEN SELECT 2; END CASE; END; SELECT 1", 2, "CREATE PROCEDURE"},
		{SQLServer, "CREATE PROC p AS SELECT 1; SELECT 2 DELETE FROM t", 1, "CREATE PROC"},
		{SQLServer, "CREATE VIEW v AS WITH x AS (SELECT 1 a) SELECT * FROM x", 1, "CREATE VIEW"},
		{SQLServer, "UPDATE t SET a = 1 SELECT 2", 2, "UPDATE"},
		{SQLServer, "INSERT INTO t SELECT 1 UNION ALL SELECT 2 SELECT 3", 2, "INSERT"},
		{SQLServer, "INSERT INTO t VALUES (1) SELECT 3", 2, "INSERT"},
		{SQLServer, "INSERT INTO t EXEC p", 1, "INSERT"},
		{SQLServer, "MERGE t USING u ON a = b WHEN MATCHED THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN INSERT (x) VALUES (1) WHEN NOT MATCHED BY SOURCE THEN DELETE;", 1, "MERGE"},
		{SQLServer, "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u ON DELETE SET NULL ON UPDATE CASCADE", 1, "ALTER TABLE"},
		{SQLServer, "ALTER TABLE t DROP COLUMN c", 1, "ALTER TABLE"},
		{SQLServer, "GRANT SELECT, INSERT ON t TO u WITH GRANT OPTION", 1, "GRANT"},
		{SQLServer, "BEGIN DELETE FROM t; END", 1, "DELETE"},
		{SQLServer, "BULK INSERT t FROM 'x'", 1, "BULK"},
		{SQLServer, "CREATE OR ALTER VIEW v AS SELECT 1", 1, "CREATE VIEW"},
	}
	for _, tt := range tests {
		s := Parse(tt.text, tt.d)
		if s.Count != tt.count || s.Verb != tt.verb {
			t.Errorf("%v: %q has %d statements, verb %q; want %d, %q", tt.d, tt.text, s.Count, s.Verb, tt.count, tt.verb)
		}
	}
}

func TestCountsAndReturns(t *testing.T) {
	tests := []struct {
		d               Dialect
		text            string
		counts, returns bool
	}{
		{Postgres, "", false, false},
		{Postgres, "SELECT 1", false, true},
		{Postgres, "SELECT 1 INTO t", false, false},
		{Postgres, "INSERT INTO t VALUES (1)", true, false},
		{Postgres, "INSERT INTO t VALUES (1) RETURNING a", true, true},
		{Postgres, "INSERT INTO t SELECT (SELECT 1)", true, false},
		{Postgres, "UPDATE t SET a = 1; DELETE FROM t RETURNING *", true, true},
		{Postgres, "UPDATE t SET a = 1; CREATE TABLE u ()", false, false},
		{Postgres, "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", false, true},
		{Postgres, "WITH x AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT * FROM x", true, false},
		{Postgres, "COPY t FROM STDIN", true, false},
		{Postgres, "COPY (DELETE FROM t RETURNING a) TO STDOUT", false, false},
		{Postgres, "TRUNCATE t", false, false},
		{Postgres, "EXPLAIN ANALYZE DELETE FROM t", false, true},
		{SQLite, "PRAGMA user_version", false, true},
		{SQLServer, "INSERT INTO t OUTPUT inserted.a VALUES (1)", true, true},
		{SQLServer, "INSERT INTO t (a) OUTPUT inserted.a INTO @x VALUES (1)", true, false},
		{SQLServer, "DELETE FROM t OUTPUT deleted.a INTO u (a) OUTPUT deleted.a WHERE b = 1", true, true},
		{SQLServer, "MERGE t USING u ON a = b WHEN MATCHED THEN DELETE OUTPUT $action;", true, true},
		{SQLServer, "UPDATE t SET a = 1 SELECT 1", false, true},
		{SQLServer, "SELECT @x = a FROM t", false, false},
	}
	for _, tt := range tests {
		s := Parse(tt.text, tt.d)
		if s.Counts != tt.counts || s.Returns != tt.returns {
			t.Errorf("%v: %q: counts %v, returns %v; want %v, %v", tt.d, tt.text, s.Counts, s.Returns, tt.counts, tt.returns)
		}
	}
}
