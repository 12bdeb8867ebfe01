package dualsql

import "github.com/dualsql/dualsql/internal/wal"

// Holder tells who holds a journal.
type Holder struct {
	Held bool `json:"held"`
	PID  int  `json:"pid,omitempty"` // 0: nobody, or not known
}

// JournalHolder tells whether a process holds the journal in dir. It looks by taking the journal's lock for a moment, and
// creates nothing; a directory that is not there is held by nobody. The error is the operating system's.
func JournalHolder(dir string) (Holder, error) {
	held, pid, err := wal.Holder(dir)
	return Holder{Held: held, PID: pid}, err
}
