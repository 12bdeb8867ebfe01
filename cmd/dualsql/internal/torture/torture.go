// Package torture is dualsql's torture test: several processes write to one pair of databases while they are killed,
// servers are stopped and connections are cut and slowed, at random; at the end nothing may be lost, doubled, torn or open.
package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// Server can stop and start the server of a side. Kill stops it as a crash does: sessions are cut, nothing is finished.
type Server interface {
	Kill() error
	Start() error
}

// The ways of Options.Ack.
const (
	AckBoth    = string(dualsql.AckBoth)
	AckDecided = string(dualsql.AckDecided)
	AckMixed   = "mixed" // every other process
)

// Options say what the torture runs on, and how.
type Options struct {
	Primary, Secondary string // DSNs
	Dir                string // for the journals and logs of the processes; empty: a temporary one
	Commit             dualsql.Protocol
	Ack                string
	Processes, Workers int
	Duration           time.Duration // of the disturbances
	Seed               uint64
	Drop               bool      // tables and journals that an earlier run has left are removed
	Servers            [2]Server // nil: the side's server is left alone
	Verbose            bool
}

// Disturbances counts what was done to the processes, the servers and the network.
type Disturbances struct {
	Kills        int `json:"kills"`         // of processes
	LostJournals int `json:"lost_journals"` // deleted before the killed process was started anew
	Stops        int `json:"stops"`         // of servers
	Cuts         int `json:"cuts"`          // all connections of a side at once
	Outages      int `json:"outages"`       // a side refused connections for a while
	Freezes      int `json:"freezes"`       // a side's network was a black hole for a while
	Slowdowns    int `json:"slowdowns"`     // a side's network was slow for a while
	Messages     int `json:"messages"`      // single requests and replies of commits that were lost or held up
}

// Report is the outcome.
type Report struct {
	Seed         uint64             `json:"seed"`
	Commit       dualsql.Protocol   `json:"commit"`
	Ack          string             `json:"ack"`
	Processes    int                `json:"processes"`
	Workers      int                `json:"workers"`
	Primary      string             `json:"primary"` // without passwords
	Secondary    string             `json:"secondary"`
	Seconds      float64            `json:"seconds"` // in all
	Told         Sum                `json:"told"`    // to callers
	Causes       []Cause            `json:"causes"`  // of those that were rolled back, the most frequent
	Disturbances Disturbances       `json:"disturbances"`
	Recovered    int                `json:"recovered"` // transactions that were ended by recovery; those by a process that was killed right after it are not counted
	Markers      [2]int             `json:"markers"`   // rows that dualsql still keeps on each side
	Tables       []sides.Difference `json:"tables"`
	Checks       []sides.Check      `json:"checks"`
	OK           bool               `json:"ok"`
	Kept         string             `json:"kept,omitempty"` // the directory with the evidence
}

// Run tortures the pair until the time is over or ctx ends, and then verifies. It prints what it does to out; live says
// that out is a terminal. The report is nil if there is nothing to verify. What has failed keeps its tables and files.
func Run(ctx context.Context, o Options, out io.Writer, live bool) (report *Report, err error) {
	begin := time.Now()
	w, err := build(ctx, &o)
	if err != nil {
		return nil, err
	}
	t := &torture{world: w, ledger: newLedger(), show: &show{out: out, live: live}}
	// When the context ends, the verification goes on: what was made is to be taken away, and in good order.
	calm := context.WithoutCancel(ctx)
	defer func() {
		if err == nil && report.OK {
			err = w.destroy(calm)
			return
		}
		kept := errors.Join(t.keep(), w.close())
		err = errors.Join(err, kept)
		if report != nil {
			report.Kept = w.dir
		} else {
			err = fmt.Errorf("%w; tables and files are kept, the files in %s", err, w.dir)
		}
	}()
	t.show.introduce(w)
	if err := t.disturb(ctx); err != nil {
		return nil, err
	}
	leftovers, err := t.settle(calm)
	if err != nil {
		return nil, err
	}
	t.show.clear()
	report = &Report{Seed: o.Seed, Commit: o.Commit, Ack: o.Ack, Processes: o.Processes, Workers: o.Workers,
		Primary: sides.Place(o.Primary), Secondary: sides.Place(o.Secondary), Markers: leftovers.markers,
		Told: t.ledger.sum(), Causes: t.ledger.causes(), Disturbances: t.count(), Recovered: t.ledger.recovered() + leftovers.recovered}
	if report.Tables, report.Checks, err = verify(calm, w.sides, t.ledger, leftovers); err != nil {
		return nil, err
	}
	report.OK = true
	for _, c := range report.Checks {
		report.OK = report.OK && c.OK
	}
	report.Seconds = time.Since(begin).Seconds()
	t.show.result(report)
	return report, nil
}

// torture is a run.
type torture struct {
	*world
	*ledger
	*show
	slots  []*slot
	monkey *monkey
	cancel context.CancelCauseFunc // ends the run with an error
}
