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
	if err != nil || u.Hostname() == "" {
		return ""
	}
	q, port := u.Query(), ""
	switch sides.EngineOf(dsn) {
	case sides.Postgres:
		if strings.Contains(u.Host, ",") || q.Has("host") || q.Has("port") || q.Get("sslmode") == "verify-full" {
			return ""
		}
		port = "5432"
	case sides.SQLServer:
		if strings.Trim(u.Path, "/") != "" || !says(q, "encrypt", "disable") && !says(q, "trustservercertificate", "true") {
			return "" // an instance's port is not known; the certificate bears the server's name
		}
		port = "1433"
	default:
		return ""
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// says reports whether a setting of go-mssqldb's, which knows no case, has a value.
func says(q url.Values, name, value string) bool {
	for key, values := range q {
		if strings.EqualFold(key, name) {
			return strings.EqualFold(values[0], value)
		}
	}
	return false
}
