package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

func init() {
	chaos.Register("survive writer", childWrites)
	chaos.Register("survive recoverer", childRecovers)
}

// atStatements is the child's own crash point: all statements have run, and Commit is still to come.
const atStatements = "statements"

// childPair opens the pair that a child works on.
func childPair() *sql.DB {
	db, err := sql.Open(dualsql.Name, os.Getenv("PAIR"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return db
}

// childWrites runs WRITES transactions in each of WORKERS goroutines and prints what it is told of each.
func childWrites() int {
	db := childPair()
	defer db.Close()
	passing := chaos.Killer(os.Getenv("CRASH_AT"))
	dualsql.AtCrashpoints(passing)
	writes, _ := strconv.Atoi(os.Getenv("WRITES"))
	workers, _ := strconv.Atoi(os.Getenv("WORKERS"))
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range writes {
				id := worker*1000 + i + 1
				err := writeThen(context.Background(), db, id, func() { passing(atStatements) })
				// One call, so that a line is whole or not there.
				os.Stdout.WriteString(fmt.Sprintf("told %d %c %v\n", id, outcomeOf(err), err))
			}
		})
	}
	wg.Wait()
	return 0
}

// childRecovers recovers until nothing is open.
func childRecovers() int {
	db := childPair()
	defer db.Close()
	dualsql.AtCrashpoints(chaos.Killer(os.Getenv("CRASH_AT")))
	c, err := dualsql.FromDB(db)
	for err == nil {
		var r dualsql.Recovery
		if r, err = c.Recover(context.Background()); errors.Is(err, dualsql.ErrPairMismatch) {
			break
		}
		if err == nil && len(r.Pending) == 0 {
			return 0
		}
		if err != nil && strings.Contains(err.Error(), "one process at a time") {
			err = nil // the dead writer's session has not ended yet
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// crash is a child that writes and is killed.
type crash struct {
	at      string // crash point, as chaos.Killer takes it
	writes  int    // zero: 2
	workers int    // zero: 1
}

// crash runs the child until it has died and returns what it was told.
func (w *world) crash(c crash) map[int]dualsql.Outcome {
	w.Helper()
	p := w.writer(c)
	told := map[int]dualsql.Outcome{}
	for line := range p.Lines() {
		var id int
		var outcome rune
		if _, err := fmt.Sscanf(line, "told %d %c", &id, &outcome); err != nil {
			w.Fatalf("the child says %q", line)
		}
		told[id] = dualsql.Outcome(outcome)
	}
	p.WaitKilled(w)
	return told
}

func (w *world) writer(c crash) *chaos.Process {
	w.Helper()
	return chaos.Child(w, "survive writer", "PAIR="+w.DSN(), "CRASH_AT="+c.at,
		fmt.Sprintf("WRITES=%d", max(c.writes, 2)), fmt.Sprintf("WORKERS=%d", max(c.workers, 1)))
}

// crashRecovery runs a child that recovers and dies at the point.
func (w *world) crashRecovery(at string) {
	w.Helper()
	w.recoverer(at).WaitKilled(w)
}

func (w *world) recoverer(at string) *chaos.Process {
	w.Helper()
	return chaos.Child(w, "survive recoverer", "PAIR="+w.DSN(), "CRASH_AT="+at)
}

// kept compares the databases with what the callers were told: acknowledged is there, rolled back is not.
func (w *world) kept(told map[int]dualsql.Outcome) {
	w.Helper()
	for id, outcome := range told {
		switch got := w.where(id); {
		case outcome == dualsql.Committed && got != both, outcome == dualsql.RolledBack && got != neither:
			w.Errorf("transaction %d was reported %s, and is on %s", id, outcome, got)
		}
	}
}
