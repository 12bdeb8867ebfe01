package engine

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// SQLServerGrants is what the application's user needs when another has created the schema; %s is the user, quoted.
const SQLServerGrants = `grant select, insert, delete on dualsql.[commit] to %[1]s;
grant select, insert on dualsql.pair to %[1]s;
grant select, insert, update on dualsql.writer to %[1]s`

func (s *mssqlSession) Clock(ctx context.Context) (time.Time, error) {
	rows, err := s.Query(ctx, mssqlClock, nil)
	if err != nil {
		return time.Time{}, err
	}
	var now time.Time
	err = scanRow(rows, &now)
	return now, err
}

func (s *mssqlSession) Examine(ctx context.Context) ([]Diagnosis, error) {
	var d diagnoses
	var version, database, user string
	if err := s.scan(ctx, mssqlServer, &version, &database, &user); err != nil {
		return d, err
	}
	d.add("server", OK, fmt.Sprintf("SQL Server %s, database %s, user %s", version, database, user), "")
	if err := s.examineSchema(ctx, &d, user); err != nil {
		return d, err
	}
	var snapshot, versions, durability int64
	if err := s.scan(ctx, mssqlDatabase, &versions, &snapshot, &durability); err != nil {
		return d, err
	}
	if durability == 0 {
		d.add("durability", OK, "delayed durability is disabled", "")
	} else { // a session cannot be had under FORCED
		d.add("durability", Warning, "DELAYED_DURABILITY is ALLOWED: dualsql's commits are durable, those of others need not be",
			"alter database current set delayed_durability = disabled")
	}
	if versions == 0 {
		d.add("isolation", Warning, "READ_COMMITTED_SNAPSHOT is off: readers wait for writers, and a transaction that is being committed on the other side keeps them waiting longer",
			"alter database current set read_committed_snapshot on (Azure SQL's default)")
	} else {
		d.add("isolation", OK, "READ_COMMITTED_SNAPSHOT is on", "")
	}
	if snapshot == 0 {
		d.add("snapshot", OK, "ALLOW_SNAPSHOT_ISOLATION is off: transactions of sql.LevelSnapshot are refused by the server", "")
	}
	return d, nil
}

func (s *mssqlSession) examineSchema(ctx context.Context, d *diagnoses, user string) error {
	var tables, lacking, create int64
	if err := s.scan(ctx, mssqlReady, &tables); err != nil {
		return err
	}
	if tables == 3 {
		if err := s.scan(ctx, mssqlRights, &lacking); err != nil {
			return err
		}
		if lacking == 0 {
			d.add("schema", OK, "the dualsql schema is there, and the user may use it", "")
		} else {
			d.add("schema", Problem, "the user "+user+" lacks rights on the tables of the dualsql schema",
				"as the schema's owner: "+strings.ReplaceAll(fmt.Sprintf(SQLServerGrants, user), "\n", " "))
		}
		return nil
	}
	if err := s.scan(ctx, mssqlMayCreate, &create); err != nil {
		return err
	}
	if create == 1 {
		d.add("schema", OK, "the dualsql schema is not there yet; the first connection creates it", "")
	} else {
		d.add("schema", Problem, "the dualsql schema is not there, and the user "+user+" may not create it",
			"run `dualsql init` once with a user that may, then grant; `dualsql init -print` shows the SQL")
	}
	return nil
}
