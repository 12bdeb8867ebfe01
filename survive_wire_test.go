package dualsql_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos"
	"github.com/dualsql/dualsql/internal/testdb"
)

// isCommit matches the message that commits a transaction of the application's, with or without a marker. The transactions
// that dualsql runs for itself come in one message with their BEGIN.
func isCommit(m chaos.Message) bool {
	text := strings.TrimSuffix(strings.ToLower(m.Text), " transaction;") // SQL Server's
	return m.Runs && strings.HasSuffix(text, "commit") && !strings.HasPrefix(text, "begin") && !strings.Contains(text, "begin transaction;")
}

// isPrepare matches the message that prepares a transaction.
func isPrepare(m chaos.Message) bool {
	return m.Type == 'Q' && strings.Contains(strings.ToLower(m.Text), "prepare transaction '")
}

// isSecond returns what matches the message that commits the side that follows.
func (w *world) isSecond() func(chaos.Message) bool {
	if w.protocol == dualsql.TwoPhase {
		return chaos.SQLContains("commit prepared '")
	}
	return isCommit
}

// isFence matches the message by which a recovery fences a transaction.
func isFence(m chaos.Message) bool {
	return m.Runs && strings.Contains(unquoted(m), "into dualsql.commit") && strings.Contains(m.Text, "'A'")
}

// isCollection matches the message that deletes markers of transactions that nobody asks for any more.
func isCollection(m chaos.Message) bool {
	return m.Runs && strings.Contains(unquoted(m), "delete from dualsql.commit")
}

func unquoted(m chaos.Message) string { return strings.NewReplacer("[", "", "]", "").Replace(m.Text) }

// lost is one way to lose the reply to a request.
type lost struct {
	name    string
	action  chaos.Action
	through bool // the request got to the server
}

var (
	lostReplies = []lost{
		{"got through", chaos.DropReply, true},
		{"did not get through", chaos.CutBefore, false},
	}
	// late: when it gets through, its sender has long given it up for lost.
	late = lost{"comes late", chaos.LateRequest, false}
)

// cancelled is closed when pgx has done with the primary's connection that n's next write uses, once it is lost: it asks the
// server to cancel what runs there, and what arrives meanwhile may be hit.
func (w *world) cancelled(n *node) (done <-chan struct{}) {
	w.Helper()
	c, err := n.Conn(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	err = c.Raw(func(dc any) error {
		done = dc.(*dualsql.Conn).Primary().(*stdlib.Conn).Conn().PgConn().CleanupDone()
		return nil
	})
	if err = errors.Join(err, c.Close()); err != nil {
		w.Fatal(err)
	}
	return done
}

// fired waits until a rule has acted.
func (w *world) fired(r *chaos.Rule) {
	w.Helper()
	select {
	case <-r.Fired():
	case <-time.After(patience):
		w.Fatal("the message never came")
	}
}

var txidIn = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// hold has an action done to the nth message that matches, and yields its transaction's id once that has happened.
func (w *world) hold(proxy *chaos.Proxy, n int, match func(chaos.Message) bool, action chaos.Action) (*chaos.Rule, func() string) {
	var txid atomic.Value
	nth := chaos.Nth(n, match)
	rule := proxy.OnRequest(func(m chaos.Message) bool {
		if !nth(m) {
			return false
		}
		txid.Store(txidIn.FindString(m.Text))
		return true
	}, action)
	return rule, func() string {
		w.Helper()
		w.fired(rule)
		return txid.Load().(string)
	}
}

// cutWhenHeld takes the server away at the moment when it has (HoldReply) or has not yet (HoldRequest) run the next COMMIT.
func cutWhenHeld(proxy *chaos.Proxy, action chaos.Action) {
	rule := proxy.OnRequest(isCommit, action)
	go func() {
		<-rule.Fired()
		proxy.Down()
	}()
}

// alone waits until the server has ended every session in the database but the test's own.
func (w *world) alone(side int) {
	w.Helper()
	w.raw[side].SetMaxOpenConns(1)
	sessions := "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name <> '" + testdb.Resting + "'"
	if w.engines[side] == "sqlserver" {
		sessions = "select count(*) from sys.dm_exec_sessions where database_id = db_id() and session_id <> @@spid"
	}
	w.eventually("the server is alone", func() bool { return w.count(side, sessions) == 0 })
}
