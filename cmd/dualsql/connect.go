package main

import (
	"encoding/hex"
	"errors"
	"os"

	"github.com/dualsql/dualsql"
)

const dsnEnv = "DUALSQL_DSN"

// dsnHelp is the part of the help that is common to the commands that take a DSN.
const dsnHelp = `The pair is named by --dsn or, so that no password stands on the command line, by the environment
variable DUALSQL_DSN: the same text that the application gives to sql.Open.
`

// pairFlags name a pair.
type pairFlags struct{ dsn string }

func (p *pairFlags) define(inv *invocation) {
	inv.flags.StringVar(&p.dsn, "dsn", "", "the application's `DSN`: primary='...' secondary='...' journal=/path (default $"+dsnEnv+")")
}

func (p *pairFlags) given() bool { return p.dsn != "" || os.Getenv(dsnEnv) != "" }

func (p *pairFlags) config() (*dualsql.Config, error) {
	dsn := p.dsn
	if dsn == "" {
		dsn = os.Getenv(dsnEnv)
	}
	if dsn == "" {
		return nil, usageError{errors.New("no pair is named: give --dsn or set " + dsnEnv)}
	}
	cfg, err := dualsql.ParseDSN(dsn)
	if err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

func (p *pairFlags) connector() (*dualsql.Connector, error) {
	cfg, err := p.config()
	if err != nil {
		return nil, err
	}
	return dualsql.NewConnector(cfg)
}

// journalFlags name a journal: by its directory, or by a pair's DSN.
type journalFlags struct {
	pairFlags
	dir, key string
}

func (j *journalFlags) define(inv *invocation) {
	j.pairFlags.define(inv)
	inv.flags.StringVar(&j.dir, "journal", "", "the journal's `directory`; it prevails over the DSN's")
	inv.flags.StringVar(&j.key, "key", "", "the key of an encrypted journal, in `hex`; it prevails over the DSN's journal.key")
}

func (j *journalFlags) resolve() (dir string, key []byte, err error) {
	switch {
	case j.given():
		cfg, err := j.config()
		if err != nil {
			return "", nil, err
		}
		dir, key = cfg.Journal, cfg.JournalKey
	case j.dir == "":
		return "", nil, usageError{errors.New("no journal is named: give --journal or --dsn, or set " + dsnEnv)}
	}
	if j.dir != "" {
		dir = j.dir
	}
	if j.key != "" {
		if key, err = hex.DecodeString(j.key); err != nil {
			return "", nil, usageError{errors.New("--key takes 32, 48 or 64 hexadecimal digits")}
		}
	}
	return dir, key, nil
}
