package engine

import (
	"context"
	"time"
)

// Level says how bad a [Diagnosis] is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Problem Level = "problem"
)

// Diagnosis is what one check of a database has found.
type Diagnosis struct {
	Check  string // what was looked at, in one or two words
	Level  Level
	Text   string // what was found and what it means
	Advice string // what to do; empty when there is nothing to do
}

// Diagnosing is a session whose engine can be examined.
type Diagnosing interface {
	Session
	// Examine looks at what dualsql relies on and changes nothing. A check that cannot be made is a finding too; the
	// error says that the session is lost.
	Examine(ctx context.Context) ([]Diagnosis, error)
}

// Clocked is a session whose database has a clock of its own.
type Clocked interface {
	Session
	// Clock is the database's time now.
	Clock(ctx context.Context) (time.Time, error)
}

// diagnoses collects findings.
type diagnoses []Diagnosis

func (d *diagnoses) add(check string, level Level, text, advice string) {
	*d = append(*d, Diagnosis{Check: check, Level: level, Text: text, Advice: advice})
}
