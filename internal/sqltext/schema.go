package sqltext

// schema tells DDL that the database refuses inside a transaction block. For
// PostgreSQL the notes of each command's manual page say so; for SQL Server
// "Transactions (Transact-SQL)" lists them.
func (c *classifier) schema(t tokens) Kind {
	verb := t[0].up
	switch c.d {
	case SQLite:
		if verb == "VACUUM" {
			return NoTx
		}
		return DDL
	case SQLServer:
		switch object, _ := objectOf(t); {
		case verb == "VACUUM" || verb == "REINDEX" || verb == "CLUSTER":
			return c.plain(t)
		case object == "DATABASE" || object == "FULLTEXT":
			return NoTx
		}
		return DDL
	}
	if refusesTransaction(t) {
		return NoTx
	}
	return DDL
}

func refusesTransaction(t tokens) bool {
	object, at := objectOf(t)
	switch t[0].up {
	case "VACUUM":
		return true
	case "REINDEX":
		return reindexesMany(t)
	case "CLUSTER": // without a table: all tables
		last := len(t) - 1
		return last == 0 || t.at(1) == "(" && t.closing(1) >= last || last == 1 && t.at(1) == "VERBOSE"
	case "CREATE", "DROP":
		switch object {
		case "DATABASE", "TABLESPACE", "SUBSCRIPTION":
			return true
		case "INDEX":
			return t.at(at+1) == "CONCURRENTLY"
		}
	case "ALTER":
		switch object {
		case "SYSTEM":
			return true
		case "DATABASE":
			return t.has("TABLESPACE")
		case "SUBSCRIPTION":
			return t.has("PUBLICATION")
		case "TABLE":
			return t.at(len(t)-1) == "CONCURRENTLY" && t.has("DETACH")
		}
	}
	return false
}

// reindexesMany: REINDEX CONCURRENTLY, and of a schema, a database or the
// system catalogs.
func reindexesMany(t tokens) bool {
	i := 1
	if t.at(1) == "(" {
		i = t.closing(1) + 1
		options := t[1:min(i, len(t))]
		for j := range options {
			if next := options.at(j + 1); options[j].up == "CONCURRENTLY" && next != "FALSE" && next != "OFF" {
				return true
			}
		}
	}
	switch t.at(i) {
	case "SCHEMA", "DATABASE", "SYSTEM":
		return true
	}
	return t.at(i+1) == "CONCURRENTLY"
}
