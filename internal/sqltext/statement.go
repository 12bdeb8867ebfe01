package sqltext

// Statement is one text, read once. It must not be changed, its slices
// included; so it may be used by any number of goroutines.
type Statement struct {
	// Text is what was parsed.
	Text string
	// Offset is where it begins in the text that Split has taken it from, in bytes.
	Offset int
	// Dialect is how it was read.
	Dialect Dialect
	// Kind is the strongest of the statements' kinds.
	Kind Kind
	// Count is the number of statements in the text, empty ones left out. In a
	// T-SQL batch IF, WHILE and DECLARE count as well.
	Count int
	// Verb names the strongest statement in upper case, for errors and logs:
	// "INSERT", "CREATE INDEX". Empty if it does not begin with a word.
	Verb string
	// Hint is what a hint comment says.
	Hint Hint
	// Secondary is what the secondary gets in this text's place, from a comment
	// /* dualsql:secondary TEXT */. Empty if it gets this text.
	Secondary string
	// HintErr is set if hint comments contradict each other or one is not known.
	// Nothing should run then.
	HintErr error
	// Counts: SQL defines the rows affected of every statement: INSERT, UPDATE,
	// DELETE, MERGE, REPLACE, COPY FROM.
	Counts bool
	// Returns: a statement is known to hand rows back. A call may do so, too.
	Returns bool
	// Calls are the functions that the text may call, in order, each once.
	Calls []Function
	// Settings of the Session statements, in order.
	Settings []Setting
	// Savepoint of the last statement that names one.
	Savepoint SavepointRef
	// Deallocates: it has PostgreSQL's DEALLOCATE ALL, behind which nothing is prepared any more.
	Deallocates bool

	marks []mark
	// procedure: the text is nothing but a procedure's name. Such a text is a
	// remote call of SQL Server, and its arguments have no placeholders.
	procedure bool
}

// Parse reads a text. It accepts every text: what it cannot make out is Other,
// and what is not closed (a string, a comment) reaches to the end.
func Parse(text string, d Dialect) *Statement {
	s := &Statement{Text: text, Dialect: d}
	all, ambiguous := scan(text, d)
	plain := make(tokens, 0, len(all))
	for _, t := range all {
		switch t.kind {
		case tokSpace:
		case tokComment:
			if err := s.hint(text[t.start:t.end]); s.HintErr == nil {
				s.HintErr = err
			}
		default:
			plain = append(plain, t)
		}
	}
	c := &classifier{src: text, d: d, first: true}
	parts := split(plain, d)
	s.Count = len(parts)
	s.Counts = len(parts) > 0
	for i, part := range parts {
		one := c.classify(part)
		c.first = false
		if i == 0 || one.kind > s.Kind || one.kind == s.Kind && one.verb == "EXECUTE" {
			s.Kind, s.Verb = one.kind, one.verb
		}
		s.Counts = s.Counts && one.counts
		s.Returns = s.Returns || one.returns
		s.Deallocates = s.Deallocates || d == Postgres && one.verb == "DEALLOCATE" && part.keyword(len(part)-1, "ALL")
		for _, set := range one.settings {
			set.Text = part.text(text)
			s.Settings = append(s.Settings, set)
		}
		if one.savepoint.Op != NoSavepoint {
			s.Savepoint = one.savepoint
		}
	}
	if ambiguous {
		s.Kind = max(s.Kind, Other)
	}
	s.Calls = c.calls(plain)
	s.marks = findMarks(text, d, plain, parts)
	s.procedure = d == SQLServer && s.Kind == Call && isName(plain)
	return s
}

// isName reports whether t is one name, its parts separated by dots.
func isName(t tokens) bool {
	for i := range t {
		dot := t[i].up == "."
		if !dot && t[i].kind != tokWord && t[i].kind != tokQuoted {
			return false
		}
		if i > 0 && !dot && t.at(i-1) != "." {
			return false
		}
	}
	return len(t) > 0
}

// Split returns the statements of a text of several, in order.
func (s *Statement) Split() []*Statement {
	var one []*Statement
	for _, part := range split(scanPlain(s.Text, s.Dialect), s.Dialect) {
		st := Parse(part.text(s.Text), s.Dialect)
		st.Offset = part[0].start
		one = append(one, st)
	}
	return one
}
