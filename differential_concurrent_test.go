package dualsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
)

const (
	diffAccounts = 6
	diffOpening  = 1000
)

// diffWorker makes transactions that conflict with those of other workers, and keeps what it was told of each.
type diffWorker struct {
	n  int
	r  *rand.Rand
	db *sql.DB
	// acknowledged: Commit has returned nil. refused: it was rolled back. The keys are the ids in the table transfer.
	acknowledged, refused []int64
	hits                  int64 // acknowledged increments of the one row of the table hit
	unexpected            []error
}

// TestDifferentialConcurrent has several workers on one *sql.DB move money between a few accounts. No order is known, so
// what must hold is looked at: the sides are equal, the sum is what it was, what was acknowledged is there, what was refused
// is not, and nothing is left open although nothing has died.
func TestDifferentialConcurrent(t *testing.T) {
	forDiffPairs(t, func(t *testing.T, p *diffPair, seed uint64) {
		for _, text := range []string{
			"create table account (id bigint primary key, balance bigint not null check (balance >= 0))",
			"create table transfer (id bigint primary key, source bigint not null references account (id), target bigint not null, amount bigint not null, touched bigint not null default 0)",
			"create table hit (id bigint primary key, n bigint not null)",
			"create table seen (id bigint primary key, worker bigint not null, times bigint not null)",
			"insert into hit values (1, 0)",
		} {
			if _, err := p.dual.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		for i := range diffAccounts {
			if _, err := p.dual.Exec("insert into account values (?, ?)", i, diffOpening); err != nil {
				t.Fatal(err)
			}
		}
		const workers = 5
		p.dual.SetMaxIdleConns(workers)
		list := make([]*diffWorker, workers)
		var group sync.WaitGroup
		for i := range list {
			w := &diffWorker{n: i, r: rand.New(rand.NewPCG(seed, uint64(i)+1)), db: p.dual}
			list[i] = w
			group.Go(func() {
				for n := range int(*diffSize) / workers {
					w.work(int64(n*workers + i))
				}
			})
		}
		group.Wait()
		p.compare(t, false)
		diffInvariants(t, list, p)
	})
}

func diffInvariants(t *testing.T, workers []*diffWorker, p *diffPair) {
	t.Helper()
	diffPending(t, p.dual)
	var sum, hits, want int64
	if err := p.looks[0].QueryRow("select (select sum(balance) from account), (select n from hit)").Scan(&sum, &hits); err != nil {
		t.Fatal(err)
	}
	if sum != diffAccounts*diffOpening {
		t.Errorf("the balances' sum is %d, want %d", sum, diffAccounts*diffOpening)
	}
	there, err := diffQuery(context.Background(), p.looks[0], "select id from transfer", nil)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[int64]bool{}
	for _, row := range there.values {
		ids[row[0].(int64)] = true
	}
	acknowledged := 0
	for _, w := range workers {
		want += w.hits
		acknowledged += len(w.acknowledged)
		for _, id := range w.acknowledged {
			if !ids[id] {
				t.Errorf("transfer %d was acknowledged and is not there", id)
			}
		}
		for _, id := range w.refused {
			if ids[id] {
				t.Errorf("transfer %d was refused and is there", id)
			}
		}
		for _, err := range w.unexpected {
			t.Errorf("worker %d: %v", w.n, err)
		}
	}
	if hits != want {
		t.Errorf("%d hits, %d were acknowledged", hits, want)
	}
	t.Logf("%d transfers, %d hits", acknowledged, want)
	if acknowledged == 0 || want == 0 {
		t.Error("no transaction was committed: nothing was tested")
	}
}

// work makes one transaction.
func (w *diffWorker) work(id int64) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if w.r.IntN(8) == 0 {
		// Some callers go away, at any moment.
		timer := time.AfterFunc(time.Duration(w.r.IntN(5000))*time.Microsecond, cancel)
		defer timer.Stop()
	}
	switch w.r.IntN(10) {
	case 0, 1:
		// database/sql ends the rows of a caller who has gone, although the statement is committed.
		const text = "update hit set n = n + 1 where id = 1"
		_, err := w.db.ExecContext(ctx, text)
		if w.ended(err) {
			w.hits++
		}
		if w.ended(w.exec(context.WithoutCancel(ctx), w.db, text)) {
			w.hits++
		}
	case 2:
		w.ended(w.exec(ctx, w.db, "insert into seen (id, worker, times) values (?, ?, 1) on conflict (id) do update set times = seen.times + 1, worker = excluded.worker",
			w.r.IntN(4), w.n))
	case 3:
		var sum int64
		if err := w.db.QueryRowContext(ctx, "select sum(balance) from account").Scan(&sum); err == nil && sum != diffAccounts*diffOpening {
			w.unexpected = append(w.unexpected, fmt.Errorf("the balances' sum is %d while all transfers conserve it", sum))
		}
	case 4, 5:
		// What has just been committed on the primary may not have been on the secondary yet.
		var last int64
		if err := w.db.QueryRowContext(ctx, "select max(id) from transfer").Scan(&last); err == nil {
			w.ended(w.exec(ctx, w.db, "update transfer set touched = touched + 1 where id = $1", last))
		}
	default:
		if w.ended(w.transfer(ctx, id)) {
			w.acknowledged = append(w.acknowledged, id)
		} else {
			w.refused = append(w.refused, id)
		}
	}
}

// ended reports whether a transaction was acknowledged. Without a failure of a database none may end in any way but these
// two.
func (w *diffWorker) ended(err error) bool {
	var doubt *dualsql.InDoubtError
	var half *dualsql.HalfDoneError
	var diverged *dualsql.DivergenceError
	// A wait that only lock_timeout ended went around both databases, where neither server can see it.
	if errors.As(err, &doubt) || errors.As(err, &half) || errors.As(err, &diverged) || diffClassify(err) == "SQLSTATE 55P03" {
		w.unexpected = append(w.unexpected, err)
	}
	return err == nil
}

func (w *diffWorker) exec(ctx context.Context, on executor, text string, args ...any) error {
	if w.r.IntN(2) == 0 {
		_, err := on.ExecContext(ctx, text, args...)
		return err
	}
	_, err := diffQuery(ctx, on, text+" returning *", args)
	return err
}

// transfer moves an amount, and writes that down under id.
func (w *diffWorker) transfer(ctx context.Context, id int64) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	source, target := w.r.IntN(diffAccounts), w.r.IntN(diffAccounts)
	if source > target && w.r.IntN(5) > 0 {
		source, target = target, source // some deadlocks are wanted, not many: each takes the server a second to see
	}
	amount := w.r.IntN(200)
	for _, change := range []struct{ by, id int }{{-amount, source}, {amount, target}} {
		if err := w.exec(ctx, tx, "update account set balance = balance + $1 where id = $2", change.by, change.id); err != nil {
			return err
		}
	}
	if w.r.IntN(4) == 0 {
		// What is undone leaves nothing.
		for _, text := range []string{"savepoint s", "update account set balance = balance + 7 where id = 0", "rollback to savepoint s", "release savepoint s"} {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
	}
	if err := w.exec(ctx, tx, "insert into transfer (id, source, target, amount) values (@id, @source, @target, @amount)",
		sql.Named("id", id), sql.Named("source", source), sql.Named("target", target), sql.Named("amount", amount)); err != nil {
		return err
	}
	if w.r.IntN(10) == 0 {
		return errors.Join(errors.New("changed its mind"), tx.Rollback())
	}
	return tx.Commit()
}
