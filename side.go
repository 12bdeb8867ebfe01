package dualsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/dualsql/dualsql/internal/engine"
)

// side is one of the two databases: how to connect to it and what kind it is.
type side struct {
	role           engine.Role
	engine         engine.Engine
	connector      driver.Connector
	options        engine.Options
	connectTimeout time.Duration
	name           string // redacted, for errors and the journal
	place          string // equal for two sides that are plainly the same database; "" when nothing is known
}

// connect makes a connection and sets it up. The error names the side and never is driver.ErrBadConn to errors.Is: by the
// time that a secondary is needed, the primary may have run something.
func (s *side) connect(ctx context.Context) (engine.Session, error) {
	return s.connectLike(ctx, nil)
}

// connectLike also gives the session the settings of one on the other side, where they are of one engine: else a text could mean
// one thing here and another there.
func (s *side) connectLike(ctx context.Context, other engine.Session) (engine.Session, error) {
	options := s.options
	if o, ok := other.(engine.Ambient); ok {
		options.Like = o.Ambient()
	}
	ctx, cancel := context.WithTimeout(ctx, s.connectTimeout)
	defer cancel()
	c, err := s.connector.Connect(ctx)
	if err == nil {
		var sess engine.Session
		if sess, err = s.engine.Session(ctx, c, options); err == nil {
			return sess, nil
		}
	}
	return nil, &SideError{Side: s.role.String(), Op: "connect", Err: err}
}

func resolveSides(c *Config) ([2]*side, error) {
	var sides [2]*side
	for role, s := range map[engine.Role]*Side{engine.Primary: &c.Primary, engine.Secondary: &c.Secondary} {
		got, err := resolveSide(s)
		if err != nil {
			return sides, configError(role.String(), err.Error())
		}
		got.role = role
		got.options = engine.Options{Role: role, LockTimeout: c.LockTimeout}
		got.connectTimeout = c.CommitTimeout
		sides[role] = got
	}
	if p := sides[0].place; p != "" && p == sides[1].place {
		return sides, configError("secondary", "is the same database as primary ("+sides[0].name+"); it takes another one")
	}
	return sides, nil
}

func resolveSide(s *Side) (*side, error) {
	if s.Connector != nil {
		return &side{engine: engineOf(s.Connector.Driver()), connector: s.Connector, name: fmt.Sprintf("%T", s.Connector)}, nil
	}
	if s.Driver != "" {
		return namedSide(s.Driver, s.DSN, s.Driver+":"+redact(s.DSN))
	}
	scheme, rest, ok := strings.Cut(s.DSN, ":")
	if !ok || strings.ContainsAny(scheme, "=@/ ") { // libpq's keywords, which may hold a password with a colon in it
		return nil, errors.New("has no scheme; it takes a URL such as postgres://host/db or file:/path/name.db, or name the driver with .driver=NAME")
	}
	switch scheme {
	case "postgres", "postgresql":
		connector, cfg, err := engine.PostgresConnector(s.DSN)
		if err != nil && !plainURL(s.DSN) { // the error may show what was taken for a host and is a part of the password
			err = errors.New("is no PostgreSQL URL; percent-encode what is neither a letter nor a digit in the user name and the password")
		}
		if err != nil {
			return nil, err
		}
		return &side{engine: engine.Postgres, connector: connector, name: redact(s.DSN),
			place: fmt.Sprintf("postgres/%s/%d/%s", cfg.Host, cfg.Port, cfg.Database)}, nil
	case "sqlite":
		return namedSide("sqlite", strings.TrimPrefix(rest, "//"), s.DSN)
	case "file":
		return namedSide("sqlite", s.DSN, s.DSN)
	case "sqlserver":
		connector, place, err := engine.SQLServerConnector(s.DSN)
		if err != nil {
			return nil, err
		}
		return &side{engine: engine.SQLServer, connector: connector, name: redact(s.DSN), place: place}, nil
	case "azuresql":
		return namedSide("azuresql", "sqlserver:"+rest, redact(s.DSN))
	}
	return nil, fmt.Errorf("has the unknown scheme %q; the schemes are postgres, postgresql, sqlserver, azuresql, sqlite, file; name any other driver with .driver=NAME", scheme)
}

// driverPackages are the drivers that the program imports where it needs them, to keep others light.
var driverPackages = map[string]string{"sqlite": "modernc.org/sqlite", "azuresql": "github.com/microsoft/go-mssqldb/azuread"}

// namedSide uses a registered driver. database/sql shows its registry only through a *sql.DB.
func namedSide(name, dsn, display string) (*side, error) {
	db, err := sql.Open(name, dsn)
	if err != nil {
		if path := driverPackages[name]; path != "" && strings.Contains(err.Error(), "unknown driver") {
			return nil, fmt.Errorf("needs the driver %q: add import _ %q to the program", name, path)
		}
		return nil, err
	}
	d := db.Driver()
	if err := db.Close(); err != nil {
		return nil, err
	}
	connector := driver.Connector(dsnConnector{d, dsn})
	if dc, ok := d.(driver.DriverContext); ok {
		if connector, err = dc.OpenConnector(dsn); err != nil {
			return nil, err
		}
	}
	s := &side{engine: engineOf(d), connector: connector, name: display, place: name + "/" + dsn}
	if s.engine == engine.SQLite {
		if s.place, err = sqlitePlace(dsn); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func engineOf(d driver.Driver) engine.Engine {
	t := reflect.TypeOf(d)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case "github.com/jackc/pgx/v5/stdlib":
		return engine.Postgres
	case "modernc.org/sqlite":
		return engine.SQLite
	case "github.com/microsoft/go-mssqldb", "github.com/microsoft/go-mssqldb/azuread":
		return engine.SQLServer
	}
	return engine.Generic
}

type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c dsnConnector) Driver() driver.Driver                        { return c.driver }

// sqlitePlace is the file behind a SQLite DSN, with links resolved as far as the file exists already.
func sqlitePlace(dsn string) (string, error) {
	path, query, _ := strings.Cut(dsn, "?")
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		if p, err := url.PathUnescape(strings.TrimPrefix(rest, "//")); err == nil {
			path = p
		}
	}
	if path == "" || path == ":memory:" || strings.Contains(query, "mode=memory") {
		return "", errors.New("is an in-memory database, which ends with its connection; name a file")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(dir, filepath.Base(abs))
	}
	if info, err := os.Stat(abs); err == nil && info.IsDir() {
		return "", fmt.Errorf("%s is a directory; name a file", abs)
	}
	return "sqlite/" + abs, nil
}
