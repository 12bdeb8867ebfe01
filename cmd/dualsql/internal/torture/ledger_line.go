package torture

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql"
)

// The lines that a working process prints.
const (
	sayTry       = "try"       // value: it is going to try
	sayTold      = "told"      // value, outcome's letter, transaction or -, error: what its caller was told
	sayAnswer    = "answer"    // transaction, outcome's letter: what Connector.Outcome has said
	sayRecovered = "recovered" // how many transactions this run has recovered so far
	sayFailed    = "failed"    // error: the process cannot go on
	sayDone      = "done"      // it ends in good order
)

// hear takes one line of a life.
func (l *ledger) hear(n int, line string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	life := l.lives[n-1]
	life.lines++
	words := strings.SplitN(line, " ", 5)
	switch {
	case words[0] == sayTry && len(words) == 2:
		return l.try(life, n, words[1])
	case words[0] == sayTold && len(words) == 5 && len(words[2]) == 1:
		return l.tell(life, words[1], dualsql.Outcome(words[2][0]), words[3], words[4])
	case words[0] == sayAnswer && len(words) == 3 && len(words[2]) == 1:
		return l.answer(words[1], dualsql.Outcome(words[2][0]))
	case words[0] == sayRecovered && len(words) == 2:
		var err error
		life.recovers, err = strconv.Atoi(words[1])
		return err
	}
	return fmt.Errorf("a working process has said %q", line)
}

func (l *ledger) try(life *life, n int, text string) error {
	val, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return err
	}
	of, worker, number := split(val)
	for worker >= len(life.workers) {
		life.workers = append(life.workers, nil)
	}
	if of != n || number != len(life.workers[worker])+1 {
		return fmt.Errorf("process run %d has announced %s out of its turn", n, name(val))
	}
	life.workers[worker] = append(life.workers[worker], entry{tried: life.lines})
	l.total.Tried++
	return nil
}

func (l *ledger) tell(life *life, text string, o dualsql.Outcome, txid, why string) error {
	val, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return err
	}
	e := l.entry(val)
	if e == nil || e.told != 0 {
		return fmt.Errorf("%s has been told of without being tried, or twice", name(val))
	}
	e.told, e.said, e.why = life.lines, o, l.why(kind(why))
	switch o {
	case dualsql.Committed:
		l.total.Committed++
		life.worked = max(life.worked, e.tried)
		return nil
	case dualsql.RolledBack:
		l.total.RolledBack++
		return nil
	case dualsql.InDoubt:
		l.total.InDoubt++
	case dualsql.HalfDone:
		l.total.HalfDone++
	default:
		return fmt.Errorf("%s has been told to be %q", name(val), o)
	}
	id, err := uuid.Parse(txid)
	if err != nil {
		return err
	}
	if l.queries[id] != nil {
		return fmt.Errorf("two transactions have been told to be %s", id)
	}
	l.queries[id] = &query{val: val, txid: id, journal: life.journal, said: o}
	return nil
}

// kind is an error's text without what is different each time.
func kind(text string) string {
	const most = 300
	var b strings.Builder
	inNumber := false
	for _, word := range strings.Fields(text) {
		if _, err := uuid.Parse(strings.Trim(word, "():;,")); err == nil {
			word = "TXID"
		}
		b.WriteByte(' ')
		for _, r := range word {
			switch digit := unicode.IsDigit(r); {
			case !digit:
				b.WriteRune(r)
			case !inNumber:
				b.WriteByte('#')
			}
			inNumber = unicode.IsDigit(r)
		}
		inNumber = false
	}
	s := strings.TrimSpace(b.String())
	return s[:min(len(s), most)]
}

func (l *ledger) answer(text string, o dualsql.Outcome) error {
	id, err := uuid.Parse(text)
	if err != nil {
		return err
	}
	if q := l.queries[id]; q != nil {
		q.learn(o)
		return nil
	}
	return fmt.Errorf("an answer about %s, which nobody has asked for", id)
}

func (q *query) learn(o dualsql.Outcome) {
	for _, known := range q.answers {
		if known == o {
			return
		}
	}
	q.answers = append(q.answers, o)
}
