package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dualsql/dualsql"
)

// The places where a transaction may be found.
const (
	both          = "both sides"
	neither       = "neither side"
	primaryOnly   = "the primary only"
	secondaryOnly = "the secondary only"
)

func (w *world) where(id int) string {
	w.Helper()
	has := [2]bool{}
	for side := range has {
		has[side] = w.count(side, fmt.Sprintf("select count(*) from entry where id = %d", id)) > 0
	}
	switch has {
	case [2]bool{true, true}:
		return both
	case [2]bool{true, false}:
		return primaryOnly
	case [2]bool{false, true}:
		return secondaryOnly
	}
	return neither
}

// is fails unless the transaction is where it should be, and, when that is not one side alone, the sides are equal.
func (w *world) is(id int, want string) {
	w.Helper()
	if want == both && strings.Contains(w.options, "ack=decided") {
		w.eventually("the secondary has followed", func() bool { return w.where(id) == both })
	}
	if got := w.where(id); got != want {
		w.Errorf("transaction %d is on %s, want %s", id, got, want)
	}
	if want == both || want == neither {
		w.same()
	}
}

// same compares the sides row by row, and each with itself: every write has left one trace in each table.
func (w *world) same() {
	w.Helper()
	for _, table := range tables {
		p, s := w.rows(primary, table), w.rows(secondary, table)
		if !slices.Equal(p, s) {
			w.Errorf("%s differs:\n  primary   %q\n  secondary %q", table, p, s)
		}
	}
	for side := range w.raw {
		n := w.count(side, "select n from account where id = 1")
		entries, logged := w.count(side, "select count(*) from entry"), w.count(side, "select count(*) from log")
		if n != entries || n != logged {
			w.Errorf("side %d: account says %d writes, entry %d, log %d", side, n, entries, logged)
		}
	}
}

func (w *world) rows(side int, table string) []string {
	w.Helper()
	rows, err := w.raw[side].Query("select * from " + table)
	if err != nil {
		if table == "child" {
			return nil // not every test has it
		}
		w.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		dest := make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			w.Fatal(err)
		}
		row := make([]string, len(values))
		for i, v := range values {
			if row[i] = "NULL"; v.Valid {
				row[i] = strconv.Quote(v.String)
			}
		}
		all = append(all, strings.Join(row, ","))
	}
	if err := rows.Err(); err != nil {
		w.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// outcomeOf is what the caller was told by the error of a commit.
func outcomeOf(err error) dualsql.Outcome {
	var inDoubt *dualsql.InDoubtError
	var halfDone *dualsql.HalfDoneError
	switch {
	case err == nil:
		return dualsql.Committed
	case errors.As(err, &inDoubt):
		return dualsql.InDoubt
	case errors.As(err, &halfDone):
		return dualsql.HalfDone
	}
	return dualsql.RolledBack
}

func (w *world) told(err error, want dualsql.Outcome) {
	w.Helper()
	if got := outcomeOf(err); got != want {
		w.Fatalf("the caller was told %q (%v), want %q", got, err, want)
	}
}

// concluded fails unless the caller of a write was told how it has ended, and it is on both sides then, or on neither.
func (w *world) concluded(err error, id int, committed bool) {
	w.Helper()
	outcome, place := dualsql.RolledBack, neither
	if committed {
		outcome, place = dualsql.Committed, both
	}
	w.told(err, outcome)
	w.is(id, place)
}

// pending fails unless the open transactions have these states.
func (w *world) pending(n *node, want ...dualsql.Outcome) []dualsql.PendingTx {
	w.Helper()
	list, err := n.c.Pending()
	if err != nil {
		w.Fatal(err)
	}
	var got []dualsql.Outcome
	for _, p := range list {
		got = append(got, p.State)
	}
	if !slices.Equal(got, want) {
		w.Fatalf("pending: %q, want %q: %+v", got, want, list)
	}
	return list
}

// reported asserts what an operator relies on where dualsql cannot end a transaction by itself: it stays listed, also after
// a restart, until it is forgotten, and then for ever. It closes n.
func (w *world) reported(n *node, want dualsql.Outcome) {
	w.Helper()
	ctx := context.Background()
	txid := w.pending(n, want)[0].TxID
	w.close(n)
	n, _ = w.recover()
	if p := w.pending(n, want)[0]; p.TxID != txid || p.Problem == "" {
		w.Errorf("after a restart the list has %+v, want %s with its problem", p, txid)
	}
	if got, err := n.c.Outcome(ctx, txid); got != want || err != nil {
		w.Errorf("Outcome = %q, %v, want %q", got, err, want)
	}
	if err := n.c.Forget(ctx, txid); err != nil {
		w.Fatal(err)
	}
	w.pending(n)
	w.close(n)
	n, _ = w.recover()
	w.pending(n)
	w.close(n)
}
