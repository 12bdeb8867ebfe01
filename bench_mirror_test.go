package dualsql_test

import (
	"database/sql"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
)

// BenchmarkMirror shows what mirroring costs in each mode: the time of one statement, which is a transaction of its own, beside that
// of plain pgx on one database, and of the others. The servers sync every commit, as the journal does.
func BenchmarkMirror(b *testing.B) {
	synced := map[string]string{"fsync": "on"}
	clusters := [2]*testdb.Cluster{testdb.StartCluster(b, synced), testdb.StartCluster(b, synced)}
	for _, w := range []struct{ name, text string }{
		{"update of a row", benchUpdate},
		{"insert with identity", "insert into entry (account, at) select $1, now()"},
		{"insert of 1000 rows", "insert into entry (account) select $1::int + n from generate_series(1, 1000) n"},
		{"update of 1000 rows", "update account set balance = balance + 1 where id between $1 and $1::int + 999"},
	} {
		b.Run(w.name, func(b *testing.B) {
			contestants := []*contender{newContender(b, clusters, 0, 1, func(b *testing.B, dsn [2]string, clients int) func(int) error {
				db, err := sql.Open("pgx", dsn[0])
				return executes(pool(b, db, err, clients), w.text)
			})}
			modes := []dualsql.Mirror{dualsql.MirrorStatement, dualsql.MirrorMixed, dualsql.MirrorRow}
			for _, mode := range modes {
				contestants = append(contestants, newContender(b, clusters, 0, 1, func(b *testing.B, dsn [2]string, clients int) func(int) error {
					return executes(openTwoPhase(b, dsn, clients, func(c *dualsql.Config) { c.Mirror = mode }), w.text)
				}))
			}
			medians := inTurns(b, contestants, func(c *contender, turn int) { benchNil(b, c.tx(1+turn%(benchRows-1000))) })
			b.ReportMetric(medians[0], "single-µs")
			for i, mode := range modes {
				b.ReportMetric(medians[i+1]/medians[0], string(mode)+"/single")
			}
		})
	}
}

func executes(db *sql.DB, text string) func(int) error {
	return func(id int) error {
		_, err := db.Exec(text, id)
		return err
	}
}
