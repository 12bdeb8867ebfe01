package tsql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// backend is a session of PostgreSQL, which serves one session after the other: to start one costs PostgreSQL more than most
// tests do.
type backend struct {
	pg       *pgconn.PgConn
	database string
	kinds    map[uint32]tds.Kind // of PostgreSQL's types, by their OID
}

func connect(ctx context.Context, dsn, database string) (*backend, error) {
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["search_path"] = "tsql, pg_catalog"
	config.RuntimeParams["tsql.database"] = database
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["application_name"] = testdb.Resting
	pg, err := pgconn.ConnectConfig(ctx, config)
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "3D000" {
		return nil, noDatabase(database)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", tds.ErrUnavailable, err)
	}
	b := &backend{pg: pg, database: database}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, pg.Close(ctx))
	}
	return b, nil
}

// wake names it for sys.dm_exec_sessions.
func (b *backend) wake(ctx context.Context, spid int32) error {
	_, err := b.ask(ctx, "set application_name = 'tsql "+strconv.Itoa(int(spid))+"'")
	return err
}

// rest makes it what it was when it had connected.
func (b *backend) rest(ctx context.Context) error {
	if b.pg.TxStatus() != 'I' {
		if _, err := b.ask(ctx, "rollback"); err != nil {
			return err
		}
	}
	_, err := b.ask(ctx, "discard all")
	return err
}

// supportLock is the advisory lock that making the support objects holds.
const supportLock = "4860347236194570253"

// open makes the support objects where they are not there yet, and learns the types.
func (b *backend) open(ctx context.Context) error {
	there, err := b.ask(ctx, "select to_regprocedure('tsql.raise_identity(regclass)')")
	if err != nil {
		return err
	}
	if there[0][0] == nil {
		if err := b.build(ctx); err != nil {
			return err
		}
	}
	rows, err := b.ask(ctx, "select oid, typname from pg_type where typnamespace = 'tsql'::regnamespace or oid in ('int2'::regtype, "+
		"'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype, 'uuid'::regtype, 'date'::regtype)")
	if err != nil {
		return err
	}
	byName := map[string]tds.Kind{}
	for kind, name := range pgNames {
		if len(name) > 5 && name[:5] == "tsql." {
			name = name[5:]
		}
		byName[name] = kind
	}
	b.kinds = map[uint32]tds.Kind{25: tds.NVarChar, 19: tds.NVarChar} // text and name, which only the catalog has
	for _, row := range rows {
		oid, err := strconv.ParseUint(string(row[0]), 10, 32)
		if err != nil {
			return err
		}
		if kind, ok := byName[string(row[1])]; ok {
			b.kinds[uint32(oid)] = kind
		}
	}
	return nil
}

func (b *backend) build(ctx context.Context) error {
	text, err := support()
	if err != nil {
		return err
	}
	if _, err := b.ask(ctx, "select pg_advisory_lock("+supportLock+")"); err != nil {
		return err
	}
	there, err := b.ask(ctx, "select to_regprocedure('tsql.raise_identity(regclass)')")
	if err == nil && there[0][0] == nil {
		_, err = b.ask(ctx, text)
	}
	if _, unlockErr := b.ask(ctx, "select pg_advisory_unlock("+supportLock+")"); err == nil {
		err = unlockErr
	}
	return err
}

// ask runs a text outside of any request and returns the rows of its last result.
func (b *backend) ask(ctx context.Context, text string) ([][][]byte, error) {
	results, err := b.pg.Exec(ctx, text).ReadAll()
	if err != nil || len(results) == 0 {
		return nil, err
	}
	return results[len(results)-1].Rows, nil
}

// backends are those that rest. Safe for concurrent use.
type backends struct {
	mu   sync.Mutex
	list map[string][]*backend // by their database
}

// take returns nil where none rests.
func (i *backends) take(database string) *backend {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := i.list[database]
	if len(list) == 0 {
		return nil
	}
	b := list[len(list)-1]
	i.list[database] = list[:len(list)-1]
	return b
}

func (i *backends) put(b *backend) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.list == nil {
		i.list = map[string][]*backend{}
	}
	i.list[b.database] = append(i.list[b.database], b)
}

func (i *backends) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	for _, list := range i.list {
		for _, b := range list {
			_ = b.pg.Close(ctx) // nobody waits for it
		}
	}
	i.list = nil
}
