package tsql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/dualsql/dualsql/internal/testdb"
	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// TestClient runs the driver of SQL Server against the server of package tds and this package.
func TestClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := tds.Serve(l, newServer(t))
	t.Cleanup(server.Close)
	u := url.URL{Scheme: "sqlserver", User: url.UserPassword("sa", "secret"), Host: l.Addr().String(), RawQuery: "database=app&encrypt=disable"}
	db, err := dbsql.Open("sqlserver", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	if _, err := db.ExecContext(ctx, "create table t (id int identity primary key, g uniqueidentifier not null, n nvarchar(20) null, d decimal(9,2), at datetimeoffset, v varbinary(max))"); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456700, time.FixedZone("", 3600))
	tx, err := db.BeginTx(ctx, &dbsql.TxOptions{Isolation: dbsql.LevelSerializable})
	if err != nil {
		t.Fatal(err)
	}
	var id int
	err = tx.QueryRowContext(ctx, "insert t (g, n, d, at, v) output inserted.id values (@p1, @p2, @p3, @p4, @p5)",
		"6F9619FF-8B86-D011-B42D-00C04FC964FF", "é😀", "12.345", at, []byte{1, 2}).Scan(&id)
	if err != nil || id != 1 {
		t.Fatal(id, err)
	}
	if _, err := tx.ExecContext(ctx, "insert t (g) values (null)"); !is(err, 515) {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	var g mssql.UniqueIdentifier
	var n, d string
	var v []byte
	var got time.Time
	err = db.QueryRowContext(ctx, "select g, n, d, at, v from t where id = @id and n = @n", dbsql.Named("id", 1), dbsql.Named("n", "é😀")).Scan(&g, &n, &d, &got, &v)
	if err != nil || g.String() != "6F9619FF-8B86-D011-B42D-00C04FC964FF" || n != "é😀" || d != "12.35" || !got.Equal(at) || len(v) != 2 {
		t.Errorf("%v %q %q %v %v %v", g, n, d, got, v, err)
	}
	wait, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if _, err := db.ExecContext(wait, "waitfor delay '00:01:00'"); err == nil {
		t.Error("a wait of a minute has not been cancelled")
	}
	other, err := dbsql.Open("sqlserver", "sqlserver://sa:secret@"+l.Addr().String()+"?database=other&encrypt=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.PingContext(ctx); !is(err, 4060) {
		t.Errorf("a database that is not there: %v", err)
	}
}

func is(err error, number int32) bool {
	var e mssql.Error
	return errors.As(err, &e) && e.Number == number
}

// TestLost: what PostgreSQL's end does to a session is an error, and not a message.
func TestLost(t *testing.T) {
	cluster := testdb.Clusters(t, 1)[0]
	dsn := cluster.CreateDatabase(t)
	s := New(func(string) string { return dsn })
	a, b := login(t, s), login(t, s)
	a.must("create table t (id int primary key)")
	for _, begin := range []string{"select 1", "begin tran; insert t values (1)"} {
		lost := login(t, s)
		lost.must(begin)
		pid := lost.session.(*session).pg.PID()
		if _, err := b.session.(*session).ask(t.Context(), fmt.Sprintf("select pg_terminate_backend(%d, 5000)", pid)); err != nil {
			t.Fatal(err)
		}
		if _, err := lost.session.Batch("select 1", nil, lost); err == nil {
			t.Errorf("after %q: no error", begin)
		}
		if err := lost.session.Commit(lost); err == nil && begin != "select 1" {
			t.Error("a commit of a lost session")
		}
	}
	a.check("select count(*) from t", "0 / (1)")
}

// TestLogins: many at once make the support objects once.
func TestLogins(t *testing.T) {
	s := newServer(t)
	failures := make(chan error, 8)
	for range cap(failures) {
		go func() {
			one, err := s.Login("sa", "", "app")
			if err == nil {
				_, err = one.Batch("select 1", nil, &recorder{})
				one.Close()
			}
			failures <- err
		}()
	}
	for range cap(failures) {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Login("sa", "", "nowhere"); !errors.Is(err, tds.ErrNoDatabase) {
		t.Errorf("a database that is not there: %v", err)
	}
}
