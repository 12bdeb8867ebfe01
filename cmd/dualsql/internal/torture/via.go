package torture

import (
	"net"
	"net/url"
	"strings"

	"github.com/dualsql/dualsql/cmd/dualsql/internal/sides"
)

// proxyTarget is the host:port of the server that a proxy can stand in front of, or "": the side is a file, or the DSN
// names no single TCP address, or the server's certificate has to bear its name.
func proxyTarget(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil || !sides.OnPostgres(dsn) || u.Hostname() == "" {
		return ""
	}
	q := u.Query()
	if strings.Contains(u.Host, ",") || q.Has("host") || q.Has("port") || q.Get("sslmode") == "verify-full" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
