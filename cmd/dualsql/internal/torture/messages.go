package torture

import (
	"context"
	"time"

	"github.com/dualsql/dualsql"
	"github.com/dualsql/dualsql/internal/chaos/netproxy"
)

// The messages that a commit is made of: on these a loss hurts most.
var messages = []string{"commit", "prepare transaction", "commit prepared", "rollback"}

var actions = []netproxy.Action{netproxy.CutBefore, netproxy.DropReply, netproxy.LateRequest, netproxy.HoldRequest, netproxy.HoldReply}

// lose loses or holds up some of the next messages that commits send to a side, or the replies to them. A late request
// arrives when its sender has long given it up. Every other time a process is killed right after the first of them: there is
// no surer way to hit one in the middle of a commit, with its messages still on their way.
func (m *monkey) lose(p *netproxy.Proxy) func(context.Context) error {
	text, action := messages[m.random.IntN(len(messages))], actions[m.random.IntN(len(actions))]
	n, length, soon := 1+m.random.IntN(8), m.within(3*time.Second), m.within(m.within(300*time.Millisecond)+1)
	kill := m.kill(m.random.IntN(len(m.t.slots)), m.t.Commit == dualsql.TwoPhase && m.random.IntN(6) == 0)
	if m.random.IntN(2) == 0 {
		kill = nil
	}
	return func(ctx context.Context) error {
		ctx, over := context.WithTimeout(ctx, length)
		defer over()
		rule := p.OnRequests(n, netproxy.SQLContains(text), action)
		defer rule.Release()
		defer p.Remove(rule)
		for {
			select {
			case _, more := <-rule.Fired():
				if !more {
					<-ctx.Done() // what is held is released by the time, not by the count
					return nil
				}
				m.did(&m.count.Messages)
				if kill != nil {
					_ = pause(ctx, soon)
					if err := kill(ctx); err != nil {
						return err
					}
					kill = nil
				}
			case <-ctx.Done():
				return nil
			}
		}
	}
}
