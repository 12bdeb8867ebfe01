package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

func (s *mssqlSession) Sequences(ctx context.Context) (list []Sequence, err error) {
	rows, err := s.Query(ctx, mssqlIdentities, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, 6)
	for {
		if err := rows.Next(values); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		q := Sequence{Schema: text(values[0]), Table: text(values[1]), Column: text(values[2]), Name: text(values[3])}
		q.Step, _ = values[4].(int64)
		q.Next, _ = values[5].(int64)
		list = append(list, q)
	}
}

func (s *mssqlSession) SetSequence(ctx context.Context, q Sequence) error {
	return s.run(ctx, mssqlReseed(q.Name, q.Next))
}

var _ Sequenced = (*mssqlSession)(nil)
