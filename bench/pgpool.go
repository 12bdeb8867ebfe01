package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql/internal/testdb/localport"
)

// pgpoolSettings make Pgpool-II do what dualsql does, and no more: it writes to both servers, reads from the first, never
// fails over, and takes the lock that keeps serial columns alike.
const pgpoolSettings = `
backend_clustering_mode = 'native_replication'
insert_lock = on
load_balance_mode = off
listen_addresses = '127.0.0.1'
port = %d
pcp_listen_addresses = ''
pcp_port = %d
socket_dir = '%[3]s'
pcp_socket_dir = '%[3]s'
pid_file_name = '%[3]s/pid'
logdir = '%[3]s'
num_init_children = %d
max_pool = 1
child_life_time = 0
backend_hostname0 = '%s'
backend_port0 = %s
backend_flag0 = 'DISALLOW_TO_FAILOVER'
backend_hostname1 = '%s'
backend_port1 = %s
backend_flag1 = 'DISALLOW_TO_FAILOVER'
`

// findPgpool returns the program: Debian has it where only root's PATH looks.
func findPgpool() (string, error) {
	for _, name := range []string{"pgpool", "/usr/sbin/pgpool"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no pgpool here: install Debian's package pgpool2")
}

// pgpoolVersion returns what the program says of itself, or why there is none.
func pgpoolVersion() string {
	program, err := findPgpool()
	if err != nil {
		return err.Error()
	}
	out, err := exec.Command(program, "--version").CombinedOutput()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), "pgpool-II version"))
}

// startPgpool starts Pgpool-II in front of two servers (host:port), for as many clients, and returns its host:port.
func startPgpool(ctx context.Context, dir string, servers [2]string, clients int) (addr string, stop func() error, err error) {
	program, err := findPgpool()
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	var ports [2]int
	for i := range ports {
		if ports[i], err = localport.Free(); err != nil {
			return "", nil, err
		}
	}
	settings := []any{ports[0], ports[1], dir, clients + 8}
	for _, server := range servers {
		host, port, _ := strings.Cut(server, ":")
		settings = append(settings, host, port)
	}
	conf := filepath.Join(dir, "pgpool.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, pgpoolSettings, settings...), 0o600); err != nil {
		return "", nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, err
	}
	defer log.Close()
	// The shell ends it when this process has ended, however that was: then there is nothing more to read.
	cmd := exec.Command("sh", "-c", `"$@" </dev/null & read -r _; kill -INT $!; wait $!`, "sh", program, "-n", "-D", "-f", conf)
	cmd.Stdout, cmd.Stderr = log, log
	detach(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error {
		_ = in.Close()
		_ = cmd.Wait() // its exit code says nothing of how it ran
		return nil
	}
	addr = fmt.Sprintf("127.0.0.1:%d", ports[0])
	if err := awaitServer(ctx, addr); err != nil {
		text, _ := os.ReadFile(log.Name())
		_ = stop()
		return "", nil, fmt.Errorf("Pgpool-II does not answer: %w\n%s", err, text)
	}
	return addr, stop, nil
}

func awaitServer(ctx context.Context, addr string) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := withConn(ctx, "postgres://postgres@"+addr+"/postgres?sslmode=disable&connect_timeout=5", func(conn *pgx.Conn) error { return conn.Ping(ctx) })
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func openPgpool(p place) (client, error) {
	db, err := openPool(p.pgpool, p.clients)
	return &single{db}, err
}

// redirect returns a DSN, a URL, with another host:port.
func redirect(dsn, addr string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}
	u.Host = addr
	return u.String(), nil
}
