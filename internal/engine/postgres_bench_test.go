package engine

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
)

// BenchmarkBegin compares a transaction of one statement with and without the wire, and with an early COMMIT. They take turns
// within the run, so that what else the machine does hits all alike; each one's median is reported. The server is on this
// machine; with a delay its bytes take as long as on a network.
func BenchmarkBegin(b *testing.B) {
	ctx := context.Background()
	cluster := testdb.Clusters(b, 1)[0]
	for _, delay := range []time.Duration{0, 500 * time.Microsecond} {
		b.Run(fmt.Sprint("delay=", delay), func(b *testing.B) {
			dsn := cluster.CreateDatabase(b)
			if delay > 0 {
				cfg, err := pgx.ParseConfig(dsn)
				if err != nil {
					b.Fatal(err)
				}
				proxy := chaos.NewProxy(b, net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
				proxy.Delay(delay)
				dsn = chaos.Via(dsn, proxy)
			}
			var sessions [3]*probe
			for i := range sessions {
				sessions[i] = newProbe(b, dsn, "cache_statement", i > 0)
				if i == 0 {
					sessions[i].must("create table t (id int primary key, n int); insert into t values (0, 0), (1, 0), (2, 0)")
					if err := sessions[i].Init(ctx); err != nil {
						b.Fatal(err)
					}
				} else {
					sessions[i].wire.r, sessions[i].wire.w = sessions[i].r, sessions[i].w
				}
			}
			var took [len(sessions)][]time.Duration
			for b.Loop() {
				for i, p := range sessions {
					start := time.Now()
					m := Marker{TxID: uuid.New(), Journal: uuid.New()}
					p.begin(TxOptions{})
					if i == 2 {
						p.early(p.insertMarker(m) + "; commit")
					}
					p.must("update t set n = n + 1 where id = $1", i)
					if err := p.Commit(ctx, &m); err != nil {
						b.Fatal(err)
					}
					took[i] = append(took[i], time.Since(start))
				}
			}
			for i, name := range []string{"plain", "wire", "early"} {
				slices.Sort(took[i])
				b.ReportMetric(float64(took[i][len(took[i])/2].Microseconds()), "us/"+name)
			}
		})
	}
}

// BenchmarkBeginUnused is a transaction in which nothing runs, the look at the connection included.
func BenchmarkBeginUnused(b *testing.B) {
	p := newProbe(b, testdb.Clusters(b, 1)[0].CreateDatabase(b), "cache_statement", true)
	b.ReportAllocs()
	for b.Loop() {
		p.begin(TxOptions{})
		if err := p.Rollback(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
