package torture

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// plan is one transaction as it is meant to go.
type plan struct {
	run      func(context.Context, *sql.Tx) error // nil: note runs outside of a transaction
	note     string
	cancelIn time.Duration // after this the caller gives up; 0: he does not
	cancelAt time.Duration // the same, counted from the call of Commit
	giveUp   bool          // the caller rolls back at the end
	savings  bool          // a savepoint comes first, and is rolled back to
	engine   sides.Engine
}

// source makes up transactions. It is not safe for concurrent use.
type source struct {
	random *rand.Rand
	engine sides.Engine // whose words a savepoint is said in
}

func newSource(seed uint64, life, worker int, primary sides.Engine) *source {
	return &source{rand.New(rand.NewPCG(seed, uint64(life)<<workerBits|uint64(worker))), primary}
}

func (s *source) chance(percent int) bool { return s.random.IntN(100) < percent }

// upTo returns a duration between nothing and d, short ones more often.
func (s *source) upTo(d time.Duration) time.Duration {
	f := s.random.Float64()
	return 1 + time.Duration(f*f*float64(d))
}

func (s *source) plan(val int64) plan {
	p := plan{engine: s.engine}
	switch n := s.random.IntN(20); {
	case n < 9:
		p.run = s.transfer(val)
	case n < 18:
		p.run = s.append(val)
	default:
		p.note = full(insertNote)
	}
	if s.chance(8) {
		p.cancelIn = s.upTo(60 * time.Millisecond)
	}
	if s.chance(8) {
		p.cancelAt = s.upTo(20 * time.Millisecond)
	}
	p.giveUp, p.savings = s.chance(4), s.chance(10)
	return p
}

// transfer moves money between two accounts. Half of the callers take the rows in one order; the others get into deadlocks.
func (s *source) transfer(val int64) func(context.Context, *sql.Tx) error {
	debit := 1 + s.random.IntN(accounts)
	credit := 1 + (debit+s.random.IntN(accounts-1))%accounts
	amount := int64(1 + s.random.IntN(1000))
	type part struct {
		account int
		change  int64
	}
	parts := []part{{debit, -amount}, {credit, amount}}
	if s.chance(50) {
		slices.SortFunc(parts, func(a, b part) int { return a.account - b.account })
	}
	return func(ctx context.Context, tx *sql.Tx) error {
		for _, p := range parts {
			if _, err := tx.ExecContext(ctx, full("update @account set balance = balance + ? where id = ?"), p.change, p.account); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, full("insert into @transfer (val, debit, credit, amount) values (?, ?, ?, ?)"), val, debit, credit, amount)
		return err
	}
}

// append puts the value at the end of a list. The list's row gives out the positions: its lock makes an order of all
// appends, and a transaction that is lost leaves a gap.
func (s *source) append(val int64) func(context.Context, *sql.Tx) error {
	list := 1 + s.random.IntN(lists)
	return func(ctx context.Context, tx *sql.Tx) error {
		var pos int64
		if _, err := tx.ExecContext(ctx, full("update @list set n = n + 1 where id = ?"), list); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, full("select n from @list where id = ?"), list).Scan(&pos); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, full("insert into @item (list, pos, val) values (?, ?, ?)"), list, pos, val)
		return err
	}
}

// errGivenUp: the caller has rolled back of his own will.
var errGivenUp = errors.New("rolled back by the caller")

// opLimit bounds one transaction: a caller who waits for ever would hide that something is stuck for ever.
const opLimit = 30 * time.Second

// do runs one transaction as planned. The error is what dualsql has told the caller.
func (p plan) do(ctx context.Context, db *sql.DB, val int64) error {
	ctx, cancel := context.WithTimeout(ctx, opLimit)
	defer cancel()
	if p.cancelIn > 0 {
		defer time.AfterFunc(p.cancelIn, cancel).Stop()
	}
	if p.run == nil {
		_, err := db.ExecContext(ctx, p.note, val)
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = p.work(ctx, tx, val)
	if err == nil && p.giveUp {
		err = errGivenUp
	}
	if err != nil {
		_ = tx.Rollback() // what has not committed is rolled back in any case
		return err
	}
	if p.cancelAt > 0 {
		defer time.AfterFunc(p.cancelAt, cancel).Stop()
	}
	return tx.Commit()
}

func (p plan) work(ctx context.Context, tx *sql.Tx, val int64) error {
	if p.savings {
		if err := p.rollBackToSavepoint(ctx, tx, val); err != nil {
			return err
		}
	}
	return p.run(ctx, tx)
}

// rollBackToSavepoint writes a value that nobody has tried and takes it back: it would be found if the savepoint were lost,
// on one side or on both.
func (p plan) rollBackToSavepoint(ctx context.Context, tx *sql.Tx, val int64) error {
	set, back := "savepoint torture", "rollback to savepoint torture"
	if p.engine == sides.SQLServer {
		set, back = "save transaction torture", "rollback transaction torture"
	}
	if _, err := tx.ExecContext(ctx, set); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, full(insertNote), -val); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, back)
	return err
}

const insertNote = "insert into @note (val) values (?)"
