package sqltext

import "strings"

// SavepointOp is what a statement does with a savepoint. The zero value is
// NoSavepoint.
type SavepointOp uint8

const (
	NoSavepoint SavepointOp = iota
	SetSavepoint
	ReleaseSavepoint
	RollbackToSavepoint
)

// SavepointRef is a savepoint that a statement works on: its name, unquoted and
// folded as the dialect folds names. T-SQL's ROLLBACK TRAN x names a transaction
// or a savepoint, which only the session knows: it has the kind TxControl and
// a SavepointRef.
type SavepointRef struct {
	Op   SavepointOp
	Name string
}

// TextFor returns the statement in the words of a dialect. The names of T-SQL's savepoints have 32 characters at most ("SAVE
// TRANSACTION"), and it releases none: there the text does nothing.
func (r SavepointRef) TextFor(d Dialect) string {
	name := `"` + strings.ReplaceAll(r.Name, `"`, `""`) + `"`
	if d == SQLServer {
		name = "[" + strings.ReplaceAll(r.Name, "]", "]]") + "]"
		switch r.Op {
		case SetSavepoint:
			return "save transaction " + name
		case RollbackToSavepoint:
			return "rollback transaction " + name
		}
		return "/* release savepoint */"
	}
	switch r.Op {
	case SetSavepoint:
		return "savepoint " + name
	case RollbackToSavepoint:
		return "rollback to savepoint " + name
	}
	return "release savepoint " + name
}

func (c *classifier) transaction(t tokens) (Kind, SavepointRef) {
	switch t[0].up {
	case "SAVEPOINT":
		return Savepoint, SavepointRef{SetSavepoint, c.name(t, 1)}
	case "RELEASE":
		i := 1
		if t.at(1) == "SAVEPOINT" && len(t) > 2 {
			i = 2
		}
		return Savepoint, SavepointRef{ReleaseSavepoint, c.name(t, i)}
	case "SAVE":
		if c.d == SQLServer && (t.at(1) == "TRAN" || t.at(1) == "TRANSACTION") {
			return Savepoint, SavepointRef{SetSavepoint, c.name(t, 2)}
		}
		return c.plain(t), SavepointRef{}
	case "ROLLBACK":
		return c.rollback(t)
	case "BEGIN":
		if c.d == SQLServer && (t.at(1) == "DIALOG" || t.at(1) == "CONVERSATION") {
			return Write, SavepointRef{}
		}
		if c.d == SQLServer && !beginsTransaction(t, c.d) {
			return Read, SavepointRef{}
		}
	case "END":
		if c.d == SQLServer && t.at(1) == "CONVERSATION" {
			return Write, SavepointRef{}
		}
		if c.d == SQLServer {
			return Read, SavepointRef{}
		}
	case "START":
		if t.at(1) != "TRANSACTION" {
			return c.plain(t), SavepointRef{}
		}
	case "XA":
		if c.d != Generic {
			return c.plain(t), SavepointRef{}
		}
	}
	return TxControl, SavepointRef{}
}

func (c *classifier) rollback(t tokens) (Kind, SavepointRef) {
	i := 1
	if w := t.at(1); w == "WORK" || w == "TRANSACTION" || w == "TRAN" {
		i = 2
	}
	if t.at(i) == "TO" {
		if t.at(i+1) == "SAVEPOINT" && len(t) > i+2 {
			i++
		}
		return Savepoint, SavepointRef{RollbackToSavepoint, c.name(t, i+1)}
	}
	if c.d == SQLServer && i == 2 && len(t) > 2 && !steers(t, 2) {
		return TxControl, SavepointRef{RollbackToSavepoint, c.name(t, 2)}
	}
	return TxControl, SavepointRef{}
}

// beginsTransaction tells T-SQL's BEGIN TRAN from the block BEGIN ... END.
func beginsTransaction(t tokens, d Dialect) bool {
	if d != SQLServer {
		return true
	}
	switch t.at(1) {
	case "TRAN", "TRANSACTION", "DISTRIBUTED":
		return true
	}
	return false
}

// name is the identifier at i, unquoted and folded; empty if there is none.
func (c *classifier) name(t tokens, i int) string {
	if i >= len(t) {
		return ""
	}
	raw := c.src[t[i].start:t[i].end]
	switch t[i].kind {
	case tokWord:
		return c.d.Fold(raw, false)
	case tokQuoted:
		return c.d.Fold(unquote(raw), true)
	default:
		return raw
	}
}
