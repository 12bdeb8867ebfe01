package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// eventIDs returns the transactions from an id on that a side has: the ids in the event tables.
func eventIDs(ctx context.Context, db *sql.DB, from int64) (map[string]bool, error) {
	ids := map[string]bool{}
	for _, t := range tables {
		if !t.events {
			continue
		}
		rows, err := db.QueryContext(ctx, fmt.Sprintf("select id from %s%s where id >= %d", prefix, t.name, from))
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			ids[fmt.Sprint(t.name, " ", id)] = true
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// torn counts the transactions from an id on that are on one side only.
func torn(ctx context.Context, sides [2]*sql.DB, from int64) (int, error) {
	var ids [2]map[string]bool
	for i, db := range sides {
		var err error
		if ids[i], err = eventIDs(ctx, db, from); err != nil {
			return 0, err
		}
	}
	n := 0
	for i := range ids {
		for id := range ids[i] {
			if !ids[1-i][id] {
				n++
			}
		}
	}
	return n, nil
}
