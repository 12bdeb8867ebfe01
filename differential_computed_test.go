package dualsql_test

import "strings"

// computedSchema has the tables of statements whose text does not do the same twice. SQLite takes the names of types, and of
// functions that it does not call.
func (g *diffGenerator) computedSchema() []string {
	if !g.postgres() {
		return []string{`create table lucky (id bigserial primary key, owner text, r double precision default (random()),
			u text default (cast(gen_random_uuid() as text)), at timestamp default (clock_timestamp()))`}
	}
	return []string{
		`create table numbered (id bigint generated always as identity primary key, owner text not null unique, n bigint not null default 0, twice bigint generated always as (n * 2) stored)`,
		`create table lucky (id bigserial primary key, owner text, r double precision default random(), u uuid default gen_random_uuid(), at timestamptz default clock_timestamp(), n numeric default random()::numeric)`,
		`create sequence ticket start 1000`,
		`create table coded (id bigint primary key default nextval('ticket'), code text not null unique, n bigint not null default 0, at timestamptz)`,
		`create table parted (id bigint, part int, n bigint default 0, primary key (id, part)) partition by list (part)`,
		`create table parted_1 partition of parted for values in (1)`,
		`create table parted_rest partition of parted default`,
		`create table keyless (n bigint)`,
		`insert into keyless values (1), (1), (2)`,
		`create view seen as select id, owner from lucky`,
		`create function doubled(n bigint) returns bigint language sql immutable as 'select n * 2'`,
		`create function dice() returns double precision language sql as 'select random()'`,
		`create table stamped (id bigint primary key, n bigint not null, changes bigint)`,
		`create function stamp() returns trigger language plpgsql as $$ begin new.changes := coalesce(old.changes, 0) + 1; return new; end $$`,
		`create trigger stamp before insert or update on stamped for each row execute function stamp()`,
		`create table clocked (id bigint primary key, at timestamptz)`,
		`create function clock() returns trigger language plpgsql as $$ begin new.at := clock_timestamp(); return new; end $$`,
		`create trigger clock before insert on clocked for each row execute function clock()`,
		`create table watched (id bigint primary key, n bigint)`,
		`create table noted (at timestamptz)`,
		`create function watch() returns trigger language plpgsql as $$ begin insert into noted values (clock_timestamp()); return new; end $$`,
		`create trigger watch after insert on watched for each row execute function watch()`,
	}
}

// numbered makes statements whose text does not do the same twice, and which do the same on the primary and on one plain database.
func (g *diffGenerator) numbered() []func() diffStep {
	choices := []func() diffStep{
		func() diffStep { return diffWrite("insert into numbered (owner) values ({1})", g.owner()) },
		func() diffStep {
			return diffWrite("insert into numbered (owner, n) values ({1}, default), ({2}, {3}) on conflict do nothing", g.owner(), g.owner(), g.amount())
		},
		func() diffStep {
			return diffWrite("insert into numbered (owner, n) values ({1}, 1), ({2}, {3}) on conflict (owner) do update set n = numbered.n + excluded.n + 1", g.owner(), g.owner(), g.amount())
		},
		func() diffStep {
			return diffWrite("insert into numbered (owner, n) select owner || {1}, balance from account where balance > {2} order by id on conflict (owner) do update set n = 0 where numbered.n < excluded.n", g.text(), g.amount())
		},
		func() diffStep {
			return diffWrite("update numbered set n = n + a.balance from (select id as account, owner as name, balance from account) a where a.name = numbered.owner and a.account < {1}", g.id())
		},
		func() diffStep {
			return diffWrite("update numbered set n = (select count(*) from account where balance > {1})", g.amount())
		},
		func() diffStep {
			return diffWrite("update numbered set n = n + 1 where id in (select id from numbered order by id desc limit {1})", diffConstant(int64(g.r.IntN(3))))
		},
		func() diffStep {
			return diffWrite("delete from numbered using (select owner as name, balance from account) a where a.name = numbered.owner and a.balance > {1}", g.amount())
		},
		func() diffStep { return diffWrite("delete from numbered where id = (select min(id) from numbered)") },
		func() diffStep {
			return diffWrite("delete from numbered where owner = {1} and now() > '2020-01-01'", g.owner())
		},
	}
	if g.translated() {
		return choices
	}
	return append(choices,
		func() diffStep {
			// One of the two is new, and may take the code that the other gives up.
			rows := diffOneOf(g, "({1}, {2}, {3}), (nextval('ticket'), {4}, 1)", "(nextval('ticket'), {1}, {2}), ({3}, {4}, 1)")
			args := []diffValue{g.id(), g.owner(), g.amount(), g.owner()}
			if strings.HasPrefix(rows, "(n") {
				args = []diffValue{g.owner(), g.amount(), g.id(), g.owner()}
			}
			return diffWrite("insert into coded (id, code, n) values "+rows+" on conflict (id) do update set code = excluded.code, n = coded.n + 1", args...)
		},
		func() diffStep {
			return diffWrite("insert into coded (code, n) values ({1}, {2}), ({3}, 2) on conflict (code) do update set n = coded.n + excluded.n", g.owner(), g.amount(), g.owner())
		},
		func() diffStep {
			return diffWrite("insert into coded (id, code) values ({1}, {2}), ({3}, {4}) on conflict do nothing", g.id(), g.owner(), g.id(), g.owner())
		},
		func() diffStep {
			return diffWrite("update coded set n = doubled(n) % 1000 where code = {1}", g.owner())
		},
		func() diffStep { return diffWrite("delete from coded where code = {1} or id > 1010", g.owner()) },
		func() diffStep {
			return diffWrite("insert into parted (id, part, n) values ({1}, 1, nextval('ticket')), ({2}, 2, default), ({3}, 3, {4}) on conflict do nothing", g.id(), g.id(), g.id(), g.amount())
		},
		func() diffStep {
			return diffWrite("update parted set n = n + {1} where id = {2} and part in (select part from parted where id < {3})", g.amount(), g.id(), g.id())
		},
		func() diffStep { return diffWrite("delete from parted where id = {1}", g.id()) },
		func() diffStep {
			return diffWrite("insert into stamped (id, n) values ({1}, {2}) on conflict (id) do update set n = excluded.n", g.id(), g.amount())
		},
		func() diffStep {
			return diffWrite("update stamped set n = n + (select count(*) from account) where id < {1}", g.id())
		},
	)
}

// lucky makes statements that may do anything.
func (g *diffGenerator) lucky() []func() diffStep {
	choices := []func() diffStep{
		func() diffStep { return diffWrite("insert into lucky (owner) values ({1})", g.orNull(g.owner())) },
		func() diffStep { return diffWrite("insert into lucky default values") },
		func() diffStep {
			return diffWrite("insert into lucky (id, owner, at) values ({1}, {2}, 'now') on conflict (id) do update set r = random(), at = excluded.at", g.id(), g.owner())
		},
		func() diffStep {
			return diffWrite("update account set balance = abs(hashtext(note || random())) where id = {1}", g.id())
		},
		func() diffStep {
			return diffWrite("delete from lucky where id in (select id from lucky limit {1})", diffConstant(int64(g.r.IntN(3))))
		},
		func() diffStep {
			return diffWrite("delete from lucky where random() < 0.3 and (owner = {1} or at < clock_timestamp() - interval '1 second')", g.owner())
		},
	}
	if !g.postgres() {
		return choices
	}
	choices = append(choices,
		func() diffStep {
			return diffWrite("insert into lucky (owner, n) select owner, balance * random() from account where random() < 0.5 limit {1}", diffConstant(int64(g.r.IntN(5))))
		},
		func() diffStep { return diffWrite("update lucky set n = random(), r = default where random() < 0.5") },
		func() diffStep {
			return diffWrite("update lucky l set owner = a.owner from account a where a.balance > {1}", g.amount())
		},
		func() diffStep {
			return diffWrite("update lucky set u = gen_random_uuid(), at = current_timestamp where id < {1}", g.id())
		},
		func() diffStep {
			return diffWrite("insert into lucky (id, owner) values (nextval('lucky_id_seq') + trunc(random() * 3), {1})", g.owner())
		},
	)
	if g.translated() {
		return choices
	}
	return append(choices,
		func() diffStep {
			return diffWrite("insert into coded (code, n) select owner, 1000 * random() from account order by random() limit {1} on conflict (code) do update set n = excluded.n, at = clock_timestamp()", diffConstant(int64(g.r.IntN(5))))
		},
		func() diffStep {
			// Codes go from one row to another.
			return diffWrite("insert into coded (id, code) values ({1}, {2}), ({3}, {4}), ({5}, {6}) on conflict (id) do update set code = excluded.code, n = 1000 * random()",
				g.id(), g.owner(), g.id(), g.owner(), g.id(), g.owner())
		},
		func() diffStep {
			return diffWrite("update parted set n = 1000 * random() where random() < 0.5 and part = {1}", diffConstant(int64(1+g.r.IntN(3))))
		},
		func() diffStep {
			return diffWrite("insert into parted_1 (id, part) values ({1}, 1) on conflict (id, part) do update set n = 1000 * random()", g.id())
		},
		func() diffStep {
			return diffWrite("update stamped set n = 1000 * random() where id in (select id from stamped limit {1})", diffConstant(int64(g.r.IntN(3))))
		},
		// Each side's trigger sets its own clock, which the comparison finds.
		func() diffStep { return diffWrite("insert into clocked (id) values ({1})", g.id()) },
	)
}

// refusals makes statements that the pair has to refuse.
func (g *diffGenerator) refusals() []diffStep {
	list := []diffStep{
		diffWrite("update lucky set id = id + trunc(1 + random() * 3) where id = {1}", g.id()),
		diffWrite("insert into lucky (id, r) values ({1}, random()) on conflict (id) do update set id = excluded.id + 100", g.id()),
		diffWrite("with gone as (delete from lucky where random() < 0.5 returning owner) insert into lucky (owner) select owner from gone"),
		diffWrite("with more as (insert into lucky (owner) values ({1}) returning id) delete from lucky where id = {2} and random() < 0.5", g.owner(), g.id()),
	}
	if g.rowsOnly() {
		list = append(list, diffWrite("update account set id = id + 100 where id = {1}", g.id()))
	}
	if !g.allTypes() {
		return list
	}
	return append(list,
		diffWrite("update lucky set r = dice() where id < {1}", g.id()),
		diffWrite("insert into watched (id, n) values ({1}, 1000 * random())", g.id()),
		diffWrite("insert into parted (id, part) values ({1}, 1) on conflict (id, part) do update set n = 1000 * random()", g.id()),
		diffWrite("update keyless set n = 1000 * random()"),
		diffWrite("delete from keyless where random() < 0.5"),
		diffWrite("insert into seen (id, owner) values (nextval('ticket'), {1})", g.owner()),
	)
}
