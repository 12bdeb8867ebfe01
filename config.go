package dualsql

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"
)

// Protocol names a way to commit on two databases. The empty Protocol means Auto.
type Protocol string

// The commit protocols; docs/guarantees.md says what each gives.
const (
	// Auto is the strongest protocol that the pair allows.
	Auto Protocol = "auto"
	// TwoPhase prepares the transaction on one side and commits it on the other, whose commit decides; the prepared side
	// follows, whatever happens in between. One side must be PostgreSQL with max_prepared_transactions greater than zero.
	TwoPhase Protocol = "2pc"
	// Marker commits the primary, then the secondary, each with a marker row that tells for ever whether it committed. A
	// commit cut in half is finished from the journal.
	Marker Protocol = "marker"
	// BestEffort commits the primary, then the secondary, and creates nothing in the databases. A commit cut in half is
	// reported.
	BestEffort Protocol = "besteffort"
)

// Ack says when a commit returns under commit=2pc.
type Ack string

// The ack modes. The empty Ack means AckBoth.
const (
	// AckBoth returns when both sides have the transaction.
	AckBoth Ack = "both"
	// AckDecided returns when the transaction is decided and on the primary, and lets the secondary follow. Where the
	// primary is the side that follows it is the same as AckBoth.
	AckDecided Ack = "decided"
)

// Divergence says what happens when a statement affects different numbers of rows on the two sides.
type Divergence string

// The divergence modes. The empty Divergence means DivergenceFail.
const (
	// DivergenceFail rolls both sides back with a *[DivergenceError].
	DivergenceFail Divergence = "error"
	// DivergenceWarn logs it and goes on.
	DivergenceWarn Divergence = "warn"
)

// Mirror says how the secondary is given what a write does on the primary; docs/mirroring.md has the details.
type Mirror string

// The mirror modes. The empty Mirror means MirrorAuto. A statement under [WithMirror] is mirrored as text in all of them.
const (
	// MirrorAuto is MirrorMixed with a PostgreSQL primary and a secondary that is PostgreSQL or SQL Server, and MirrorStatement on
	// all other pairs.
	// Between PostgreSQL and SQL Server it translates changes of the schema, as MirrorRow and MirrorMixed do.
	MirrorAuto Mirror = "auto"
	// MirrorStatement runs the text of each write on both sides. A text that does not do the same on both, such as one with
	// random(), leaves them different.
	MirrorStatement Mirror = "statement"
	// MirrorRow carries over the rows that INSERT, UPDATE and DELETE have made on the primary. The primary must be PostgreSQL.
	MirrorRow Mirror = "row"
	// MirrorMixed runs the text on both sides where it certainly does the same there, and carries over rows where it may not.
	// The primary must be PostgreSQL.
	MirrorMixed Mirror = "mixed"
)

// Side configures one of the two databases.
type Side struct {
	// DSN is what the database's own driver takes. Its scheme chooses the driver: postgres, postgresql (pgx), sqlite,
	// file (modernc.org/sqlite); sqlserver is known and has no engine yet.
	DSN string
	// Driver is the name of a registered database/sql driver that gets the DSN untouched. Empty: by the DSN's scheme.
	Driver string
	// Connector, if set, makes the connections in place of Driver and DSN; it cannot be written in a DSN.
	Connector driver.Connector
}

// Config says which two databases are to be one, and how. Make one with [NewConfig] or [ParseDSN]; the zero value lacks
// the defaults. It must not be changed once it has been given to [NewConnector], which takes a copy.
type Config struct {
	Primary   Side
	Secondary Side

	// Journal is the directory of the intent journal. It is created if need be, and held by one process at a time.
	Journal string
	// JournalKey, if set, encrypts what the journal says of statements and arguments with AES-GCM: 16, 24 or 32 bytes.
	JournalKey []byte
	// RedoLimit is the greatest size, in bytes, of what the journal keeps of one transaction. A larger transaction is
	// rolled back at its commit.
	RedoLimit int64

	Commit     Protocol
	Ack        Ack
	Divergence Divergence
	Mirror     Mirror

	// CommitTimeout bounds the commit phase, counted from the moment when both sides have run all statements. When it has
	// passed, the caller gets what is known, and the resolver goes on.
	CommitTimeout time.Duration
	// LockTimeout bounds each wait for a lock on the secondary. Zero leaves the secondary's own setting.
	LockTimeout time.Duration
	// OrphanAge is the age from which a prepared transaction is ended by any process that uses the pair, under commit=2pc: by
	// then its owner is taken for dead. It should be greater than twice CommitTimeout: an owner that is only slow is told that
	// its transaction was rolled back.
	OrphanAge time.Duration

	// Logger gets what goes wrong and what recovery does. Nil: slog.Default().
	Logger *slog.Logger
}

// NewConfig returns a Config with the defaults: commit=auto, ack=both, divergence=error, mirror=auto,
// journal.redo_limit=16777216, commit_timeout=10s, lock_timeout=10s, orphan_age=30s.
func NewConfig() *Config {
	return &Config{
		RedoLimit:     16 << 20,
		Commit:        Auto,
		Ack:           AckBoth,
		Divergence:    DivergenceFail,
		Mirror:        MirrorAuto,
		CommitTimeout: 10 * time.Second,
		LockTimeout:   10 * time.Second,
		OrphanAge:     30 * time.Second,
	}
}

// Clone returns a deep copy; connectors and the logger are shared.
func (c *Config) Clone() *Config {
	d := *c
	d.JournalKey = append([]byte(nil), c.JournalKey...)
	return &d
}

// A param is one key of the DSN. get returns "" for the default.
type param struct {
	key string
	set func(*Config, string) error
	get func(c, def *Config) string
}

var params = []param{
	{"primary", func(c *Config, v string) error { c.Primary.DSN = v; return nil }, func(c, _ *Config) string { return c.Primary.DSN }},
	{"primary.driver", func(c *Config, v string) error { c.Primary.Driver = v; return nil }, func(c, _ *Config) string { return c.Primary.Driver }},
	{"secondary", func(c *Config, v string) error { c.Secondary.DSN = v; return nil }, func(c, _ *Config) string { return c.Secondary.DSN }},
	{"secondary.driver", func(c *Config, v string) error { c.Secondary.Driver = v; return nil }, func(c, _ *Config) string { return c.Secondary.Driver }},
	{"journal", func(c *Config, v string) error { c.Journal = v; return nil }, func(c, _ *Config) string { return c.Journal }},
	{"journal.key", setKey, func(c, _ *Config) string { return hex.EncodeToString(c.JournalKey) }},
	{"journal.redo_limit", setRedoLimit, func(c, d *Config) string {
		return unless(c.RedoLimit == d.RedoLimit, strconv.FormatInt(c.RedoLimit, 10))
	}},
	{"commit", func(c *Config, v string) error {
		c.Commit = Protocol(v)
		return oneOf(v, protocols...)
	}, func(c, d *Config) string { return unless(c.Commit == d.Commit, string(c.Commit)) }},
	{"ack", func(c *Config, v string) error {
		c.Ack = Ack(v)
		return oneOf(v, string(AckBoth), string(AckDecided))
	}, func(c, d *Config) string { return unless(c.Ack == d.Ack, string(c.Ack)) }},
	{"divergence", func(c *Config, v string) error {
		c.Divergence = Divergence(v)
		return oneOf(v, string(DivergenceFail), string(DivergenceWarn))
	}, func(c, d *Config) string { return unless(c.Divergence == d.Divergence, string(c.Divergence)) }},
	{"mirror", func(c *Config, v string) error {
		c.Mirror = Mirror(v)
		return oneOf(v, mirrors...)
	}, func(c, d *Config) string { return unless(c.Mirror == d.Mirror, string(c.Mirror)) }},
	{"commit_timeout", func(c *Config, v string) error { return setDuration(&c.CommitTimeout, v, 1) },
		func(c, d *Config) string { return unless(c.CommitTimeout == d.CommitTimeout, c.CommitTimeout.String()) }},
	{"lock_timeout", func(c *Config, v string) error { return setDuration(&c.LockTimeout, v, 0) },
		func(c, d *Config) string { return unless(c.LockTimeout == d.LockTimeout, c.LockTimeout.String()) }},
	{"orphan_age", func(c *Config, v string) error { return setDuration(&c.OrphanAge, v, 1) },
		func(c, d *Config) string { return unless(c.OrphanAge == d.OrphanAge, c.OrphanAge.String()) }},
}

var protocols = []string{string(Auto), string(TwoPhase), string(Marker), string(BestEffort)}

var mirrors = []string{string(MirrorAuto), string(MirrorStatement), string(MirrorRow), string(MirrorMixed)}

func unless(isDefault bool, v string) string {
	if isDefault {
		return ""
	}
	return v
}

func oneOf(v string, choices ...string) error {
	for _, c := range choices {
		if v == c {
			return nil
		}
	}
	return fmt.Errorf("%q is none of %q", v, choices)
}

func setKey(c *Config, v string) error {
	key, err := hex.DecodeString(v)
	if err != nil || !validKey(len(key)) {
		return errors.New("want 32, 48 or 64 hexadecimal digits (AES-128, -192 or -256)")
	}
	c.JournalKey = key
	return nil
}

func validKey(n int) bool { return n == 16 || n == 24 || n == 32 }

func setRedoLimit(c *Config, v string) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number of bytes", v)
	}
	c.RedoLimit = n
	return nil
}

func setDuration(d *time.Duration, v string, least time.Duration) error {
	got, err := time.ParseDuration(v)
	if err != nil || got < least {
		return fmt.Errorf("%q is not a duration such as 500ms or 10s", v)
	}
	*d = got
	return nil
}

// maxRedoLimit keeps one intent inside what the journal's frames can hold.
const maxRedoLimit = 128 << 20

// check finds what is missing or contradicts itself, and fills in what the empty values stand for.
func (c *Config) check() error {
	for _, s := range []struct {
		key  string
		side *Side
	}{{"primary", &c.Primary}, {"secondary", &c.Secondary}} {
		switch {
		case s.side.Connector != nil:
			if s.side.DSN != "" || s.side.Driver != "" {
				return configError(s.key, "has both a Connector and a DSN or driver; give one of them")
			}
		case s.side.DSN == "" && s.side.Driver == "":
			return configError(s.key, "is missing: it takes the database's own DSN, such as postgres://user@host/db or file:/path/name.db")
		}
	}
	switch {
	case c.Journal == "":
		return configError("journal", "is missing: it takes a directory on a local disk, such as /var/lib/app/dualsql")
	case len(c.JournalKey) > 0 && !validKey(len(c.JournalKey)):
		return configError("journal.key", fmt.Sprintf("has %d bytes; AES takes 16, 24 or 32", len(c.JournalKey)))
	case c.RedoLimit <= 0 || c.RedoLimit > maxRedoLimit:
		return configError("journal.redo_limit", fmt.Sprintf("is %d; it takes 1 to %d bytes", c.RedoLimit, int64(maxRedoLimit)))
	case c.CommitTimeout <= 0:
		return configError("commit_timeout", "must be greater than zero")
	case c.LockTimeout < 0:
		return configError("lock_timeout", "must not be negative")
	case c.OrphanAge <= 0:
		return configError("orphan_age", "must be greater than zero")
	}
	if c.Commit == "" {
		c.Commit = Auto
	}
	if err := oneOf(string(c.Commit), protocols...); err != nil {
		return configError("commit", err.Error())
	}
	if c.Ack == "" {
		c.Ack = AckBoth
	}
	if err := oneOf(string(c.Ack), string(AckBoth), string(AckDecided)); err != nil {
		return configError("ack", err.Error())
	}
	if c.Divergence == "" {
		c.Divergence = DivergenceFail
	}
	if err := oneOf(string(c.Divergence), string(DivergenceFail), string(DivergenceWarn)); err != nil {
		return configError("divergence", err.Error())
	}
	if c.Mirror == "" {
		c.Mirror = MirrorAuto
	}
	if err := oneOf(string(c.Mirror), mirrors...); err != nil {
		return configError("mirror", err.Error())
	}
	dir, err := filepath.Abs(c.Journal)
	if err != nil {
		return configError("journal", err.Error())
	}
	c.Journal = dir
	return nil
}

func configError(key, what string) error { return fmt.Errorf("dualsql: %s %s", key, what) }
