package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// first is a transaction's first statement, by every way there is through pgx.
type first struct {
	name string
	run  func(p *probe) (any, error)
}

func execs(text string, args ...any) first {
	return first{"exec " + text, func(p *probe) (any, error) {
		res, err := p.Exec(context.Background(), text, values(args))
		if err != nil {
			return nil, err
		}
		n, err := res.RowsAffected()
		return n, err
	}}
}

func queries(text string, args ...any) first {
	return first{"query " + text, func(p *probe) (any, error) { return p.query(text, args...) }}
}

func prepared(text string, args ...any) first {
	return first{"prepared " + text, func(p *probe) (any, error) {
		st, err := p.Prepare(context.Background(), text)
		if err != nil {
			return nil, err
		}
		rows, err := queryStmt(context.Background(), st, values(args))
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		all, err := drain(rows)
		return all, errors.Join(err, st.Close())
	}}
}

// raw uses pgx's own connection.
func raw(name string, run func(ctx context.Context, c *pgx.Conn) (any, error)) first {
	return first{"raw " + name, func(p *probe) (any, error) { return run(context.Background(), p.pg) }}
}

var firsts = []first{
	execs("insert into t values (1)"),
	execs("insert into t values ($1)", 1),
	execs("insert into t values (1), (2); insert into t values (3)"),
	execs("insert into t values (1); insert into t values (1)"),
	execs("insert into t select n from generate_series(1, $1::int) n", 1000),
	queries("insert into t values ($1) returning id", 1),
	queries("select n, repeat('x', 5000) from generate_series(1, $1::int) n", 200),
	queries("select n from generate_series(1, 20000) n"),
	queries("select 1/(n - 500) from generate_series(1, $1::int) n", 20000),
	prepared("select $1::int", 1),
	prepared("insert into t values ($1) returning id", 1),
	prepared("select nope"),
	execs(""), execs("-- nothing"), queries(""),
	execs("insert into t valuess (1)"), execs("insert into t valuess ($1)", 1), queries("select 'é', nope from t where id = $1", 1),
	execs("select 1; select nope"), execs("insert into t values (1); oops"),
	execs("insert into t values (0)"), execs("insert into t values ($1)", 0),
	execs("insert into t values ($1)", "not a number"), execs("insert into t values ($1)"), execs("insert into t values ($1)", 1, 2),
	execs("do $$ begin raise notice 'heard'; end $$"),
	queries("select set_config('application_name', $1, false)", "changed"),
	execs("vacuum t"), execs("savepoint a"), execs("begin"), execs("set transaction isolation level serializable"), execs("rollback"),
	{"ping", func(p *probe) (any, error) { return nil, p.Ping(context.Background()) }},
	{"forget", func(p *probe) (any, error) { return nil, p.Forget(context.Background()) }},
	raw("CopyFrom", func(ctx context.Context, c *pgx.Conn) (any, error) {
		return c.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id"}, pgx.CopyFromSlice(5000, func(i int) ([]any, error) { return []any{i + 1}, nil }))
	}),
	raw("CopyFrom that fails", func(ctx context.Context, c *pgx.Conn) (any, error) {
		return c.PgConn().CopyFrom(ctx, strings.NewReader("1\n2\n0\n"), "copy t from stdin")
	}),
	raw("CopyFrom into a view", func(ctx context.Context, c *pgx.Conn) (any, error) {
		return c.PgConn().CopyFrom(ctx, strings.NewReader("1\n"), "copy v from stdin")
	}),
	raw("CopyTo", func(ctx context.Context, c *pgx.Conn) (any, error) {
		var b strings.Builder
		tag, err := c.PgConn().CopyTo(ctx, &b, "copy (select n from generate_series(1, 5000) n) to stdout")
		return fmt.Sprint(tag, b.Len()), err
	}),
	raw("ExecParams", func(ctx context.Context, c *pgx.Conn) (any, error) {
		r := c.PgConn().ExecParams(ctx, "insert into t values ($1)", [][]byte{[]byte("1")}, nil, nil, nil).Read()
		return r.CommandTag, r.Err
	}),
	raw("an unnamed statement from before", func(ctx context.Context, c *pgx.Conn) (any, error) {
		r := c.PgConn().ExecPrepared(ctx, "", nil, nil, nil).Read()
		return r.CommandTag, r.Err
	}),
	raw("a pipeline that is flushed", func(ctx context.Context, c *pgx.Conn) (any, error) {
		p := c.PgConn().StartPipeline(ctx)
		p.SendQueryParams("insert into t values (1)", nil, nil, nil, nil)
		p.SendFlushRequest()
		err := p.Flush()
		_, rerr := p.GetResults()
		return nil, errors.Join(err, rerr, p.Sync(), p.Close())
	}),
	raw("a pipeline", func(ctx context.Context, c *pgx.Conn) (any, error) {
		p := c.PgConn().StartPipeline(ctx)
		p.SendDeallocate("none")
		p.SendQueryParams("insert into t values (1)", nil, nil, nil, nil)
		p.SendQueryParams("insert into t values (2)", nil, nil, nil, nil)
		err := p.Sync()
		return nil, errors.Join(err, p.Close())
	}),
}
