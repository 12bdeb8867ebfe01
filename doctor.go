package dualsql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/engine"
)

// Level says how bad a [Finding] is.
type Level string

// The levels.
const (
	LevelOK      Level = "ok"
	LevelWarning Level = "warning" // it works, and something should be looked at
	LevelProblem Level = "problem" // it does not work, or can lose data
)

// Finding is what one check of [Connector.Doctor] has found.
type Finding struct {
	Side   string `json:"side"`  // "primary", "secondary", "pair" or "journal"
	Check  string `json:"check"` // what was looked at
	Level  Level  `json:"level"`
	Text   string `json:"text"`   // what was found and what it means
	Advice string `json:"advice"` // what to do; empty when there is nothing to do
}

// clockLimit is how far two clocks may differ: the times in the markers and the journal are for operators to read, and
// order nothing.
const clockLimit = 2 * time.Second

// Doctor examines both databases, the pair and the journal directory, and changes nothing; but SQLite itself makes a
// database file that is not there. It holds no journal, so it may run beside a live application. It always returns
// findings, also when a side cannot be reached.
func (c *Connector) Doctor(ctx context.Context) []Finding {
	var e examination
	var sessions [2]engine.Session
	var marking [2]engine.Marking
	for role, side := range c.sides {
		s, err := side.connect(ctx)
		if err != nil {
			e.add(side.role.String(), "connect", LevelProblem, err.Error(), "check the DSN, the server and the network")
			continue
		}
		defer s.Close()
		e.side(ctx, side, s)
		sessions[role] = s
		marking[role], _ = s.(engine.Marking)
	}
	if marking[0] != nil && marking[1] != nil {
		e.pair(ctx, marking)
		e.sequences(sequencesOf(ctx, c.sides, sessions, false))
	}
	e.journal(c.cfg)
	return e.findings
}

type examination struct{ findings []Finding }

func (e *examination) add(side, check string, level Level, text, advice string) {
	e.findings = append(e.findings, Finding{side, check, level, text, advice})
}

func (e *examination) side(ctx context.Context, sd *side, s engine.Session) {
	role := sd.role.String()
	if err := s.Ping(ctx); err != nil {
		e.add(role, "connect", LevelProblem, err.Error(), "check the server and the network")
		return
	}
	e.add(role, "connect", LevelOK, "connected to "+sd.name, "")
	d, ok := s.(engine.Diagnosing)
	if !ok {
		e.add(role, "engine", LevelWarning, "dualsql knows nothing of this driver: it cannot be examined, and the pair runs with commit=besteffort", "")
		return
	}
	found, err := d.Examine(ctx)
	for _, f := range found {
		e.add(role, f.Check, Level(f.Level), f.Text, f.Advice)
	}
	if err != nil {
		e.add(role, "examine", LevelProblem, err.Error(), "check the server's log")
		return
	}
	if clock, ok := s.(engine.Clocked); ok {
		e.clock(ctx, role, clock)
	}
}

// clock compares with the middle of the round trip.
func (e *examination) clock(ctx context.Context, role string, s engine.Clocked) {
	before := time.Now()
	there, err := s.Clock(ctx)
	trip := time.Since(before)
	if err != nil {
		e.add(role, "clock", LevelProblem, err.Error(), "check the server's log")
		return
	}
	off := there.Sub(before.Add(trip / 2)).Round(time.Millisecond)
	if off.Abs() > clockLimit+trip/2 {
		e.add(role, "clock", LevelWarning, fmt.Sprintf("the server's clock is %v off this machine's; values that the database makes from its clock differ between the sides", off),
			"synchronize the clocks (NTP)")
		return
	}
	e.add(role, "clock", LevelOK, fmt.Sprintf("the server's clock is within %v of this machine's", clockLimit), "")
}

func (e *examination) pair(ctx context.Context, s [2]engine.Marking) {
	const check = "pair"
	if err := distinct(ctx, s[0], s[1]); err != nil {
		e.add("pair", check, LevelProblem, err.Error(), "name two different databases")
		return
	}
	rows, role, err := readPair(ctx, s)
	if err != nil {
		e.add("pair", check, LevelProblem, fmt.Sprintf("the %s's pair id cannot be read: %v", role, err), "see the finding on its schema")
		return
	}
	p, q := rows[0], rows[1]
	switch {
	case p.Pair == uuid.Nil && q.Pair == uuid.Nil:
		e.add("pair", check, LevelOK, "the databases are not a pair yet; the first connection or `dualsql init` makes them one", "")
	case misfit(p, q) != "":
		e.add("pair", check, LevelProblem, misfit(p, q), "name the databases that belong together; if one is a copy of the other, drop the dualsql tables in it")
	case q.Pair == uuid.Nil:
		e.add("pair", check, LevelOK, fmt.Sprintf("the primary belongs to pair %s; the secondary will with the first connection", p.Pair), "")
	default:
		e.add("pair", check, LevelOK, fmt.Sprintf("both databases belong to pair %s", p.Pair), "")
	}
}

func (e *examination) sequences(list []SequenceState, err error) {
	const check = "sequences"
	behind := 0
	for _, s := range list {
		if s.Behind {
			behind++
		}
	}
	switch {
	case err != nil:
		e.add("pair", check, LevelProblem, err.Error(), "give the role SELECT on them")
	case behind > 0: // on purpose, so no warning
		e.add("pair", check, LevelOK, fmt.Sprintf("%d of the secondary's sequences are behind the primary's", behind),
			"before the secondary takes the primary's place, run `dualsql sequences`")
	default:
		e.add("pair", check, LevelOK, "none of the secondary's sequences is behind the primary's", "")
	}
}

func (e *examination) journal(cfg *Config) {
	dir := cfg.Journal
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		e.add("journal", "directory", LevelOK, dir+" is not there yet; the first connection creates it", "")
		return
	case err != nil:
		e.add("journal", "directory", LevelProblem, err.Error(), "give the process read, write and search permission on it")
		return
	case !info.IsDir():
		e.add("journal", "directory", LevelProblem, dir+" is not a directory", "name a directory on a local disk")
		return
	}
	if err := tryWriting(dir); err != nil {
		e.add("journal", "directory", LevelProblem, "not writable: "+err.Error(), "give the process write permission on "+dir+", and see whether the disk is full")
	} else {
		e.add("journal", "directory", LevelOK, dir+" can be written to", "")
	}
	held := false
	switch h, err := JournalHolder(dir); {
	case err != nil:
		e.add("journal", "holder", LevelProblem, err.Error(), "run this as the user of the application")
	case h.Held:
		held = true
		e.add("journal", "holder", LevelOK, fmt.Sprintf("in use by process %d", h.PID), "")
	default:
		e.add("journal", "holder", LevelOK, "no process holds it", "")
	}
	e.open(cfg, held)
}

// tryWriting leaves nothing behind; the journal takes no notice of other files.
func tryWriting(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("dualsql doctor\n")
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

func (e *examination) open(cfg *Config, held bool) {
	list, _, err := OpenIntents(cfg.Journal, cfg.JournalKey)
	if err != nil {
		e.add("journal", "open", LevelProblem, err.Error(), "")
		return
	}
	var told int
	for _, o := range list {
		if o.Told {
			told++
		}
	}
	switch {
	case told > 0:
		e.add("journal", "open", LevelWarning, fmt.Sprintf("%d transactions are in doubt or half done", told), "see `dualsql status`")
	case len(list) > 0 && !held:
		e.add("journal", "open", LevelWarning, fmt.Sprintf("%d transactions were cut by a crash", len(list)),
			"start the application, which ends them, or run `dualsql recover`")
	default:
		e.add("journal", "open", LevelOK, "no transaction is in doubt or half done", "")
	}
}
