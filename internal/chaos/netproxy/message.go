package netproxy

import "strings"

// Message is a message of a client, as a rule sees it. What a client sends to log in, or to cancel something, is not shown
// to rules.
type Message struct {
	// Type says what the message is. For PostgreSQL it is the message's type byte ("Message Formats" in its manual): 'Q'
	// Query, 'P' Parse, 'B' Bind, 'D' Describe, 'E' Execute, 'S' Sync and so on. For TDS it is that of the message's packets
	// (MS-TDS 2.2.3.1.1): 0x01 batch, 0x03 RPC, 0x07 bulk load, 0x0E transaction manager request. No byte is both.
	Type byte
	// Text is the SQL of a Query or Parse, and for Bind and Execute that of the statement they are for; the SQL of a batch,
	// and of an RPC that executes or prepares SQL; the name of any other procedure; and for a transaction manager request
	// BEGIN, COMMIT, ROLLBACK or SAVE TRANSACTION. It is empty for other messages.
	Text string
	// Runs is set if the message runs its Text, at once and by itself. A Parse, a Bind and an RPC that only prepares do not.
	Runs bool
}

// SQLContains matches what runs SQL that contains the fragment, in upper or lower case: a Query, or the Execute of a
// prepared statement; a batch, a procedure or a transaction manager request. The Parse before an Execute does not match.
func SQLContains(fragment string) func(Message) bool {
	fragment = strings.ToLower(fragment)
	return func(m Message) bool { return m.Runs && strings.Contains(strings.ToLower(m.Text), fragment) }
}

// Nth matches the nth message, counted from 1, that match matches. It counts for one rule: each needs its own.
func Nth(n int, match func(Message) bool) func(Message) bool {
	seen := 0
	return func(m Message) bool {
		if match(m) {
			seen++
			return seen == n
		}
		return false
	}
}
