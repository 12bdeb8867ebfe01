package ddl

import "strings"

// rights reads GRANT and REVOKE of tables behind that word, which both engines say alike.
func (r *reader) rights(revoke bool) statement {
	g := grant{revoke: revoke}
	if r.accept("ALL") {
		r.accept("PRIVILEGES")
		g.privileges = []string{"select", "insert", "update", "delete", "references"}
	} else {
		r.list(func() {
			right := r.acceptOne("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES")
			if right == "" {
				r.unknown()
			}
			g.privileges = append(g.privileges, strings.ToLower(right))
		})
	}
	if r.is("(") {
		refuse(r.at(), "a right on some columns")
	}
	r.expect("ON")
	r.accept("TABLE")
	r.list(func() { g.tables = append(g.tables, r.object()) })
	if revoke {
		r.expect("FROM")
	} else {
		r.expect("TO")
	}
	r.list(func() { g.roles = append(g.roles, r.identifier()) })
	switch {
	case !revoke:
		g.pass = r.accept("WITH", "GRANT", "OPTION")
	case r.is("CASCADE"):
		refuse(r.at(), "REVOKE ... CASCADE")
	}
	return g
}

// write says it, with an engine's own quotes: SQL Server takes one table at a time.
func (g grant) write(add func(format string, args ...any), table func(name) string, role func(string) string) {
	verb, to, pass := "grant", "to", ""
	if g.revoke {
		verb, to = "revoke", "from"
	}
	if g.pass {
		pass = " with grant option"
	}
	roles := make([]string, len(g.roles))
	for i, one := range g.roles {
		roles[i] = role(one)
	}
	for _, t := range g.tables {
		add("%s %s on %s %s %s%s", verb, strings.Join(g.privileges, ", "), table(t), to, strings.Join(roles, ", "), pass)
	}
}
