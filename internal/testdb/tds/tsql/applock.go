package tsql

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dualsql/dualsql/internal/testdb/tds"
)

// applock is one that has been granted; what is granted twice is held twice. PostgreSQL holds it for the session, so that a
// transaction's can be released early; the end of the transaction releases it otherwise.
type applock struct {
	resource, mode string
	ofTran         bool
}

// applockModes, from the weakest.
var applockModes = []string{"IntentShared", "Shared", "Update", "IntentExclusive", "Exclusive"}

// What sp_getapplock returns ("sp_getapplock", return code values).
const (
	granted        = 0
	grantedWaiting = 1
	timedOut       = -1
	deadlocked     = -3
	invalid        = -999
)

// applockArgs reads the arguments, by name or in the order of the documentation.
func applockArgs(args []actual, order ...string) map[string]value {
	byName := map[string]value{}
	for i, a := range args {
		name := a.name
		if name == "" && i < len(order) {
			name = order[i]
		}
		byName[strings.ToLower(name)] = a.value
	}
	return byName
}

func (f *frame) getApplock(args []actual) (int32, error) {
	s := f.s
	given := applockArgs(args, "@Resource", "@LockMode", "@LockOwner", "@LockTimeout", "@DbPrincipal")
	ofTran, ok := owner(given)
	resource, mode := given["@resource"], given["@lockmode"].text
	timeout := s.lockTimeout
	if v, ok := given["@locktimeout"]; ok && !v.null {
		n, err := f.int(operand{code: sql(v.literal()), plain: &v})
		if err != nil {
			return 0, err
		}
		timeout = int(n)
	}
	at := slices.IndexFunc(applockModes, func(m string) bool { return strings.EqualFold(m, mode) })
	if !ok || at < 0 || resource.null || resource.text == "" || ofTran && s.tran.count == 0 {
		return invalid, nil
	}
	lock := applock{resource.text, applockModes[at], ofTran}
	free, err := f.tryApplock(lock)
	if err != nil {
		return 0, err
	}
	if free {
		s.applocks = append(s.applocks, lock)
		return granted, nil
	}
	if timeout == 0 {
		return timedOut, nil
	}
	code, err := f.waitApplock(lock, timeout)
	if err == nil && code == grantedWaiting {
		s.applocks = append(s.applocks, lock)
	}
	return code, err
}

// owner is Transaction unless it is said.
func owner(given map[string]value) (ofTran, ok bool) {
	v, said := given["@lockowner"]
	switch {
	case !said, strings.EqualFold(v.text, "Transaction"):
		return true, true
	case strings.EqualFold(v.text, "Session"):
		return false, true
	}
	return false, false
}

func (l applock) call(function string) string {
	return "select tsql." + function + "(" + literal(l.resource) + ", " + literal(l.mode) + ")"
}

func (f *frame) tryApplock(l applock) (free bool, err error) {
	_, err = f.perform(work{main: l.call("applock_try"), reads: true, kept: true, take: func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			free = string(r.Values()[0]) == "t"
		}
		return nil
	}})
	return free, err
}

func (f *frame) waitApplock(l applock, timeout int) (int32, error) {
	s := f.s
	old := s.lockTimeout
	s.lockTimeout = timeout
	_, err := f.perform(work{main: l.call("applock_wait"), reads: true, kept: true})
	s.lockTimeout = old
	fl, ok := asFailure(err)
	switch {
	case err == nil:
		return grantedWaiting, nil
	case ok && fl.Number == 1222:
		return timedOut, nil
	case ok && fl.Number == 1205:
		return deadlocked, nil
	}
	return 0, err
}

func (f *frame) releaseApplock(args []actual) (int32, error) {
	given := applockArgs(args, "@Resource", "@LockOwner", "@DbPrincipal")
	ofTran, ok := owner(given)
	resource := given["@resource"].text
	at := -1
	for i, l := range f.s.applocks {
		if ok && l.resource == resource && l.ofTran == ofTran {
			at = i
		}
	}
	if at < 0 {
		return invalid, fail(1223, 1, 16, "Cannot release the application lock (Database Principal: 'public', Resource: '%s') because it is not "+
			"currently held.", resource)
	}
	l := f.s.applocks[at]
	if _, err := f.perform(work{main: l.release(), reads: true}); err != nil {
		return invalid, err
	}
	f.s.applocks = slices.Delete(f.s.applocks, at, at+1)
	return granted, nil
}

func (l applock) release() string {
	return "select tsql.applock_undo(" + literal(l.resource) + ", " + literal(l.mode) + ", 4)"
}

// forgetApplocks returns what releases the transaction's locks.
func (s *session) forgetApplocks(ofTran bool) string {
	var texts []string
	s.applocks = slices.DeleteFunc(s.applocks, func(l applock) bool {
		if l.ofTran == ofTran {
			texts = append(texts, l.release())
		}
		return l.ofTran == ofTran
	})
	return strings.Join(texts, "; ")
}

// applockMode is APPLOCK_MODE(principal, resource, owner): the strongest mode that the session holds.
func applockMode(args []code) gap {
	return func(f *frame) (string, error) {
		if len(args) != 3 {
			return "", refusal(174, f.line, "The applock_mode function requires 3 argument(s).")
		}
		resource, err := f.text(operand{code: args[1]})
		if err != nil {
			return "", err
		}
		who, err := f.text(operand{code: args[2]})
		if err != nil {
			return "", err
		}
		strongest := -1
		for _, l := range f.s.applocks {
			if l.resource == resource && l.ofTran == strings.EqualFold(who, "Transaction") {
				strongest = max(strongest, slices.Index(applockModes, l.mode))
			}
		}
		mode := "NoLock"
		if strongest >= 0 {
			mode = applockModes[strongest]
		}
		return value{Type: tds.Type{Kind: tds.NVarChar, Size: 32}, text: mode}.literal(), nil
	}
}
