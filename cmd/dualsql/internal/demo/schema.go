package demo

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// prefix keeps the demo's tables apart from whatever else is in a database.
const prefix = "dualsql_demo_"

// table is one table of the order entry. All keys are integers, so that both engines sort them alike.
type table struct {
	name    string // without the prefix
	columns string // the same text on every engine
	keys    int    // the first columns are the primary key
	events  bool   // each of its rows is made by one transaction, which is named after it
}

var tables = []table{
	{name: "customers", keys: 1, columns: "id bigint primary key, name varchar(40) not null, balance bigint not null"},
	{name: "stock", keys: 1, columns: "item bigint primary key, name varchar(40) not null, price bigint not null, initial bigint not null, on_hand bigint not null"},
	{name: "orders", keys: 1, events: true, columns: "id bigint primary key, customer bigint not null, entered_at bigint not null, " +
		"lines bigint not null, total bigint not null, delivered_at bigint"},
	{name: "order_lines", keys: 2, columns: "order_id bigint not null, line bigint not null, item bigint not null, quantity bigint not null, " +
		"price bigint not null, primary key (order_id, line)"},
	{name: "payments", keys: 1, events: true, columns: "id bigint primary key, customer bigint not null, amount bigint not null, paid_at bigint not null"},
	{name: "deliveries", keys: 1, events: true, columns: "id bigint primary key, order_id bigint not null unique, delivered_at bigint not null"},
}

// comparable are the tables as they are compared.
func comparable() (list []sides.Table) {
	for _, t := range tables {
		list = append(list, sides.Table{Name: t.name, Full: prefix + t.name, Keys: t.keys})
	}
	return list
}

// full puts the prefix in the place of @ in a text.
func full(text string) string { return strings.ReplaceAll(text, "@", prefix) }

const (
	customers = 50
	items     = 100
	inStock   = 1_000_000
)

// reset makes the tables anew, with the same customers and stock on every side.
func reset(ctx context.Context, db *sql.DB) error {
	if err := drop(ctx, db); err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := db.ExecContext(ctx, "create table "+prefix+t.name+" ("+t.columns+")"); err != nil {
			return err
		}
	}
	var c, s []string
	for i := 1; i <= customers; i++ {
		c = append(c, fmt.Sprintf("(%d, 'customer %d', 0)", i, i))
	}
	for i := 1; i <= items; i++ {
		s = append(s, fmt.Sprintf("(%d, 'item %d', %d, %d, %d)", i, i, 100+7*i, inStock, inStock))
	}
	for _, text := range []string{
		"insert into @customers (id, name, balance) values " + strings.Join(c, ", "),
		"insert into @stock (item, name, price, initial, on_hand) values " + strings.Join(s, ", "),
	} {
		if _, err := db.ExecContext(ctx, full(text)); err != nil {
			return err
		}
	}
	return nil
}

func drop(ctx context.Context, db *sql.DB) error {
	for _, t := range tables {
		if _, err := db.ExecContext(ctx, "drop table if exists "+prefix+t.name); err != nil {
			return err
		}
	}
	return nil
}
