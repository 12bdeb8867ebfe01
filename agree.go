package dualsql

import (
	"database/sql/driver"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/dualsql/dualsql/internal/engine"
)

// besideSQLServer reports whether one side is SQL Server and the other is not.
func (co *coordinator) besideSQLServer() bool {
	return (co.sides[engine.Primary].engine == engine.SQLServer) != (co.sides[engine.Secondary].engine == engine.SQLServer)
}

// agree makes sure that the two sides of a pair of PostgreSQL and SQL Server store the same for a value, or says why they cannot.
//
// PostgreSQL holds microseconds (manual, 8.5), and pgx cuts off what is finer; SQL Server holds 100 ns ("datetime2"). As a
// primary PostgreSQL decides, and the secondary gets what it stores. SQL Server would store more than the secondary can.
func (co *coordinator) agree(args []driver.NamedValue) error {
	if !co.besideSQLServer() {
		return nil
	}
	p, s := co.sides[engine.Primary].engine, co.sides[engine.Secondary].engine
	for i := range args {
		switch v := args[i].Value.(type) {
		case time.Time:
			short := v.Truncate(time.Microsecond)
			if v.Equal(short) || p != engine.Postgres && s != engine.Postgres {
				continue
			}
			if p == engine.SQLServer {
				return fmt.Errorf("dualsql: argument %d: %s is finer than a microsecond, which the secondary cannot hold; pass t.Truncate(time.Microsecond); nothing has run",
					i+1, v.Format(time.RFC3339Nano))
			}
			args[i].Value = short
		case string:
			if !utf8.ValidString(v) {
				return fmt.Errorf("dualsql: argument %d is not valid UTF-8: SQL Server would store other characters; nothing has run", i+1)
			}
		}
	}
	return nil
}
