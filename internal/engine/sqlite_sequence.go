package engine

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// Sequences are those of AUTOINCREMENT ("SQLite Autoincrement"); a table without it numbers from its rows. SQLite keeps the highest
// number that a table has had.
func (s *sqliteSession) Sequences(ctx context.Context) (list []Sequence, err error) {
	var there int64
	if err := s.scan(ctx, "select count(*) from sqlite_schema where name = 'sqlite_sequence'", &there); err != nil || there == 0 {
		return nil, err
	}
	rows, err := s.Query(ctx, "select t.name, coalesce(q.seq, 0) from sqlite_schema t left join sqlite_sequence q on q.name = t.name "+
		"where t.type = 'table' and (q.name is not null or t.sql like '%autoincrement%') order by t.name", nil)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func(values []driver.Value) error {
		name, last := text(values[0]), values[1].(int64)
		list = append(list, Sequence{Table: name, Name: name, Next: last + 1, Step: 1})
		return nil
	})
	return list, err
}

func (s *sqliteSession) SetSequence(ctx context.Context, q Sequence) error {
	name := Literal(q.Name)
	return s.write(ctx, func() error {
		return s.run(ctx, fmt.Sprintf("delete from sqlite_sequence where name = %[1]s; insert into sqlite_sequence (name, seq) values (%[1]s, %[2]d)", name, q.Next-1))
	})
}

var _ Sequenced = (*sqliteSession)(nil)
