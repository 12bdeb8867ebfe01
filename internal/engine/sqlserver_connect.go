package engine

import (
	"context"
	"database/sql/driver"
	"net"
	"sync"

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
	if !d.stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		return &mssqlConn{conn.(*mssql.Conn), d}, nil
	}
	d.close()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, err
}

// mssqlConn is closed by closing its socket. The driver's own Close (1.11) would also give the connection's buffers to the next one,
// while a goroutine of a request that has been given up may still be reading into them.
type mssqlConn struct {
	*mssql.Conn
	dialer *mssqlDialer
}

func (c *mssqlConn) Close() error {
	c.dialer.close()
	return nil
}

// mssqlDialer closes what it has dialed when the login's context ends before it is over. The driver dials all addresses of a
// multi-subnet listener at once, and once more when Azure SQL sends it to another server.
type mssqlDialer struct {
	net.Dialer
	login context.Context

	mu     sync.Mutex
	dialed []mssqlDialed
}

type mssqlDialed struct {
	conn net.Conn
	stop func() bool
}

func (d *mssqlDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, addr)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.dialed = append(d.dialed, mssqlDialed{conn, context.AfterFunc(d.login, func() { _ = conn.Close() })})
	}
	return conn, err
}

// stop reports whether the login was over before its context.
func (d *mssqlDialer) stop() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	in := true
	for _, one := range d.dialed {
		in = one.stop() && in
	}
	return in
}

func (d *mssqlDialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.dialed {
		_ = one.conn.Close() // the driver has closed some of them already
	}
}
