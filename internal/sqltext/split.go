package sqltext

// body says where the end of a statement is that has statements within.
type body uint8

const (
	noBody      body = iota // the next semicolon
	toEnd                   // the end of the text
	triggerBody             // SQLite: "; END ;"
	atomicBody              // PostgreSQL: BEGIN ATOMIC ... END
	blockBody               // BEGIN ... END, IF ... END IF and so on
)

// split cuts the text into its statements; empty ones are left out.
func split(t tokens, d Dialect) []tokens {
	if d == SQLServer {
		return splitBatch(t)
	}
	var (
		all   []tokens
		start int
		depth int // of parentheses
		in    blocks
	)
	for i := range t {
		if i == start {
			in, depth = blocks{body: bodyOf(t[start:], d)}, 0
		}
		switch t[i].up {
		case "(":
			depth++
		case ")":
			depth = max(depth-1, 0)
		case ";":
			if in.open(t[start:i]) || depth > 0 && in.body != triggerBody {
				continue
			}
			if i > start {
				all = append(all, t[start:i])
			}
			start = i + 1
		default:
			in.see(t, i)
		}
	}
	if start < len(t) {
		all = append(all, t[start:])
	}
	return all
}

// bodyOf looks at a statement's first words.
func bodyOf(t tokens, d Dialect) body {
	if d == SQLite && t.at(0) == "EXPLAIN" {
		t = t[1:]
		if t.at(0) == "QUERY" {
			t = t[min(2, len(t)):]
		}
	}
	if t.at(0) != "CREATE" && t.at(0) != "ALTER" {
		return noBody
	}
	object, _ := objectOf(t)
	switch object {
	case "PROCEDURE", "PROC", "FUNCTION", "TRIGGER":
	case "VIEW":
		if d == SQLServer {
			return toEnd
		}
		return noBody
	case "EVENT", "PACKAGE", "TYPE":
		if d == Generic {
			return blockBody
		}
		return noBody
	default:
		return noBody
	}
	switch d {
	case SQLServer:
		return toEnd
	case SQLite:
		return triggerBody
	case Postgres:
		return atomicBody
	default:
		return blockBody
	}
}

// blocks counts the blocks that are open in a body.
type blocks struct {
	body  body
	depth int
}

func (b *blocks) see(t tokens, i int) {
	if b.body != atomicBody && b.body != blockBody {
		return
	}
	switch {
	case t.keyword(i, "BEGIN"):
		if b.body == blockBody || t.at(i+1) == "ATOMIC" {
			b.depth++
		}
	case b.depth == 0:
	case t.keyword(i, "CASE") && t.at(i-1) != "END":
		b.depth++
	case t.keyword(i, "END"):
		switch t.at(i + 1) {
		case "IF", "LOOP", "WHILE", "REPEAT", "FOR":
		default:
			b.depth--
		}
	}
}

// open reports whether a semicolon behind t belongs to the body. SQLite's rule
// is that of sqlite3_complete: BEGIN and END may be column names there.
func (b *blocks) open(t tokens) bool {
	switch b.body {
	case toEnd:
		return true
	case triggerBody:
		return t.at(len(t)-1) != "END" || t.at(len(t)-2) != ";"
	default:
		return b.depth > 0
	}
}
