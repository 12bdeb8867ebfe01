// Package result is what a run of the benchmark has measured, as its JSON holds it, and the ratios that are read from it.
package result

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Run is one run of the benchmark.
type Run struct {
	Date    time.Time `json:"date"`
	Machine Machine   `json:"machine"`
	Rounds  int       `json:"rounds"`
	// Turn is how long each contender has worked in each round.
	Turn       time.Duration `json:"turn_ns"`
	Delays     []Delay       `json:"delays"`
	Contenders []Contender   `json:"contenders"`
	Cells      []Cell        `json:"cells"`
	Curves     []Curve       `json:"curves,omitempty"`
}

// Machine is what the run was made on.
type Machine struct {
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	CPUs       int    `json:"cpus"`
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql"`
	Pgpool     string `json:"pgpool"` // or why it was left out
	// Sync is the median time to write and sync 256 bytes in the directory that holds servers and journals.
	Sync time.Duration `json:"sync_ns"`
}

// Delay is what was put into each connection in each direction, and what a round trip to the primary then took.
type Delay struct {
	Delay     time.Duration `json:"delay_ns"`
	RoundTrip time.Duration `json:"round_trip_ns"`
}

// Contender is one of those that were compared.
type Contender struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

// Cell is one workload under one delay with one number of clients. All of its contenders ran interleaved.
type Cell struct {
	Workload string        `json:"workload"`
	Delay    time.Duration `json:"delay_ns"`
	Clients  int           `json:"clients"`
	Entries  []Entry       `json:"entries"`
}

// Entry is what one contender has done in a cell.
type Entry struct {
	Contender string `json:"contender"`
	// Skipped says why it was left out; then all else is zero.
	Skipped string        `json:"skipped,omitempty"`
	Rounds  []Round       `json:"rounds,omitempty"`
	P50     time.Duration `json:"p50_ns"` // of all transactions of all rounds
	P99     time.Duration `json:"p99_ns"`
	// Sides is what the comparison of the two databases has shown.
	Sides string `json:"sides"`
	// Wrong: the databases are not as they should be after what has been acknowledged.
	Wrong bool `json:"wrong"`
	// Errors is the number of transactions that failed; they are not among those of the rounds.
	Errors     int    `json:"errors"`
	FirstError string `json:"first_error,omitempty"`
}

// Round is a contender's turn.
type Round struct {
	Transactions int           `json:"transactions"`
	Took         time.Duration `json:"took_ns"`
	CPU          time.Duration `json:"cpu_ns"` // user and system, of the client's process
	Mallocs      uint64        `json:"mallocs"`
	Bytes        uint64        `json:"bytes"` // allocated
}

// Name returns what tells a cell from the others of its workload.
func (c *Cell) Name() string {
	clients := fmt.Sprintf("%d clients", c.Clients)
	if c.Clients == 1 {
		clients = "1 client"
	}
	return DelayName(c.Delay) + ", " + clients
}

// DelayName returns "loopback" for no delay.
func DelayName(d time.Duration) string {
	if d == 0 {
		return "loopback"
	}
	return fmt.Sprintf("%g ms", float64(d)/float64(time.Millisecond))
}

// Cell returns the cell of a workload, or nil.
func (r *Run) Cell(workload string, delay time.Duration, clients int) *Cell {
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Workload == workload && c.Delay == delay && c.Clients == clients {
			return c
		}
	}
	return nil
}

// Entry returns the entry of a contender that has measurements, or nil.
func (c *Cell) Entry(contender string) *Entry {
	for i := range c.Entries {
		if e := &c.Entries[i]; e.Contender == contender && len(e.Rounds) > 0 {
			return e
		}
	}
	return nil
}

// Write writes the run into a file, as JSON.
func (r *Run) Write(file string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// Read returns the run that Write has written.
func Read(file string) (*Run, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := new(Run)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s is not what the benchmark writes with -json: %w", file, err)
	}
	return r, nil
}
