package dualsql_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/testdb"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func TestSmokeSQLite(t *testing.T) {
	dir := t.TempDir()
	smoke(t, "file:"+filepath.Join(dir, "a.db"), "file:"+filepath.Join(dir, "b.db"))
}

func TestSmokePG(t *testing.T) {
	c := testdb.Clusters(t, 2)
	smoke(t, c[0].CreateDatabase(t), c[1].CreateDatabase(t))
}

func smoke(t *testing.T, p, s string) {
	db, err := sql.Open("dualsql", "primary='"+p+"' secondary='"+s+"' journal="+filepath.Join(t.TempDir(), "j"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.Exec("create table t (id int primary key, v text)"))
	must(db.Exec("insert into t values (?, ?)", 1, "x"))
	must(db.Exec("insert into t values ($1, $2)", 2, "y"))
	tx, err := db.Begin()
	must(nil, err)
	must(tx.Exec("update t set v = @v where id = @id", sql.Named("id", 1), sql.Named("v", "z")))
	var v string
	must(nil, tx.QueryRow("insert into t values (9, 'ret') returning v").Scan(&v))
	must(nil, tx.QueryRow("select v from t where id = $1", 9).Scan(&v))
	must(nil, tx.Commit())
	c, err := dualsql.FromDB(db)
	must(nil, err)
	st, err := c.Stats()
	t.Logf("%+v %v", st, err)
	pend, err := c.Pending()
	t.Log(pend, err)
	rec, err := c.Recover(context.Background())
	t.Log(rec, err)
}
