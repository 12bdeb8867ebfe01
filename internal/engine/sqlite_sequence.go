package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
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
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, 2)
	for {
		if err := rows.Next(values); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		name, last := text(values[0]), values[1].(int64)
		list = append(list, Sequence{Table: name, Name: name, Next: last + 1, Step: 1})
	}
}

func (s *sqliteSession) SetSequence(ctx context.Context, q Sequence) error {
	name := "'" + strings.ReplaceAll(q.Name, "'", "''") + "'"
	return s.write(ctx, func() error {
		return s.run(ctx, fmt.Sprintf("delete from sqlite_sequence where name = %[1]s; insert into sqlite_sequence (name, seq) values (%[1]s, %[2]d)", name, q.Next-1))
	})
}

var _ Sequenced = (*sqliteSession)(nil)
