package dualsql_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
)

func TestSurvive07PrepareReplyLost(t *testing.T) {
	t.Parallel()
	for _, l := range append(slices.Clone(lostReplies), late) {
		t.Run(l.name, func(t *testing.T) {
			on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(w.follows)
				n := w.openWarm()
				rule := proxy.OnRequest(isPrepare, l.action)
				err := write(n.DB, 1)
				w.told(err, dualsql.RolledBack)
				if !strings.Contains(err.Error(), sideName(w.follows)) {
					t.Errorf("%v does not say where it happened", err)
				}
				if got := w.prepared(w.follows); got != 0 {
					t.Errorf("%d are left prepared", got)
				}
				w.pending(n)
				rule.Release()
				w.is(w.writes(n, 2)-1, both)
				w.close(n)
				w.alone(w.follows) // what came late has come
				w.is(1, neither)
			})
		})
	}
}

func sideName(side int) string { return []string{"primary", "secondary"}[side] }

// The server that may have prepared it cannot be asked: the caller is told the truth all the same, and the rest follows.
func TestSurvive07PrepareReplyLostServerGone(t *testing.T) {
	t.Parallel()
	for _, l := range []lost{{"got through", chaos.HoldReply, true}, {"did not get through", chaos.HoldRequest, false}} {
		t.Run(l.name, func(t *testing.T) {
			on{protocols: underTwoPhase, options: "commit_timeout=2s"}.each(t, func(t *testing.T, w *world) {
				proxy := w.behind(w.follows)
				n := w.openWarm()
				rule := proxy.OnRequest(isPrepare, l.action)
				result := n.writing(1)
				w.fired(rule)
				proxy.Down()
				w.result(result, dualsql.RolledBack)
				if p := w.pending(n, dualsql.InDoubt)[0]; p.Problem == "" {
					t.Error("nothing is said of why it has to wait")
				}
				proxy.Up()
				w.settled(n)
				w.is(1, neither)
				w.is(w.writes(n, 2)-1, both)
			})
		})
	}
}

// PREPARE comes between the look at what is prepared and the fence, which then waits for it in vain.
func TestSurvive07PrepareBetweenLookAndFence(t *testing.T) {
	t.Parallel()
	on{follows: "postgres", protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
		proxy := w.behind(w.follows)
		n := w.openWarm()
		prepare := proxy.OnRequest(isPrepare, chaos.LateRequest)
		fence := proxy.OnRequest(isFence, chaos.HoldRequest)
		result := n.writing(1)
		w.fired(prepare)
		w.fired(fence)
		prepare.Release()
		w.eventually("it is prepared", func() bool { return w.prepared(w.follows) == 1 })
		fence.Release()
		w.result(result, dualsql.RolledBack)
		w.is(1, neither)
		w.pending(n)
		w.nothingPrepared()
	})
}

// A transaction that has failed behind dualsql's back. The marker in front of PREPARE TRANSACTION is refused in it, so that the
// server comes to answer ROLLBACK only if that is taken away.
func TestSurvive08PrepareAnswersRollback(t *testing.T) {
	t.Parallel()
	for _, markerless := range []bool{false, true} {
		name := "the marker is refused"
		if markerless {
			name = "ROLLBACK"
		}
		t.Run(name, func(t *testing.T) {
			on{protocols: underTwoPhase}.each(t, func(t *testing.T, w *world) {
				if markerless {
					w.withoutMarkers(w.follows)
				}
				n := w.open()
				if w.follows == primary && markerless {
					t.Skip("dualsql knows the primary's state, and does not come to PREPARE TRANSACTION")
				}
				err := w.behindItsBack(n, w.follows, "select 1/0")
				w.told(err, dualsql.RolledBack)
				if markerless != (errors.Is(err, pgx.ErrTxCommitRollback) && w.follows == secondary) {
					t.Errorf("the caller was told %v", err)
				}
				w.is(1, neither)
				w.pending(n)
			})
		})
	}
}

// The same on a secondary that only commits.
func TestSurvive08FailedBehindItsBack(t *testing.T) {
	t.Parallel()
	on{protocols: []dualsql.Protocol{dualsql.Marker, dualsql.BestEffort}, secondary: "postgres"}.each(t, func(t *testing.T, w *world) {
		n := w.open()
		err := w.behindItsBack(n, secondary, "select 1/0")
		w.pending(n)
		if w.protocol == dualsql.BestEffort {
			w.told(err, dualsql.RolledBack)
			w.is(1, neither)
		} else if w.told(err, dualsql.Committed); w.where(1) != both { // by its redo
			t.Errorf("the transaction is on %s", w.where(1))
		}
	})
}

// A transaction that a hand has ended on the side that is to follow, which then has nothing to prepare but a marker.
func TestSurvive08EndedBehindItsBack(t *testing.T) {
	t.Parallel()
	on{follows: server}.each(t, func(t *testing.T, w *world) {
		n := w.open()
		err := w.behindItsBack(n, w.follows, "rollback")
		switch {
		case w.engines[w.follows] != "sqlserver":
			w.told(err, dualsql.RolledBack)
			w.is(1, neither)
			w.pending(n)
		case w.protocol == dualsql.Marker: // SQL Server's driver does not tell; the redo mends it
			w.told(err, dualsql.Committed)
			if got := w.where(1); got != both {
				w.Errorf("the transaction is on %s", got)
			}
			w.pending(n)
		default:
			w.told(err, dualsql.HalfDone)
			w.is(1, primaryOnly)
			w.reported(n, dualsql.HalfDone)
		}
	})
}

// behindItsBack runs transaction 1, and text on one side's raw connection before its Commit.
func (w *world) behindItsBack(n *node, side int, text string) error {
	w.Helper()
	ctx := context.Background()
	c, err := n.Conn(ctx)
	if err != nil {
		w.Fatal(err)
	}
	defer c.Close()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		w.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "insert into entry values (1, 'written')"); err != nil {
		w.Fatal(err)
	}
	err = c.Raw(func(dc any) error {
		raw, err := dc.(*dualsql.Conn).Primary(), error(nil)
		if side == secondary {
			raw, err = dc.(*dualsql.Conn).Secondary(ctx)
		}
		if err != nil {
			return err
		}
		if pg, ok := raw.(*stdlib.Conn); ok {
			_, _ = pg.Conn().Exec(ctx, text) // it may be meant to fail
			return nil
		}
		s, err := raw.Prepare(text)
		if err != nil {
			return err
		}
		_, err = s.(driver.StmtExecContext).ExecContext(ctx, nil)
		return errors.Join(err, s.Close())
	})
	if err != nil {
		w.Fatal(err)
	}
	return tx.Commit()
}

// withoutMarkers puts a relay in front of one side that takes away what stands in front of PREPARE TRANSACTION in its message.
func (w *world) withoutMarkers(side int) {
	w.Helper()
	u, err := url.Parse(w.dsn[side])
	if err != nil {
		w.Fatal(err)
	}
	server := u.Host
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { l.Close() })
	u.Host = l.Addr().String()
	w.dsn[side] = u.String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go relay(c, server)
		}
	}()
}

func relay(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp4", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(client, server) }()
	from := bufio.NewReader(client)
	for size := 4; ; size = 5 { // the first message has no type
		head := make([]byte, size)
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		length := head[size-4:]
		body := make([]byte, binary.BigEndian.Uint32(length)-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if i := bytes.Index(body, []byte("prepare transaction '")); head[0] == 'Q' && i > 0 {
			body = body[i:]
			binary.BigEndian.PutUint32(length, uint32(4+len(body)))
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}
