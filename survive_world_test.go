package dualsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
)

const primary, secondary = 0, 1

// everyPair is what the rows of "What must survive" are run on.
var everyPair = [][2]string{{"postgres", "postgres"}, {"sqlite", "sqlite"}, {"postgres", "sqlite"}, {"sqlite", "postgres"}}

var everyProtocol = []dualsql.Protocol{dualsql.TwoPhase, dualsql.Marker, dualsql.BestEffort}

// runs reports whether a pair of engines can have a protocol.
func runs(engines [2]string, p dualsql.Protocol) bool {
	return p != dualsql.TwoPhase || slices.Contains(engines[:], "postgres")
}

// on says which pairs and protocols a row applies to. The zero value: all.
type on struct {
	protocols []dualsql.Protocol
	primary   string // only pairs with this engine on that side
	secondary string
	options   string // for the DSN
	alone     bool   // the test touches what the whole process shares: crash points, servers
}

func (o on) each(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	for _, engines := range everyPair {
		if o.primary != "" && engines[primary] != o.primary || o.secondary != "" && engines[secondary] != o.secondary {
			continue
		}
		for _, protocol := range everyProtocol {
			if !runs(engines, protocol) || o.protocols != nil && !slices.Contains(o.protocols, protocol) {
				continue
			}
			t.Run(fmt.Sprintf("%s+%s/%s", engines[primary], engines[secondary], protocol), func(t *testing.T) {
				if !o.alone {
					t.Parallel()
				}
				run(t, newWorld(t, engines, protocol, o.options))
			})
		}
	}
}

var underMarker = []dualsql.Protocol{dualsql.Marker}

// world is a pair of fresh databases, equal on both sides, under one protocol.
type world struct {
	*testing.T
	engines  [2]string
	cluster  [2]*testdb.Cluster // nil where the engine is SQLite
	dsn      [2]string          // as dualsql gets them
	raw      [2]*sql.DB         // past dualsql
	protocol dualsql.Protocol
	journal  string
	options  string
}

// account counts the writes and log has a row for each, without a key: what is done twice shows in both. child's foreign
// key stands on one side only, where a test has asked for it.
var schema = []string{
	"create table entry (id int primary key, v text not null)",
	"create table account (id int primary key, n int not null)",
	"create table log (v text not null)",
	"create table parent (id int primary key)",
	"insert into account values (1, 0)",
}

var tables = []string{"entry", "account", "log", "parent", "child"}

func newWorld(t *testing.T, engines [2]string, protocol dualsql.Protocol, options string) *world {
	t.Helper()
	w := &world{T: t, engines: engines, protocol: protocol, options: options, journal: filepath.Join(t.TempDir(), "journal")}
	for side, engine := range engines {
		driver := "sqlite"
		if engine == "postgres" {
			driver = "pgx"
			w.cluster[side] = testdb.Clusters(t, 2)[side]
			w.dsn[side] = w.cluster[side].CreateDatabase(t)
		} else {
			w.dsn[side] = testdb.SQLite(t, fmt.Sprintf("side%d", side)) + "&_pragma=foreign_keys%281%29"
		}
		var err error
		if w.raw[side], err = sql.Open(driver, w.dsn[side]); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.raw[side].Close() })
		for _, text := range schema {
			w.exec(side, text)
		}
	}
	return w
}

// constrain creates child on both sides, and on one of them its foreign key, which is looked at by COMMIT.
func (w *world) constrain(constrained int) {
	w.Helper()
	for side := range w.raw {
		key := ""
		if side == constrained {
			key = " references parent (id) deferrable initially deferred"
		}
		w.exec(side, "create table child (pid int"+key+")")
	}
}

// exec runs text on one side, past dualsql.
func (w *world) exec(side int, text string) {
	w.Helper()
	if _, err := w.raw[side].Exec(text); err != nil {
		w.Fatalf("%s: %s: %v", w.engines[side], text, err)
	}
}

func (w *world) count(side int, query string) (n int) {
	w.Helper()
	if err := w.raw[side].QueryRow(query).Scan(&n); err != nil {
		w.Fatalf("%s: %s: %v", w.engines[side], query, err)
	}
	return n
}

// markers is the name of the markers' table.
func (w *world) markers(side int) string {
	if w.engines[side] == "postgres" {
		return "dualsql.commit"
	}
	return "dualsql_commit"
}

// behind puts a proxy in front of one side, for what is opened after it.
func (w *world) behind(side int) *chaos.Proxy {
	w.Helper()
	u, err := url.Parse(w.dsn[side])
	if err != nil {
		w.Fatal(err)
	}
	p := chaos.NewProxy(w, u.Host)
	w.dsn[side] = chaos.Via(w.dsn[side], p)
	return p
}

func (w *world) DSN() string {
	return strings.TrimSpace(fmt.Sprintf("primary='%s' secondary='%s' journal='%s' commit=%s %s", w.dsn[primary], w.dsn[secondary], w.journal, w.protocol, w.options))
}

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
	return tx.Commit()
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
