package dualsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/dualsql/dualsql"
)

// node is one user of the pair.
type node struct {
	*sql.DB
	c *dualsql.Connector
}

func (w *world) open() *node {
	w.Helper()
	db, err := sql.Open(dualsql.Name, w.DSN())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { db.Close() })
	c, err := dualsql.FromDB(db)
	if err != nil {
		w.Fatal(err)
	}
	return &node{db, c}
}

// openWarm has had its first write done, so that what follows meets no first use of anything.
func (w *world) openWarm() *node {
	w.Helper()
	n := w.open()
	if err := write(n.DB, warmup); err != nil {
		w.Fatal(err)
	}
	w.eventually("the first write is on both sides", func() bool { return w.where(warmup) == both })
	return n
}

func (w *world) close(n *node) {
	w.Helper()
	if err := n.Close(); err != nil {
		w.Fatal(err)
	}
}

const warmup = 1_000_000

// write is the transaction that most tests run. Its id tells where it has arrived.
func write(db *sql.DB, id int, more ...string) error {
	return writeCtx(context.Background(), db, id, more...)
}

func writeCtx(ctx context.Context, db *sql.DB, id int, more ...string) error {
	return writeThen(ctx, db, id, func() {}, more...)
}

// writeThen calls then between the last statement and Commit.
func writeThen(ctx context.Context, db *sql.DB, id int, then func(), more ...string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err = tx.ExecContext(ctx, "insert into entry values (?, ?)", id, "written"); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "update account set n = n + 1 where id = ?", 1); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "insert into log values (?)", fmt.Sprint(id)); err != nil {
		return err
	}
	for _, text := range more {
		if _, err = tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	then()
	return tx.Commit()
}

// writing runs write in the background.
func (n *node) writing(id int, more ...string) <-chan error {
	result := make(chan error, 1)
	go func() { result <- write(n.DB, id, more...) }()
	return result
}

// result is what the caller was told of a write in the background.
func (w *world) result(c <-chan error, want dualsql.Outcome) error {
	w.Helper()
	select {
	case err := <-c:
		w.told(err, want)
		return err
	case <-time.After(patience):
		w.Fatal("a write never came to its end")
	}
	return nil
}

// patience is how long something may take that is bound to come.
const patience = 30 * time.Second

// eventually waits for something that comes about by itself.
func (w *world) eventually(what string, f func() bool) {
	w.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			w.Fatalf("it never came about that %s", what)
		}
	}
}

// nothingPrepared is the rule of every end: nothing holds locks or holds back vacuum.
func (w *world) nothingPrepared() {
	w.Helper()
	if w.Failed() {
		return // it is likely, and says nothing new
	}
	for side, engine := range w.engines {
		if engine == "postgres" {
			w.eventually(fmt.Sprintf("nothing is prepared on side %d any more", side), func() bool { return w.prepared(side) == 0 })
		}
	}
}

// prepared counts a side's prepared transactions; -1 while the server is away.
func (w *world) prepared(side int) (n int) {
	if w.raw[side].QueryRow("select count(*) from pg_prepared_xacts where database = current_database()").Scan(&n) != nil {
		return -1
	}
	return n
}

// settled waits until the resolver has ended everything.
func (w *world) settled(n *node) {
	w.Helper()
	w.eventually("nothing is pending", func() bool {
		list, err := n.c.Pending()
		if err != nil {
			w.Fatal(err)
		}
		return len(list) == 0
	})
}

// writes waits until a write goes through: pooled connections and the writer's lock may have to be made anew. It returns
// the first id after those it has tried.
func (w *world) writes(n *node, id int) int {
	w.Helper()
	var err error
	w.eventually("writes work", func() bool {
		err = write(n.DB, id)
		id++
		return err == nil
	})
	return id
}

// recover opens the pair after a crash and recovers. The server may not have noticed yet that the dead process is gone.
func (w *world) recover() (*node, dualsql.Recovery) {
	w.Helper()
	n := w.open()
	var r dualsql.Recovery
	w.eventually("recovery can begin", func() bool {
		var err error
		r, err = n.c.Recover(context.Background())
		if err != nil && !strings.Contains(err.Error(), "one process at a time") {
			w.Fatal(err)
		}
		return err == nil
	})
	return n, r
}
