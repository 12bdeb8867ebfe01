package demo

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// querier is a transaction on the pair: dualsql's own *sql.Tx, or the hand-written one.
type querier interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// business is one transaction of the order entry. Its id names the row of an event table that it makes, so that everybody
// can see later whether it took place.
type business struct {
	table string // an event table
	id    int64
	run   func(context.Context, querier) error
}

// errNothingToDo: there is no such work just now; the transaction is rolled back.
var errNothingToDo = errors.New("nothing to do")

// source makes up work: five new orders to three payments to two deliveries. Every value that is written comes from here,
// none from a database's clock or sequence. It is not safe for concurrent use.
type source struct {
	random *rand.Rand
	next   int64 // id
}

func newSource(seed uint64, run, worker int) *source {
	return &source{random: rand.New(rand.NewPCG(seed, uint64(run)<<16|uint64(worker))), next: firstID(run) + int64(worker)<<32}
}

// firstID is where the ids of one run of the working process begin.
func firstID(run int) int64 { return int64(run) << 40 }

func (s *source) business() business {
	s.next++
	id := s.next
	switch n := s.random.IntN(10); {
	case n < 5:
		return business{"orders", id, s.newOrder(id)}
	case n < 8:
		return business{"payments", id, s.payment(id)}
	default:
		return business{"deliveries", id, s.delivery(id)}
	}
}

func now() int64 { return time.Now().UnixMicro() }

// newOrder takes what is ordered out of the stock and charges the customer. Items are taken in one order by everybody, so
// that no two orders wait for each other.
func (s *source) newOrder(id int64) func(context.Context, querier) error {
	customer := 1 + s.random.IntN(customers)
	wanted := s.random.Perm(items)[:1+s.random.IntN(5)]
	slices.Sort(wanted)
	quantities := make([]int, len(wanted))
	for i := range quantities {
		quantities[i] = 1 + s.random.IntN(9)
	}
	return func(ctx context.Context, tx querier) error {
		at, total := now(), int64(0)
		for i, n := range wanted {
			item := n + 1
			price, err := one(tx.QueryContext(ctx, full("select price from @stock where item = ?"), item))
			if err != nil {
				return err
			}
			total += price * int64(quantities[i])
			if _, err := tx.ExecContext(ctx, full("update @stock set on_hand = on_hand - ? where item = ?"), quantities[i], item); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, full("insert into @order_lines (order_id, line, item, quantity, price) values (?, ?, ?, ?, ?)"),
				id, i+1, item, quantities[i], price); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, full("insert into @orders (id, customer, entered_at, lines, total) values (?, ?, ?, ?, ?)"),
			id, customer, at, len(wanted), total); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, full("update @customers set balance = balance - ? where id = ?"), total, customer)
		return err
	}
}

func (s *source) payment(id int64) func(context.Context, querier) error {
	customer, amount := 1+s.random.IntN(customers), int64(1+s.random.IntN(50_000))
	return func(ctx context.Context, tx querier) error {
		if _, err := tx.ExecContext(ctx, full("insert into @payments (id, customer, amount, paid_at) values (?, ?, ?, ?)"),
			id, customer, amount, now()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, full("update @customers set balance = balance + ? where id = ?"), amount, customer)
		return err
	}
}

// delivery delivers one of the oldest orders, unless another worker has been faster.
func (s *source) delivery(id int64) func(context.Context, querier) error {
	skip := s.random.IntN(8)
	return func(ctx context.Context, tx querier) error {
		order, err := one(tx.QueryContext(ctx, full("select id from (select id, row_number() over (order by id) as place from @orders where delivered_at is null) open_orders where place = ?"), 1+skip))
		if err != nil {
			return err
		}
		at := now()
		res, err := tx.ExecContext(ctx, full("update @orders set delivered_at = ? where id = ? and delivered_at is null"), at, order)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return errNothingToDo
		}
		_, err = tx.ExecContext(ctx, full("insert into @deliveries (id, order_id, delivered_at) values (?, ?, ?)"), id, order, at)
		return err
	}
}

// one reads the first value of a query.
func one(rows *sql.Rows, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var v int64
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return 0, err
		}
		return 0, errNothingToDo
	}
	if err := rows.Scan(&v); err != nil {
		return 0, err
	}
	return v, rows.Close()
}
