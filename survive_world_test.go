package dualsql_test

import (
	"database/sql"
	"flag"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/sqlserver"
)

const primary, secondary = 0, 1

// everyPair is what the rows of "What must survive" are run on.
var everyPair = [][2]string{{"postgres", "postgres"}, {"sqlite", "sqlite"}, {"postgres", "sqlite"}, {"sqlite", "postgres"},
	{"postgres", "sqlserver"}, {"sqlserver", "postgres"}, {"sqlserver", "sqlserver"}}

// everything runs the matrix on all pairs under all protocols. Without it two PostgreSQL servers are run under all, and any other
// pair under the one that it has by itself, unless a test is about another.
var everything = flag.Bool("dualsql.everything", false, "run the tests of crashes and faults on all pairs under all protocols, and at more places")

// inQuarter reports whether a test is in the quarter that the environment names: 0 to 3. Without one of these all are.
func inQuarter(name string) bool {
	quarter, err := strconv.Atoi(os.Getenv("DUALSQL_TEST_QUARTER"))
	if err != nil || quarter < 0 || quarter > 3 {
		return true
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32()%4) == quarter
}

// server stands for any engine that is reached over a wire, and can be stopped.
const server = "server"

var everyProtocol = []dualsql.Protocol{dualsql.TwoPhase, dualsql.Marker, dualsql.BestEffort}

var (
	underMarker   = []dualsql.Protocol{dualsql.Marker}
	underTwoPhase = []dualsql.Protocol{dualsql.TwoPhase}
	mending       = []dualsql.Protocol{dualsql.TwoPhase, dualsql.Marker} // they end what a crash has cut
)

// runs reports whether a pair of engines can have a protocol.
func runs(engines [2]string, p dualsql.Protocol) bool {
	return p != dualsql.TwoPhase || slices.Contains(engines[:], "postgres")
}

// ownProtocol is what commit=auto chooses.
func ownProtocol(engines [2]string) dualsql.Protocol {
	if runs(engines, dualsql.TwoPhase) {
		return dualsql.TwoPhase
	}
	return dualsql.Marker
}

// decider is the side whose COMMIT decides: under 2pc the one that does not prepare.
func decider(engines [2]string, p dualsql.Protocol) int {
	if p == dualsql.TwoPhase && engines[secondary] != "postgres" {
		return secondary
	}
	return primary
}

// on says which pairs and protocols a row applies to. The zero value: all.
type on struct {
	protocols []dualsql.Protocol
	primary   string // only pairs with this engine on that side
	secondary string
	decides   string // only where the COMMIT of this engine decides
	follows   string // only where this engine is on the other side; under 2pc it is the one that prepares
	vendors   bool   // only pairs with SQL Server, without SQLite
	options   string // for the DSN
	stops     bool   // the test stops servers: it gets a pair of them for itself
	alone     bool   // the test touches what the whole process shares: the journals' file system
}

func (o on) applies(engines [2]string, p dualsql.Protocol) bool {
	is := func(want string, side int) bool {
		return want == "" || engines[side] == want || want == server && engines[side] != "sqlite"
	}
	if o.vendors && (!slices.Contains(engines[:], "sqlserver") || slices.Contains(engines[:], "sqlite")) {
		return false
	}
	fits := func(p dualsql.Protocol) bool {
		return runs(engines, p) && (o.protocols == nil || slices.Contains(o.protocols, p)) &&
			is(o.primary, primary) && is(o.secondary, secondary) && is(o.decides, decider(engines, p)) && is(o.follows, 1-decider(engines, p))
	}
	if own := ownProtocol(engines); p != own && engines != everyPair[0] && fits(own) && !*everything {
		return false
	}
	return fits(p)
}

func (o on) each(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	for _, engines := range everyPair {
		for _, protocol := range everyProtocol {
			name := fmt.Sprintf("%s+%s/%s", engines[primary], engines[secondary], protocol)
			always := engines == everyPair[0] && protocol == dualsql.TwoPhase
			if !o.applies(engines, protocol) || !always && !inQuarter(t.Name()+"/"+name) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				options := o.options
				if slices.Contains(engines[:], "sqlserver") {
					// The endpoint and what it stands on have to connect in that time, on a machine that has much else to do.
					options = strings.Replace(options, "commit_timeout=2s", "commit_timeout=3s", 1)
				}
				if !o.alone {
					t.Parallel()
				}
				set := 0
				if o.stops {
					set = stoppableServers(t, engines)
				}
				run(t, newWorldIn(t, serversOf(t, engines, set), engines, protocol, options))
			})
		}
	}
}

// world is a pair of fresh databases, equal on both sides, under one protocol.
type world struct {
	*testing.T
	engines  [2]string
	server   [2]host    // nil where the engine is SQLite
	dsn      [2]string  // as dualsql gets them
	raw      [2]*sql.DB // past dualsql
	protocol dualsql.Protocol
	decides  int // the side whose COMMIT decides
	follows  int // the other
	journal  string
	options  string
}

// host is a server of tests.
type host interface {
	CreateDatabase(testing.TB) string
	MayStop(testing.TB)
	StopImmediate(testing.TB)
	Start(testing.TB)
	Restart(testing.TB)
}

// account counts the writes and log has a row for each, without a key: what is done twice shows in both. child's foreign
// key stands on one side only, where a test has asked for it.
var schema = []string{
	"create table entry (id int primary key, v varchar(100) not null)",
	"create table account (id int primary key, n int not null)",
	"create table log (v varchar(100) not null)",
	"create table parent (id int primary key)",
	"insert into account values (1, 0)",
}

var tables = []string{"entry", "account", "log", "parent", "child"}

func newWorld(t *testing.T, engines [2]string, protocol dualsql.Protocol, options string) *world {
	t.Helper()
	return newWorldIn(t, serversOf(t, engines, 0), engines, protocol, options)
}

// stoppable are the sets of servers that nobody is stopping; set 0 is everybody's, and stays up.
var stoppable = make(chan int, 3)

func init() {
	for i := range cap(stoppable) {
		stoppable <- i + 1
	}
}

// stoppableServers returns a set of servers that are the test's own.
func stoppableServers(t *testing.T, engines [2]string) (set int) {
	t.Helper()
	for _, s := range serversOf(t, engines, 0) {
		if s != nil {
			s.MayStop(t)
		}
	}
	set = <-stoppable
	t.Cleanup(func() { stoppable <- set })
	return set
}

func serversOf(t *testing.T, engines [2]string, set int) (servers [2]host) {
	t.Helper()
	for side, engine := range engines {
		number := 2*set + side
		switch engine {
		case "postgres":
			servers[side] = testdb.Clusters(t, number+1)[number]
		case "sqlserver":
			servers[side] = sqlserver.Servers(t, number+1)[number]
		}
	}
	return servers
}

// drivers are the sides' own, by the engine.
var drivers = map[string]string{"postgres": "pgx", "sqlite": "sqlite", "sqlserver": "sqlserver"}

func newWorldIn(t *testing.T, servers [2]host, engines [2]string, protocol dualsql.Protocol, options string) *world {
	t.Helper()
	w := &world{T: t, engines: engines, server: servers, protocol: protocol, options: options, journal: filepath.Join(t.TempDir(), "journal")}
	w.decides = decider(engines, protocol)
	w.follows = 1 - w.decides
	for side, engine := range engines {
		if servers[side] != nil {
			w.dsn[side] = servers[side].CreateDatabase(t)
		} else {
			w.dsn[side] = testdb.SQLite(t, fmt.Sprintf("side%d", side)) + "&_pragma=foreign_keys%281%29"
		}
		var err error
		if w.raw[side], err = sql.Open(drivers[engine], w.dsn[side]); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.raw[side].Close() })
		for _, text := range schema {
			w.exec(side, text)
		}
	}
	t.Cleanup(w.nothingPrepared)
	return w
}

// another is the world as a process with a journal of its own has it.
func (w *world) another(options string) *world {
	w.Helper()
	other := *w
	other.journal, other.options = filepath.Join(w.TempDir(), "journal"), options
	return &other
}

// constrain creates child on both sides, and on one of them its foreign key, which is looked at by COMMIT; by SQL Server, which
// defers nothing, at once.
func (w *world) constrain(constrained int) {
	w.Helper()
	for side := range w.raw {
		key := ""
		if side == constrained {
			key = " references parent (id)"
			if w.engines[side] != "sqlserver" {
				key += " deferrable initially deferred"
			}
		}
		w.exec(side, "create table child (pid int"+key+")")
	}
}

// deferring skips the test where a side's COMMIT is to be refused and cannot be: SQL Server defers no constraint, and all else is
// looked at by the statements.
func (w *world) deferring(side int) {
	w.Helper()
	if w.engines[side] == "sqlserver" {
		w.Skip("SQL Server refuses no COMMIT")
	}
}

// carriesRows reports whether mirror=auto gives the secondary rows of plain writes, and not their texts.
func (w *world) carriesRows() bool { return w.engines == [2]string{"postgres", "sqlserver"} }

// exec runs text on one side, past dualsql.
func (w *world) exec(side int, text string) {
	w.Helper()
	if _, err := w.raw[side].Exec(text); err != nil {
		w.Fatalf("%s: %s: %v", w.engines[side], text, err)
	}
}

// dropIdle closes the connections that the test has to a server that is stopped.
func (w *world) dropIdle(side int) {
	w.raw[side].SetMaxIdleConns(0)
	w.raw[side].SetMaxIdleConns(2)
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
	switch w.engines[side] {
	case "postgres":
		return "dualsql.commit"
	case "sqlserver":
		return "dualsql.[commit]"
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
