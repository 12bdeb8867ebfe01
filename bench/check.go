package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// sumText returns a query for the number of a table's rows and the sum of their hashes, over some columns.
func sumText(table string, columns []string) string {
	return fmt.Sprintf("select count(*) || ' rows, sum ' || coalesce(sum(hashtextextended(row(%s)::text, 0)), 0) from %s",
		strings.Join(columns, ", "), table)
}

// emptied takes away the rows that a workload has inserted: what cells before have done costs this one nothing. A
// workload that inserts does not read what it has inserted.
func emptied(ctx context.Context, dsn [2]string) error {
	for _, side := range dsn {
		if err := execute(ctx, side, "truncate entry, load, pgbench_history restart identity"); err != nil {
			return err
		}
	}
	return nil
}

// settled waits until nothing is prepared any more on either side. What is left is shown by the comparison.
func settled(ctx context.Context, dsn [2]string) error {
	deadline := time.Now().Add(10 * time.Second)
	for _, side := range dsn {
		err := withConn(ctx, side, func(conn *pgx.Conn) error {
			for {
				var prepared int
				err := conn.QueryRow(ctx, "select count(*) from pg_prepared_xacts where database = current_database()").Scan(&prepared)
				if err != nil || prepared == 0 {
					return err
				}
				if time.Now().After(deadline) {
					return fmt.Errorf("%d transactions are still prepared 10 s after the end", prepared)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// made returns what a workload's query for its transactions gives on each side.
func made(ctx context.Context, w workload, dsn [2]string) (counts [2]int64, err error) {
	for i, side := range dsn {
		if counts[i], err = ask[int64](ctx, side, w.done); err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// compare tells how a contender has left its databases after a workload: whether each has the transactions that
// were acknowledged (where none has failed: of one that failed, nobody knows), and whether the two are equal. before is
// what made has returned before the first of them.
func compare(ctx context.Context, c contender, w workload, dsn [2]string, before [2]int64, acknowledged, failed int) (text string, wrong bool, err error) {
	if w.reads {
		return "", false, nil
	}
	after, err := made(ctx, w, dsn)
	if err != nil {
		return "", true, err
	}
	for side := range c.sides {
		if got, want := after[side]-before[side], w.each*int64(acknowledged); failed == 0 && got != want {
			return fmt.Sprintf("WRONG: side %d has %d of what makes %d in %d transactions", side+1, got, want, acknowledged), true, nil
		}
	}
	if c.sides == 1 {
		return "one database", false, nil
	}
	var computed []string
	for _, t := range w.tables {
		equal, err := same(ctx, dsn, sumText(t.name, slices.Concat(t.passed, t.computed)))
		if err != nil {
			return "", true, err
		}
		if equal {
			continue
		}
		if equal, err = same(ctx, dsn, sumText(t.name, t.passed)); err != nil {
			return "", true, err
		}
		if !equal || c.exact || len(t.computed) == 0 {
			return "DIFFERENT in " + t.name, true, nil
		}
		computed = append(computed, t.computed...)
	}
	if len(computed) > 0 {
		return "equal but for " + strings.Join(computed, ", "), false, nil
	}
	return "equal", false, nil
}

func same(ctx context.Context, dsn [2]string, query string) (bool, error) {
	var answers [2]string
	for i, side := range dsn {
		var err error
		if answers[i], err = ask[string](ctx, side, query); err != nil {
			return false, err
		}
	}
	return answers[0] == answers[1], nil
}

func ask[T any](ctx context.Context, dsn, query string) (answer T, err error) {
	err = withConn(ctx, dsn, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, query).Scan(&answer) })
	return answer, err
}
