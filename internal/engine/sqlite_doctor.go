package engine

import (
	"context"
	"errors"
	"fmt"
)

var sqliteLevels = []string{"off", "normal", "full", "extra"}

func (s *sqliteSession) Examine(ctx context.Context) ([]Diagnosis, error) {
	var d diagnoses
	var version, file, mode string
	var level, tables int64
	err := s.scan(ctx, "select sqlite_version(), file from pragma_database_list where name = 'main'", &version, &file)
	if err == nil {
		err = s.scan(ctx, "pragma journal_mode", &mode)
	}
	if err == nil {
		err = s.scan(ctx, "pragma synchronous", &level)
	}
	if err == nil {
		err = s.scan(ctx, "select count(*) from sqlite_schema where name in ('dualsql_commit', 'dualsql_pair')", &tables)
	}
	if err != nil {
		return d, err
	}
	d.add("server", OK, fmt.Sprintf("SQLite %s, %s", version, file), "")
	s.examineWriting(ctx, &d, tables == 2)
	switch mode {
	case "off", "memory":
		d.add("durability", Problem, "journal_mode is "+mode+": a crash in the middle of a commit damages the database",
			"add _pragma=journal_mode(wal) to the DSN")
	default:
		d.add("durability", OK, fmt.Sprintf("journal_mode is %s, synchronous is %s", mode, sqliteLevels[level&3]), "")
	}
	return d, nil
}

// examineWriting makes a table and takes it back: file permissions alone do not tell whether SQLite can write, as it needs
// its journal beside the file; and BEGIN IMMEDIATE on a read-only database just reads.
func (s *sqliteSession) examineWriting(ctx context.Context, d *diagnoses, ready bool) {
	err := s.Begin(ctx, TxOptions{Write: true})
	if err == nil {
		err = errors.Join(s.run(ctx, "create table dualsql_doctor (one int)"), s.Rollback(ctx))
	}
	switch {
	case err != nil && sqliteCode(err) != sqliteBusy:
		d.add("schema", Problem, fmt.Sprintf("the file cannot be written to: %v", err),
			"give the process write permission on the file and its directory, and leave mode=ro out of the DSN")
	case ready:
		d.add("schema", OK, "the dualsql tables are there", "")
	default:
		d.add("schema", OK, "the dualsql tables are not there yet; the first connection creates them", "")
	}
}
