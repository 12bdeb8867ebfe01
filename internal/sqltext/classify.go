package sqltext

// statement is what classify learns about one statement of a text.
type statement struct {
	kind      Kind
	verb      string
	counts    bool
	returns   bool
	settings  []Setting
	savepoint SavepointRef
}

// classifier decides kinds. first is true for the text's first statement.
type classifier struct {
	src   string
	d     Dialect
	first bool
}

// namesOthers are words by which other dialects' statements begin, and none of T-SQL's.
var namesOthers = map[string]bool{"SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "RESET": true, "DISCARD": true, "PRAGMA": true,
	"SAVEPOINT": true, "RELEASE": true, "ABORT": true, "XA": true, "START": true, "VALUES": true, "TABLE": true}

func (c *classifier) classify(t tokens) statement {
	for t.at(0) == "(" {
		t = t[1:]
	}
	s := statement{kind: Other, verb: verbOf(t)}
	if s.verb == "" {
		if c.callsProcedure(t) {
			s.kind = Call
		}
		return s
	}
	if c.d == SQLServer && namesOthers[t[0].up] {
		s.kind = c.plain(t) // to T-SQL the word is a procedure's name
		return s
	}
	switch t[0].up {
	case "SELECT", "VALUES", "TABLE":
		s.kind, s.returns = c.query(t)
	case "WITH":
		return c.with(t)
	case "EXPLAIN", "DESCRIBE", "DESC":
		s.kind, s.returns = c.explain(t), true
	case "SHOW":
		s.returns = true
		s.kind = Read
	case "PRAGMA":
		s.returns = true
		s.kind, s.settings = c.pragma(t)
	case "SET", "RESET", "DISCARD", "USE":
		s.kind, s.settings = c.session(t)
	case "SAVEPOINT", "RELEASE", "ROLLBACK", "SAVE", "BEGIN", "START", "COMMIT", "END", "ABORT", "XA":
		s.kind, s.savepoint = c.transaction(t)
		if s.savepoint.Op == RollbackToSavepoint && s.kind == Savepoint {
			s.verb = "ROLLBACK TO"
		}
	case "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT":
		if c.d == SQLServer && t.at(1) == "STATISTICS" {
			s.kind = DDL
			break
		}
		s.kind, s.counts, s.returns = Write, true, c.handsBack(t)
	case "COPY":
		s.kind = c.copy(t)
		s.counts = s.kind == Write && t.at(1) != "("
	case "FETCH":
		s.kind, s.returns = Local, true
	case "PREPARE":
		s.kind = c.prepare(t)
	case "EXEC", "EXECUTE":
		s.kind = c.execute(t)
	case "DECLARE":
		s.kind = c.declare(t)
	case "CREATE", "ALTER", "DROP", "VACUUM", "REINDEX", "CLUSTER":
		s.kind = c.schema(t)
	default:
		s.kind = c.plain(t)
	}
	return s
}

// plain is the kind of statements whose first word tells all.
func (c *classifier) plain(t tokens) Kind {
	word := t[0].up
	switch word {
	case "CALL":
		return Call
	case "TRUNCATE":
		return Write
	case "COMMENT", "GRANT", "REVOKE", "ANALYZE":
		return DDL
	}
	switch c.d {
	case SQLite:
		if word == "ATTACH" || word == "DETACH" {
			return Local
		}
		return Other
	case SQLServer:
		return c.plainBatch(t)
	case Generic:
		switch word {
		case "LOAD":
			return Write
		case "RENAME":
			return DDL
		case "UNLOCK":
			return Local
		}
	}
	switch word {
	case "LOCK":
		return LockingRead
	case "LISTEN", "UNLISTEN", "NOTIFY", "MOVE", "CLOSE", "CHECKPOINT", "DEALLOCATE", "LOAD":
		return Local
	case "DO":
		return Call
	case "REFRESH", "SECURITY", "ANALYSE", "REASSIGN", "IMPORT":
		return DDL
	}
	return Other
}

// plainBatch is plain for T-SQL.
func (c *classifier) plainBatch(t tokens) Kind {
	switch t[0].up {
	case "IF", "WHILE", "ELSE", "RETURN", "BREAK", "CONTINUE", "GOTO", "TRY", "CATCH":
		return Read
	case "WAITFOR":
		if t.at(1) == "(" { // RECEIVE takes what it reads
			return Write
		}
		return Local
	case "OPEN", "CLOSE", "DEALLOCATE", "CHECKPOINT", "PRINT", "RAISERROR", "THROW", "KILL", "READTEXT":
		return Local
	case "REVERT":
		return Session
	case "BULK", "WRITETEXT", "UPDATETEXT", "RECEIVE":
		return Write
	case "DENY", "ENABLE", "DISABLE", "ADD":
		return DDL
	case "BACKUP", "RESTORE", "RECONFIGURE", "SHUTDOWN":
		return NoTx
	case "DBCC":
		return Other
	}
	if c.callsProcedure(t) {
		return Call
	}
	return Other
}

// callsProcedure reports whether t is a procedure's name with or without
// arguments: EXECUTE may be left out at the start of a batch.
func (c *classifier) callsProcedure(t tokens) bool {
	return c.d == SQLServer && c.first && (t.kindAt(0) == tokWord || t.kindAt(0) == tokQuoted) && t.at(1) != "("
}

// prepare: what is prepared lives in PostgreSQL's session; on other databases
// EXECUTE runs it on both sides, so both must know it.
func (c *classifier) prepare(t tokens) Kind {
	switch {
	case t.at(1) == "TRANSACTION" && (t.kindAt(2) == tokString || len(t) == 2):
		return TxControl
	case c.d == Postgres:
		return Local
	default:
		return Other
	}
}

func (c *classifier) execute(t tokens) Kind {
	switch {
	case c.d == Postgres && t[0].up == "EXECUTE":
		return Local
	case c.d == SQLServer && t.at(1) == "AS":
		return Session
	case c.d == SQLServer || c.d == Generic:
		return Call
	default:
		return Other
	}
}

// declare: PostgreSQL declares cursors only, T-SQL variables as well.
func (c *classifier) declare(t tokens) Kind {
	switch {
	case c.d == SQLite:
		return Other
	case c.d == SQLServer && t.kindAt(1) == tokMark:
		return Read
	default:
		return Local
	}
}

// copy: COPY t FROM, COPY t TO, COPY (query) TO (PostgreSQL manual, COPY).
func (c *classifier) copy(t tokens) Kind {
	if c.d != Postgres && c.d != Generic {
		return Other
	}
	if t.at(1) == "(" {
		if t.at(2) == "WITH" {
			return c.with(t[2:]).kind
		}
		k, _ := c.query(t[1:])
		return k
	}
	for i := 1; i < len(t); i++ {
		switch {
		case t[i].up == "(":
			i = t.closing(i)
		case t.keyword(i, "TO"):
			return Read
		case t.keyword(i, "FROM"):
			return Write
		}
	}
	return Write
}
