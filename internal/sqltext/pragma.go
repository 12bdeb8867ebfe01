package sqltext

// pragmas that ask although they take an argument (sqlite.org/pragma.html).
var askingPragmas = map[string]bool{
	"TABLE_INFO": true, "TABLE_XINFO": true, "TABLE_LIST": true, "INDEX_INFO": true, "INDEX_XINFO": true,
	"INDEX_LIST": true, "FOREIGN_KEY_LIST": true, "FOREIGN_KEY_CHECK": true, "INTEGRITY_CHECK": true,
	"QUICK_CHECK": true,
}

// pragmas that work on the one file they are sent to, with or without an
// argument.
var filePragmas = map[string]bool{
	"WAL_CHECKPOINT": true, "INCREMENTAL_VACUUM": true, "OPTIMIZE": true, "SHRINK_MEMORY": true,
}

// pragma reads PRAGMA [schema.]name, name = value and name(value).
func (c *classifier) pragma(t tokens) (Kind, []Setting) {
	if c.d != SQLite && c.d != Generic {
		return c.plain(t), nil
	}
	at := 1
	if t.at(2) == "." {
		at = 3
	}
	name, sep := t.at(at), t.at(at+1)
	switch {
	case filePragmas[name]:
		return Local, nil
	case sep != "=" && sep != "(", sep == "(" && askingPragmas[name]:
		return Read, nil
	}
	value := t[at+2:]
	if sep == "(" {
		value = t[at+2 : t.closing(at+1)]
	}
	return Session, []Setting{{Name: c.settingName(t[1 : at+1]), Value: value.text(c.src)}}
}
