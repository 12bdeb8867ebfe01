package tsql

import "strings"

// hints are table hints ("Table hints").
type hints uint16

const (
	updLock hints = 1 << iota
	xLock
	holdLock
	readCommittedLock
	readPast
	tabLock
	tabLockX
	noHint // known, and without a meaning here
)

var hintNames = map[string]hints{
	"UPDLOCK": updLock, "XLOCK": xLock, "HOLDLOCK": holdLock, "SERIALIZABLE": holdLock, "READCOMMITTEDLOCK": readCommittedLock,
	"READPAST": readPast, "TABLOCK": tabLock, "TABLOCKX": tabLockX, "NOLOCK": noHint,
	"READUNCOMMITTED": noHint, "READCOMMITTED": noHint, "ROWLOCK": noHint, "PAGLOCK": noHint, "FORCESEEK": noHint,
}

// hintsAhead reports whether a parenthesis with hints comes next, without WITH.
func (p *parser) hintsAhead() bool { return p.at("(") && hintNames[p.ahead(1).up] != 0 }

// hints parses WITH (hint, ...), which may lack its WITH.
func (p *parser) hints() hints {
	if p.at("WITH", "(") {
		p.next()
	} else if !p.hintsAhead() {
		return 0
	}
	var all hints
	p.parenthesized(func() {
		for more := true; more; more = p.accept(",") || hintNames[p.peek().up] != 0 {
			t := p.next()
			h, ok := hintNames[t.up]
			if !ok {
				panic(unknown(t.line, "table hint "+t.text))
			}
			all |= h
		}
	})
	return all
}

// rowLock is what PostgreSQL is told behind a query for a hint of one of its tables.
type rowLock struct {
	alias   string
	update  bool
	skip    bool
	release bool
}

func (l rowLock) clause() string {
	c := " for share of "
	if l.update {
		c = " for update of "
	}
	c += ident(l.alias)
	if l.skip {
		c += " skip locked"
	}
	return c
}

// rowLocks: UPDLOCK and XLOCK lock as an update does, so that no two have a row at once; READCOMMITTEDLOCK and HOLDLOCK wait for
// who has changed a row. READPAST alone waits for nobody, as a plain read does here.
func rowLocks(sources []source) []rowLock {
	var locks []rowLock
	for _, s := range sources {
		if s.table == nil || s.table.schema == "" {
			continue
		}
		update := s.hints&(updLock|xLock) != 0
		if update || s.hints&(readCommittedLock|holdLock) != 0 {
			locks = append(locks, rowLock{s.alias, update, s.hints&readPast != 0, !update && s.hints&holdLock == 0})
		}
	}
	return locks
}

// lockKeys notes what a statement must lock before it reads a source: the key that its WHERE names, or the table
// (support/07_locks.sql). only: there is no other source, so that columns without a qualifier are its own.
func (p *parser) lockKeys(s source, keys []keyPart, only bool) {
	if s.table == nil || p.locks == nil {
		return
	}
	if s.hints&(tabLock|tabLockX) != 0 {
		mode := "share"
		if s.hints&tabLockX != 0 {
			mode = "exclusive"
		}
		*p.locks = append(*p.locks, sql("lock table ", s.table.code(), " in ", mode, " mode"))
		return
	}
	if s.hints&(updLock|xLock|readCommittedLock|holdLock) == 0 || s.hints&readPast != 0 || s.table.schema == "pg_temp" {
		return
	}
	var columns []string
	var values []code
	for _, k := range keys {
		if k.qualifier == s.alias || k.qualifier == "" && only {
			columns = append(columns, literal(k.column))
			values = append(values, sql("key_text(", k.value, ")"))
		}
	}
	sole, hold := "false", "false"
	if s.hints&(updLock|xLock) != 0 {
		sole = "true"
	}
	if s.hints&holdLock != 0 {
		hold = "true"
	}
	*p.locks = append(*p.locks, sql("select key_lock(", literal(s.table.code()), "::regclass, array[", strings.Join(columns, ", "),
		"]::text[], array[", join(values, ", "), "]::text[], ", sole, ", ", hold, ")"))
}
