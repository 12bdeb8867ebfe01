package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// statement is one statement of a transaction; read says that it is a query, which has to run on one database only.
type statement struct {
	text string
	args []any
	read bool
}

// workload makes transactions.
type workload struct {
	name, about string
	// reads: there is nothing to write, and nothing to compare.
	reads bool
	next  func(r *rand.Rand) []statement
	// done is a query for a number that grows by each with every transaction: its growth has to be what was acknowledged.
	done   string
	each   int64
	tables []table
}

// table is a table that a workload changes. The database computes the columns in computed, so that the text of a statement
// makes other values on each of two servers.
type table struct {
	name             string
	passed, computed []string
}

const (
	accountRows = 10_000
	itemRows    = 1000
	bulkRows    = 1000
	branches    = 64 // as many as clients at most, as pgbench(1) wants it
	tellers     = 10 * branches
	accounts    = 1000 * branches // pgbench has 100,000 a branch
)

const schema = `
create table account (id int primary key, balance bigint not null) with (fillfactor = 50);
insert into account select n, 0 from generate_series(1, %d) n;
create table entry (id bigint generated always as identity primary key, account int not null, at timestamptz not null default now());
create table load (id bigint primary key, name text not null, amount bigint not null);
create table item (id int primary key, name text not null, price bigint not null);
insert into item select n, 'item ' || n, n * 10 from generate_series(1, %d) n;
create table pgbench_branches (bid int primary key, bbalance int, filler char(88));
insert into pgbench_branches select n, 0 from generate_series(1, %d) n;
create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84));
insert into pgbench_tellers select n, (n - 1) / 10 + 1, 0 from generate_series(1, %d) n;
create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
insert into pgbench_accounts select n, (n - 1) / 1000 + 1, 0, '' from generate_series(1, %d) n;
create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
`

func schemaText() string {
	return fmt.Sprintf(schema, accountRows, itemRows, branches, tellers, accounts)
}

const updateText = "update account set balance = balance + 1 where id = $1"

var accountTable = table{"account", []string{"id", "balance"}, nil}

var workloads = []workload{
	{
		name:  "update",
		about: "one UPDATE of a row by its key, a transaction of its own",
		next: func(r *rand.Rand) []statement {
			return []statement{{text: updateText, args: []any{1 + r.IntN(accountRows)}}}
		},
		done:   "select coalesce(sum(balance), 0)::bigint from account",
		each:   1,
		tables: []table{accountTable},
	},
	{
		name: "tpcb",
		about: fmt.Sprintf("the transaction of pgbench, statement by statement; %d branches of 1,000 accounts in place of 100,000",
			branches),
		next: tpcb,
		done: "select count(*) from pgbench_history",
		each: 1,
		tables: []table{
			{"pgbench_accounts", []string{"aid", "bid", "abalance", "filler"}, nil},
			{"pgbench_tellers", []string{"tid", "bid", "tbalance", "filler"}, nil},
			{"pgbench_branches", []string{"bid", "bbalance", "filler"}, nil},
			{"pgbench_history", []string{"tid", "bid", "aid", "delta", "filler"}, []string{"mtime"}},
		},
	},
	updates("ten", 10),
	{
		name:  "insert",
		about: "INSERT of one row with an identity column and a default of now()",
		next: func(r *rand.Rand) []statement {
			return []statement{{text: "insert into entry (account) values ($1)", args: []any{1 + r.IntN(accountRows)}}}
		},
		done:   "select count(*) from entry",
		each:   1,
		tables: []table{{"entry", []string{"account"}, []string{"id", "at"}}},
	},
	inserts("bulk", bulkRows),
	{
		name:  "select",
		about: "SELECT of one row by its key",
		reads: true,
		next: func(r *rand.Rand) []statement {
			return []statement{{"select id, name, price from item where id = $1", []any{1 + r.IntN(itemRows)}, true}}
		},
	},
	{
		name:  "scan",
		about: fmt.Sprintf("SELECT of %d rows", itemRows),
		reads: true,
		next: func(*rand.Rand) []statement {
			return []statement{{"select id, name, price from item", nil, true}}
		},
	},
}

// tpcb is the built-in script tpcb-like of pgbench(1).
func tpcb(r *rand.Rand) []statement {
	aid, bid, tid, delta := 1+r.IntN(accounts), 1+r.IntN(branches), 1+r.IntN(tellers), r.IntN(10_001)-5000
	return []statement{
		{text: "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2", args: []any{delta, aid}},
		{text: "SELECT abalance FROM pgbench_accounts WHERE aid = $1", args: []any{aid}, read: true},
		{text: "UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2", args: []any{delta, tid}},
		{text: "UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2", args: []any{delta, bid}},
		{text: "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)",
			args: []any{tid, bid, aid, delta}},
	}
}

// updates is a transaction of n UPDATEs.
func updates(name string, n int) workload {
	return workload{
		name:  name,
		about: fmt.Sprintf("a transaction of %d such UPDATEs, in the order of their keys", n),
		next: func(r *rand.Rand) []statement {
			ids := make([]int, n)
			for i := range ids {
				ids[i] = 1 + r.IntN(accountRows)
			}
			slices.Sort(ids)
			tx := make([]statement, len(ids))
			for i, id := range ids {
				tx[i] = statement{text: updateText, args: []any{id}}
			}
			return tx
		},
		done:   "select coalesce(sum(balance), 0)::bigint from account",
		each:   int64(n),
		tables: []table{accountTable},
	}
}

// inserts is one INSERT of n rows. It draws where its keys begin: two never meet, but for one case in many millions of runs.
func inserts(name string, n int) workload {
	var b strings.Builder
	b.WriteString("insert into load (id, name, amount) values ")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "($%d, $%d, $%d)", 3*i+1, 3*i+2, 3*i+3)
	}
	text := b.String()
	return workload{
		name:  name,
		about: fmt.Sprintf("one INSERT of %d rows with keys of the program's own", n),
		next: func(r *rand.Rand) []statement {
			first := r.Int64N(1 << 60)
			args := make([]any, 0, 3*n)
			for i := range int64(n) {
				args = append(args, first+i, "a name of some length", 10*i)
			}
			return []statement{{text: text, args: args}}
		},
		done:   "select count(*) from load",
		each:   int64(n),
		tables: []table{{"load", []string{"id", "name", "amount"}, nil}},
	}
}
