package engine

import (
	"context"
	"database/sql/driver"
)

func (s *mssqlSession) Sequences(ctx context.Context) (list []Sequence, err error) {
	rows, err := s.Query(ctx, mssqlIdentities, nil)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func(values []driver.Value) error {
		q := Sequence{Schema: text(values[0]), Table: text(values[1]), Column: text(values[2]), Name: text(values[3])}
		q.Step, _ = values[4].(int64)
		q.Next, _ = values[5].(int64)
		list = append(list, q)
		return nil
	})
	return list, err
}

func (s *mssqlSession) SetSequence(ctx context.Context, q Sequence) error {
	return s.run(ctx, mssqlReseed(q.Name, q.Next))
}

var _ Sequenced = (*mssqlSession)(nil)
