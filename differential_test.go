package dualsql_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
)

// The differential tests take their size from flags; the environment holds the defaults, so that one command can set them
// for all packages.
var (
	diffSeed  = flag.Uint64("dualsql.seed", diffEnv("DUALSQL_TEST_SEED", 0), "seed of the differential tests; 0: by the clock")
	diffSize  = flag.Uint64("dualsql.size", diffEnv("DUALSQL_TEST_SIZE", 100), "transactions in each differential test")
	diffSeeds = flag.Uint64("dualsql.seeds", diffEnv("DUALSQL_TEST_SEEDS", 1), "seeds that each differential test runs with, from the first on")
)

func diffEnv(name string, otherwise uint64) uint64 {
	n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// pairKind is a pair of databases for the differential tests.
type pairKind struct {
	name               string
	primary, secondary diffDialect
	mirror             dualsql.Mirror // empty: MirrorStatement
}

// dialects are those of the primary, the secondary and the plain database.
func (k pairKind) dialects() [3]diffDialect { return [3]diffDialect{k.primary, k.secondary, k.primary} }

var pairKinds = []pairKind{
	{name: "sqlite+sqlite", primary: sqliteDialect, secondary: sqliteDialect},
	{name: "postgres+postgres", primary: postgresDialect, secondary: postgresDialect},
	{name: "postgres+postgres", primary: postgresDialect, secondary: postgresDialect, mirror: dualsql.MirrorMixed},
	{name: "postgres+postgres", primary: postgresDialect, secondary: postgresDialect, mirror: dualsql.MirrorRow},
	{name: "postgres+sqlite", primary: postgresDialect, secondary: sqliteDialect},
	{name: "postgres+sqlite", primary: postgresDialect, secondary: sqliteDialect, mirror: dualsql.MirrorRow},
	{name: "postgres+sqlserver", primary: postgresDialect, secondary: sqlserverDialect, mirror: dualsql.MirrorAuto},
}

// forDiffPairs runs test for every pair, protocol and seed.
func forDiffPairs(t *testing.T, test func(t *testing.T, p *diffPair, seed uint64)) {
	first := *diffSeed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	for _, kind := range pairKinds {
		for _, commit := range everyProtocol {
			engines := [2]string(strings.Split(kind.name, "+"))
			if !runs(engines, commit) || engines[secondary] == "sqlserver" && commit != ownProtocol(engines) && !*everything {
				continue
			}
			t.Run(kind.name+string(kind.mirror)+"/"+string(commit), func(t *testing.T) {
				for seed := first; seed < first+*diffSeeds && !t.Failed(); seed++ {
					t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { test(t, openDiffPair(t, kind, commit), seed) })
				}
			})
		}
	}
}

// diffPair is a pair behind dualsql, and ways around dualsql to look at it.
type diffPair struct {
	kind  pairKind
	dual  *sql.DB
	plain *sql.DB // of the primary's kind; the same is done to it by its own driver
	// looks are for reading the tables of the two sides and of plain.
	looks [3]*sql.DB
}

func openDiffPair(t *testing.T, kind pairKind, commit dualsql.Protocol) *diffPair {
	if kind.secondary == sqlserverDialect {
		sqlserver.Servers(t, 2) // they outlive the test
	}
	chaos.CheckGoroutines(t)
	var dsns [3]string
	for i, d := range kind.dialects() {
		switch d {
		case sqliteDialect:
			dsns[i] = testdb.SQLite(t, fmt.Sprint("db", i)) + "&_pragma=foreign_keys(1)"
		case sqlserverDialect:
			dsns[i] = sqlserver.Servers(t, 2)[1].CreateDatabase(t)
		default:
			dsns[i] = testdb.Clusters(t, 2)[i%2].CreateDatabase(t)
		}
	}
	cfg := dualsql.NewConfig()
	cfg.Primary.DSN, cfg.Secondary.DSN = dsns[0], dsns[1]
	cfg.Journal = filepath.Join(t.TempDir(), "journal")
	cfg.Commit, cfg.Mirror = commit, cmp.Or(kind.mirror, dualsql.MirrorStatement)
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	connector, err := dualsql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &diffPair{kind: kind, dual: sql.OpenDB(connector)}
	t.Cleanup(func() { closeDiffDB(t, p.dual) })
	for i, d := range kind.dialects() {
		if d == postgresDialect {
			p.looks[i] = openDiffPlain(t, d, dsns[i]+"&default_query_exec_mode=simple_protocol") // no plan outlives a change of a table
		} else {
			p.looks[i] = openDiffPlain(t, d, dsns[i])
		}
	}
	p.plain = openDiffPlain(t, kind.primary, dsns[2])
	return p
}

func openDiffPlain(t *testing.T, d diffDialect, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeDiffDB(t, db) })
	return db
}

func closeDiffDB(t *testing.T, db *sql.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestDifferential does the same random things to a pair through dualsql and to a single database through its own driver.
// Every result has to be the same, and at the end so have the three databases.
func TestDifferential(t *testing.T) {
	forDiffPairs(t, func(t *testing.T, p *diffPair, seed uint64) {
		g := newDiffGenerator(seed, p.kind)
		dual := newDiffSubject(p.dual, p.kind.primary, false)
		plain := newDiffSubject(p.plain, p.kind.primary, true)
		for _, text := range g.schema() {
			if _, err := p.dual.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if _, err := p.plain.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		const looks = 10
		size := int(*diffSize)
		for i := range size {
			s := g.script()
			got, want := dual.play(t, s), plain.play(t, s)
			if diff := s.diff(got, want); diff != "" {
				t.Fatalf("transaction %d of seed %d: %s", i, seed, diff)
			}
			if i == size-1 || (i+1)%max(1, size/looks) == 0 {
				p.compare(t, true)
			}
			if t.Failed() {
				t.Fatalf("after transaction %d of seed %d:\n%s", i, seed, s.describe(got, want))
			}
		}
		diffPending(t, p.dual)
	})
}

// TestDifferentialChance does random things to a pair that need not come out the same twice: chance, the clock, sequences, rows
// in no order. Under mirror=mixed and row the sides have to be equal all the same, and what cannot be so has to be refused.
func TestDifferentialChance(t *testing.T) {
	forDiffPairs(t, func(t *testing.T, p *diffPair, seed uint64) {
		if p.kind.mirror == "" {
			t.Skip("the text of a statement does not say what comes out")
		}
		g := newDiffGenerator(seed, p.kind)
		g.chancy = true
		dual := newDiffSubject(p.dual, p.kind.primary, false)
		for _, text := range g.schema() {
			if _, err := p.dual.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		size := int(*diffSize)
		good, refusals := 0, 0
		for i := range size {
			s := g.script()
			alone := !s.explicit && s.steps[0].refused
			var before map[string][]string
			if alone {
				before = diffDump(t, p.looks[0], p.kind.primary, diffPortable)
			}
			got := dual.play(t, s)
			if alone {
				diffDumps(t, "primary", diffDump(t, p.looks[0], p.kind.primary, diffPortable), "primary before", before)
			}
			if last := got[len(got)-1]; last.err == nil && s.commit == s.explicit {
				good++
			}
			for n, r := range got {
				wanted := n < len(s.steps) && s.steps[n].refused
				switch refused := errors.Is(r.err, dualsql.ErrNotMirrored); {
				case wanted && r.err == nil:
					t.Errorf("step %d was not refused", n)
				case refused && !wanted:
					t.Errorf("refused: %v", r.err)
				case refused:
					refusals++
				}
			}
			if i == size-1 || (i+1)%max(1, size/10) == 0 {
				p.compare(t, false)
			}
			if t.Failed() {
				t.Fatalf("after transaction %d of seed %d:\n%s", i, seed, s.describe(got, got))
			}
		}
		if good < size/10 {
			t.Errorf("only %d of %d transactions were committed", good, size)
		}
		if refusals == 0 && size >= 100 {
			t.Error("nothing was refused")
		}
		t.Logf("%d of %d transactions committed, %d statements refused", good, size, refusals)
		diffPending(t, p.dual)
	})
}

// diffPending fails the test if anything is open: nothing has died.
func diffPending(t *testing.T, db *sql.DB) {
	t.Helper()
	c, err := dualsql.FromDB(db)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Pending()
	if err != nil || len(list) > 0 {
		t.Errorf("pending: %v, %v; want nothing", list, err)
	}
}

// compare fails the test unless the two sides hold the same tables with the same rows, and the plain database too.
func (p *diffPair) compare(t *testing.T, plain bool) {
	t.Helper()
	dialects := p.kind.dialects()
	portable := diffPortable
	if p.kind.secondary == sqlserverDialect {
		portable = vendorValue
	}
	primary := diffDump(t, p.looks[0], dialects[0], portable)
	diffDumps(t, "secondary", diffDump(t, p.looks[1], dialects[1], portable), "primary", primary)
	if plain {
		diffDumps(t, "primary", primary, "plain database", diffDump(t, p.looks[2], dialects[2], portable))
	}
}

// diffDump returns the rows of each table, sorted, with each value in a form that is the same for all databases.
func diffDump(t *testing.T, db *sql.DB, d diffDialect, portable func(any) string) map[string][]string {
	t.Helper()
	ctx := context.Background()
	tables := map[string][]string{}
	names, err := diffQuery(ctx, db, d.catalog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range names.values {
		name := row[0].(string)
		got, err := diffQuery(ctx, db, "select * from "+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		tables[name] = append([]string{fmt.Sprint(got.columns)}, got.sorted(portable)...)
	}
	return tables
}

func diffDumps(t *testing.T, gotName string, got map[string][]string, wantName string, want map[string][]string) {
	t.Helper()
	for _, pair := range []struct {
		a, b   map[string][]string
		an, bn string
	}{{got, want, gotName, wantName}, {want, got, wantName, gotName}} {
		for table, rows := range pair.a {
			there := map[string]int{}
			for _, r := range pair.b[table] {
				there[r]++
			}
			if pair.b[table] == nil {
				t.Errorf("the %s has a table %s, the %s has not", pair.an, table, pair.bn)
				continue
			}
			for _, r := range rows {
				if there[r]--; there[r] < 0 {
					t.Errorf("table %s: only the %s has %s", table, pair.an, r)
				}
			}
		}
	}
}

func newDiffRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
