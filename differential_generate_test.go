package dualsql_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/dualsql/dualsql"
)

// diffGenerator makes scripts. What it makes depends on its seed alone, and not on what the databases answer: identifiers come
// from small ranges, so that rows, tables and savepoints are there or not by chance.
type diffGenerator struct {
	r    *rand.Rand
	kind pairKind
	// chancy: what comes out may be different each time.
	chancy bool
}

func newDiffGenerator(seed uint64, kind pairKind) *diffGenerator {
	return &diffGenerator{r: newDiffRand(seed), kind: kind}
}

// captures: rows are carried over, and so their identifiers and times may be the database's own.
func (g *diffGenerator) captures() bool { return g.kind.mirror != "" }

// mixed: the sides are of different kinds, and only what both take to mean the same may be said.
func (g *diffGenerator) mixed() bool { return g.kind.primary != g.kind.secondary && !g.translated() }

// translated: the secondary gets rows, and changes of the schema in its own words. It has not all of PostgreSQL's types.
func (g *diffGenerator) translated() bool { return g.kind.secondary == sqlserverDialect }

func (g *diffGenerator) postgres() bool { return !g.mixed() && g.kind.primary == postgresDialect }

// allTypes: columns may have any of PostgreSQL's types.
func (g *diffGenerator) allTypes() bool { return g.postgres() && !g.translated() }

// rowsOnly: no text goes to the secondary.
func (g *diffGenerator) rowsOnly() bool { return g.kind.mirror == dualsql.MirrorRow || g.translated() }

func (g *diffGenerator) chance(percent int) bool { return g.r.IntN(100) < percent }

// schema uses types that both kinds take: PostgreSQL by their names, SQLite by the affinity that it reads from the names.
func (g *diffGenerator) schema() []string {
	texts := []string{
		`create table account (id bigint primary key, owner text not null unique, balance bigint not null check (balance >= 0), note text)`,
		`create table entry (id bigint primary key, account bigint not null references account (id), amount bigint not null,
			f double precision, ok boolean, b bytea, at timestamp)`,
		`create index entry_account on entry (account)`,
	}
	if g.translated() {
		texts = append(texts, `create table late (id bigint primary key, account bigint references account (id))`,
			`create table numbered (id bigint generated always as identity primary key, owner text not null unique, n bigint not null default 0)`,
			`create table lucky (id bigserial primary key, owner text, r double precision, u uuid default gen_random_uuid(), at timestamptz default now(), n numeric(20, 6))`)
	} else {
		texts = append(texts, `create table late (id bigint primary key, account bigint references account (id) deferrable initially deferred)`)
	}
	if g.allTypes() {
		texts = append(texts, `create table wide (id bigint primary key, tags text[], j jsonb, u uuid, n numeric(12, 2), short varchar(3))`)
	}
	if g.captures() && !g.translated() {
		texts = append(texts, g.computedSchema()...)
	}
	for i := range 5 {
		texts = append(texts, fmt.Sprintf("insert into account values (%d, 'owner%d', 100, null)", i, i))
	}
	return texts
}

func (g *diffGenerator) script() *diffScript {
	if g.chance(50) {
		return &diffScript{steps: []diffStep{g.step(false)}, cancelAt: -1}
	}
	s := &diffScript{explicit: true, commit: g.chance(75), cancelAt: -1}
	if g.kind.primary == postgresDialect {
		s.options.Isolation = diffOneOf(g, sql.LevelDefault, sql.LevelDefault, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable)
		s.options.ReadOnly = g.chance(5)
	}
	for range g.r.IntN(8) {
		if g.chance(10) {
			s.steps = append(s.steps, g.nested()...)
		} else {
			s.steps = append(s.steps, g.step(true))
		}
	}
	if g.chance(5) {
		s.cancelAt = g.r.IntN(len(s.steps) + 1)
	}
	return s
}

// diffStep makes any statement.
func (g *diffGenerator) step(inTx bool) diffStep {
	var st diffStep
	broken := false
	switch n := g.r.IntN(100); {
	case n < 55:
		st = g.dml()
	case n < 75:
		st = g.read()
	case n < 80:
		st, broken = g.broken(), true
	case n < 84:
		st = g.ddl()
	case inTx:
		st = g.savepoint()
	default:
		st = g.dml()
	}
	st.style = diffStyle(g.r.IntN(int(styles)))
	if st.style == named && strings.Contains(st.template, fmt.Sprintf("{%d}", len(st.args)+1)) {
		st.style = at // a name that no argument has is left in the text: @ is an operator as well
	}
	if len(st.args) > 0 || st.counts {
		st.prepare = diffOneOf(g, prepareNot, prepareNot, prepareNot, prepareOnce, prepareKept)
	}
	st.cancelled = g.chance(3)
	if !broken && !g.mixed() && !g.translated() && len(st.args) > 0 && g.chance(4) { // of two things that are wrong, the two find different ones first
		st.args[g.r.IntN(len(st.args))] = g.odd()
	}
	if g.chance(10) {
		st.template = diffOneOf(g, "/* what? $1 */ ", "-- @p1 'it\n", "\n\t") + st.template
	}
	if g.chance(10) {
		st.template += diffOneOf(g, ";", " ; ", " -- end?", " /* /* */ ") // the last one is left open on PostgreSQL
		st.template = strings.TrimSuffix(st.template, " /* /* */ ")
	}
	return st
}

func (g *diffGenerator) id() diffValue { return g.integer(int64(g.r.IntN(12))) }

func (g *diffGenerator) amount() diffValue { return g.integer(int64(g.r.IntN(80)) - 20) }

func (g *diffGenerator) orNull(v diffValue) diffValue {
	if g.chance(15) {
		return g.null()
	}
	return v
}

// owner is unique, and there are few.
func (g *diffGenerator) owner() diffValue { return diffConstant(fmt.Sprint("owner", g.r.IntN(14))) }

func diffWrite(template string, args ...diffValue) diffStep {
	return diffStep{template: template, args: args, counts: true}
}

func diffReturning(g *diffGenerator, st diffStep) diffStep {
	if g.chance(35) {
		columns := diffOneOf(g, "id", "*", "id, id as twice")
		st.template += " returning " + columns
		st.query = g.chance(85)
	}
	return st
}

func (g *diffGenerator) dml() diffStep {
	choices := []func() diffStep{
		func() diffStep {
			return diffWrite("insert into account (id, owner, balance, note) values ({1}, {2}, {3}, {4})", g.id(), g.owner(), g.amount(), g.orNull(g.text()))
		},
		func() diffStep {
			return diffWrite("insert into account (id, owner, balance, note) values ({1}, {2}, {3}, 'what? $1 @p1'), ({4}, {5}, 1, 'it''s')",
				g.id(), g.owner(), g.amount(), g.id(), g.owner())
		},
		func() diffStep {
			return diffWrite("insert into account (id, owner, balance) values ({1}, {2}, {3}) on conflict (id) do update set balance = account.balance + excluded.balance",
				g.id(), g.owner(), g.amount())
		},
		func() diffStep {
			return diffWrite("insert into account (id, owner, balance) values ({1}, {2}, {3}) on conflict do nothing", g.id(), g.owner(), g.amount())
		},
		func() diffStep {
			return diffWrite("insert into account (id, owner, balance) select id + 20, owner || '+', balance from account where balance > {1}", g.amount())
		},
		func() diffStep {
			return diffWrite("update account set balance = balance + {1} where id = {2}", g.amount(), g.id())
		},
		func() diffStep {
			return diffWrite("update account set balance = balance - {1}, note = {2} where id in ({3}, {4})", g.amount(), g.orNull(g.text()), g.id(), g.id())
		},
		func() diffStep {
			return diffWrite("update account set owner = {1} where id = {2}", g.orNull(g.owner()), g.id())
		},
		func() diffStep { return diffWrite("update account set balance = balance - 1 where note is null") },
		func() diffStep { return diffWrite("delete from account where id = {1}", g.id()) },
		func() diffStep { return diffWrite("delete from account where id > 19") },
		func() diffStep {
			return diffWrite("insert into entry (id, account, amount, f, ok, b, at) values ({1}, {2}, {3}, {4}, {5}, {6}, {7})",
				g.id(), g.id(), g.amount(), g.orNull(g.float()), g.orNull(g.boolean()), g.orNull(g.bytes()), g.orNull(g.instant()))
		},
		func() diffStep {
			return diffWrite("update entry set f = {1}, ok = {2}, b = {3}, at = {4} where account = {5}",
				g.orNull(g.float()), g.orNull(g.boolean()), g.orNull(g.bytes()), g.orNull(g.instant()), g.id())
		},
		func() diffStep {
			return diffWrite("delete from entry where account in (select id from account where balance < {1})", g.amount())
		},
		func() diffStep { return diffWrite("delete from entry where id = {1}", g.id()) },
		func() diffStep {
			return diffWrite("insert into late (id, account) values ({1}, {2})", g.id(), g.orNull(g.id()))
		},
		func() diffStep { return diffWrite("delete from late where id = {1}", g.id()) },
	}
	if !g.rowsOnly() {
		choices = append(choices, func() diffStep { return diffWrite("update late set id = id + {1} where id = {2}", g.amount(), g.id()) })
	}
	if g.allTypes() {
		column := diffOneOf(g, "tags", "j", "u", "n")
		choices = append(choices,
			func() diffStep {
				if g.captures() {
					return diffWrite("with gone as (select account from entry where id = {1}) update account set balance = balance + 1 from gone where account.id = gone.account returning account.id",
						g.id())
				}
				return diffWrite("with gone as (delete from entry where id = {1} returning id, account) update account set balance = balance + 1 from gone where account.id = gone.account returning account.id",
					g.id())
			},
			func() diffStep {
				st := diffWrite("insert into wide (id, "+column+", short) values ({1}, {2}, {3})", g.id(), g.orNull(g.rich(column)), g.text())
				return st
			},
			func() diffStep {
				return diffWrite("update wide set "+column+" = {1} where id = {2}", g.orNull(g.rich(column)), g.id())
			},
			func() diffStep { return diffWrite("delete from wide where id = {1}", g.id()) },
		)
	}
	if g.captures() && g.postgres() && g.chance(50) {
		choices = g.numbered()
	}
	if g.chancy && g.chance(60) {
		choices = g.lucky()
	}
	if g.chancy && g.chance(5) {
		st := diffOneOf(g, g.refusals()...)
		st.refused = true
		return st
	}
	st := choices[g.r.IntN(len(choices))]()
	if strings.HasPrefix(st.template, "with") {
		st.query = true
		return st
	}
	if len(st.args) == 0 && !g.chancy && !g.captures() && g.chance(20) {
		// Several statements in one text.
		st.template += "; update account set note = 'both' where id = 3"
		return st
	}
	return diffReturning(g, st)
}

func (g *diffGenerator) read() diffStep {
	st := diffOneOf(g,
		diffStep{template: "select id, owner, balance, note from account where id < {1} order by id", args: []diffValue{g.id()}},
		diffStep{template: "select * from entry where account = {1}", args: []diffValue{g.id()}},
		diffStep{template: "select count(*), sum(balance) from account where balance > {1} and note is not null", args: []diffValue{g.amount()}},
		diffStep{template: "select a.owner, e.amount from account a left join entry e on e.account = a.id where a.id in ({1}, {2})", args: []diffValue{g.id(), g.id()}},
		diffStep{template: "with rich as (select * from account where balance > {1}) select owner from rich", args: []diffValue{g.amount()}},
		diffStep{template: "select account from late union select id from account"},
		diffStep{template: "values (1, 'a'), (2, 'b')"},
	)
	st.query = g.chance(95)
	return st
}

// broken makes statements that fail at once.
func (g *diffGenerator) broken() diffStep {
	return diffOneOf(g,
		diffWrite("insert into missing values ({1})", diffConstant(int64(1))),
		diffWrite("update account set missing = 1"),
		diffWrite("update account set balance = balance / 0, note = note where id = (select id from"),
		diffWrite("delete form account"),
		diffWrite("insert into account (id, owner, balance) values ({1}, {2})", g.id(), g.owner()),
		diffWrite("update account set balance = {1} where id = {2}", g.amount()),
		diffWrite("insert into account (id, owner, balance) values (1, 'owner1', 1), (40, 'owner40', -1)"),
		diffStep{template: "select missing from account", query: true},
		diffStep{template: "select * from missing", query: true},
	)
}

func (g *diffGenerator) ddl() diffStep {
	n := g.r.IntN(3)
	name := fmt.Sprint("extra", n)
	if !g.translated() && g.chance(10) {
		return diffStep{template: "create table copy" + fmt.Sprint(n) + " as select id, owner from account"}
	}
	return diffOneOf(g,
		diffStep{template: "create table " + name + " (id bigint primary key, v text)"},
		diffStep{template: "create table if not exists " + name + " (id bigint primary key, v text)"},
		diffStep{template: "drop table " + name},
		diffStep{template: "drop table if exists " + name},
		diffStep{template: fmt.Sprintf("alter table %s add column c%d bigint default 7", name, g.r.IntN(3))},
		diffStep{template: fmt.Sprintf("create index i%d on entry (amount)", n)},
		diffStep{template: fmt.Sprintf("drop index if exists i%d", n)},
		// A plain value: of one that cannot be bound, and a table that is not there, the two find different things first.
		diffWrite("insert into "+name+" (id, v) values ({1}, {2})", diffConstant(int64(g.r.IntN(20))), diffConstant("v")),
		diffWrite("insert into "+name+" (id) select id from account where id not in (select id from "+name+")"),
	)
}

// nested makes statements between a savepoint and its end.
func (g *diffGenerator) nested() []diffStep {
	steps := []diffStep{{template: "savepoint nested"}}
	for range 1 + g.r.IntN(3) {
		steps = append(steps, g.step(true))
	}
	return append(steps, diffStep{template: diffOneOf(g, "rollback to savepoint nested", "rollback to savepoint nested", "release savepoint nested")})
}

// savepoint makes a statement that may well name a savepoint that is not there.
func (g *diffGenerator) savepoint() diffStep {
	name := diffOneOf(g, "a", "b", `"C d"`)
	return diffStep{template: diffOneOf(g, "savepoint ", "savepoint ", "SAVEPOINT ", "rollback to savepoint ", "rollback to ", "release savepoint ", "release ") + name}
}
