package engine

import (
	"context"
	"database/sql/driver"
	"net"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// mssqlConnector bounds the login by the context too: go-mssqldb (1.11) bounds only the dialing, and would wait for ever for a
// server that takes the connection and does not answer.
type mssqlConnector struct {
	cfg    msdsn.Config
	driver driver.Driver
}

func (c *mssqlConnector) Driver() driver.Driver { return c.driver }

func (c *mssqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	d := &mssqlDialer{Dialer: net.Dialer{KeepAlive: c.cfg.KeepAlive}, login: ctx}
	one := mssql.NewConnectorConfig(c.cfg)
	one.Dialer = d
	conn, err := one.Connect(ctx)
	for _, stop := range d.stops {
		if !stop() && err == nil {
			err = context.Cause(ctx)
		}
	}
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, err
}

// mssqlDialer closes what it has dialed when the login's context ends before it is over.
type mssqlDialer struct {
	net.Dialer
	login context.Context
	stops []func() bool
}

func (d *mssqlDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, addr)
	if err == nil {
		d.stops = append(d.stops, context.AfterFunc(d.login, func() { _ = conn.Close() }))
	}
	return conn, err
}
