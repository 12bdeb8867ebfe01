package sqltext

// objectOf names what CREATE, ALTER or DROP at the run's start works on, and
// the index of that word: TABLE, INDEX, MATERIALIZED VIEW counts as VIEW.
func objectOf(t tokens) (object string, at int) {
	for i := 1; i < len(t); i++ {
		switch t[i].up {
		case "OR", "REPLACE", "ALTER", "TEMP", "TEMPORARY", "GLOBAL", "LOCAL", "UNLOGGED", "UNIQUE",
			"CLUSTERED", "NONCLUSTERED", "COLUMNSTORE", "RECURSIVE", "MATERIALIZED", "FOREIGN", "VIRTUAL",
			"CONSTRAINT", "EVENT", "TRUSTED", "PROCEDURAL", "DEFAULT", "EDITIONABLE", "NONEDITIONABLE":
			if t[i].up == "EVENT" && t.at(i+1) != "TRIGGER" {
				return "EVENT", i
			}
			continue
		case "DEFINER": // MySQL: DEFINER = user
			i += 2
			if t.at(i+1) == "@" {
				i += 2
			}
			continue
		}
		return t[i].up, i
	}
	return "", len(t)
}

// verbOf names a statement for logs and errors. What is quoted is never part
// of it: it may be a secret.
func verbOf(t tokens) string {
	verb := t.at(0)
	if t.kindAt(0) != tokWord {
		return ""
	}
	switch verb {
	case "CREATE", "ALTER", "DROP":
		if object, at := objectOf(t); object != "" && t[at].kind == tokWord {
			return verb + " " + object
		}
	case "START", "COMMIT", "PREPARE", "ROLLBACK", "ABORT", "END", "SAVE", "BEGIN":
		switch next := t.at(1); next {
		case "TRANSACTION", "TRAN", "PREPARED":
			return verb + " " + next
		}
	}
	return verb
}
