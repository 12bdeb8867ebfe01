package dualsql

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dualsql/dualsql/internal/wal"
)

// The types of the journal's records. They are part of its format.
const (
	recordIntent  = 'I' // a commit is about to be tried; payload: the intent
	recordDecided = 'D' // the side that decides has committed
	recordTold    = 'T' // the caller was told that the transaction is in doubt or half done
	recordEnd     = 'E' // it has ended; payload: the Outcome's byte
)

// journal is the intent journal: what is open, on disk and in memory. Safe for concurrent use.
type journal struct {
	log  *wal.Log
	aead cipher.AEAD // nil: not encrypted

	mu       sync.Mutex
	open     map[uuid.UUID]*entry
	outcomes map[uuid.UUID]ended // of transactions that a caller or an operator may ask for
	ages     ages                // the keys of outcomes
	newest   uint64              // the highest segment known
	pruned   uint64              // newest when end last reported it

	oldest uint64 // the lowest segment that may still be on disk; only prune uses it
}

// entry is an intent that has no end yet.
type entry struct {
	*intent
	segment uint64
	decided bool // the side that decides has committed
	told    bool
	problem error // why the last attempt to end it failed
}

// journalFS, if set, is where journals are opened. Tests put a file system there that fails as disks do.
var journalFS wal.FS

// openJournal takes the directory into possession and reads what is open.
func openJournal(dir string, key []byte) (*journal, error) {
	j := &journal{open: map[uuid.UUID]*entry{}, outcomes: map[uuid.UUID]ended{}, oldest: 1}
	var err error
	if j.aead, err = newAEAD(key); err != nil {
		return nil, err
	}
	r := replay{journal: j, open: map[uuid.UUID]*replayed{}}
	for wait := firstWait; ; wait *= 2 {
		j.log, err = wal.Open(dir, wal.Options{FS: journalFS}, r.record)
		var locked *wal.LockedError
		if !errors.As(err, &locked) || wait > maxLockWait {
			break
		}
		// A predecessor that is just being killed, or a look at who holds it, is gone in a moment.
		time.Sleep(wait)
	}
	if err == nil {
		if err = r.finish(); err != nil {
			err = errors.Join(err, j.log.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("dualsql: journal: %w", err)
	}
	j.pruned = j.newest
	return j, nil
}

// maxLockWait is the longest single wait for the journal's lock.
const maxLockWait = 100 * time.Millisecond

func newAEAD(key []byte) (cipher.AEAD, error) {
	if len(key) == 0 {
		return nil, nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, configError("journal.key", err.Error())
	}
	return cipher.NewGCM(block)
}

// encode lays an intent out as a head in the clear and a body, encrypted if there is a key.
func (j *journal) encode(in *intent) ([]byte, error) {
	body, err := in.appendBody(nil)
	if err != nil {
		return nil, err
	}
	b := in.appendHead([]byte{boolByte(j.aead != nil)})
	if j.aead == nil {
		return append(b, body...), nil
	}
	nonce := make([]byte, j.aead.NonceSize())
	rand.Read(nonce) // never fails
	return j.aead.Seal(append(b, nonce...), nonce, body, in.txid[:]), nil
}

func (j *journal) decode(txid uuid.UUID, payload []byte) (*intent, error) {
	in := &intent{txid: txid}
	d := &decoder{b: payload}
	sealed := d.byte() == 1
	in.readHead(d)
	if sealed && d.err == nil {
		if j.aead == nil {
			return in, fmt.Errorf("transaction %s is encrypted: %w", txid, errNoKey)
		}
		nonce := d.bytes(uint64(j.aead.NonceSize()))
		if nonce == nil {
			return in, fmt.Errorf("transaction %s: %w", txid, d.err)
		}
		body, err := j.aead.Open(nil, nonce, d.b, txid[:])
		if err != nil {
			return in, fmt.Errorf("transaction %s cannot be decrypted: journal.key is not the one it was written with", txid)
		}
		d.b = body
	}
	in.readBody(d)
	if d.err != nil {
		return in, fmt.Errorf("transaction %s cannot be read: %w", txid, d.err)
	}
	return in, nil
}

var errNoKey = errors.New("set journal.key to the key it was written with")

// begin makes the intent durable. After an error nothing may commit.
func (j *journal) begin(in *intent, limit int64) (*entry, error) {
	return j.beginBy(j.log.AppendSync, in, limit)
}

// beginLoose is begin for an intent that a power loss may take, but not the death of the process. After an error nothing may
// commit either.
func (j *journal) beginLoose(in *intent, limit int64) (*entry, error) {
	return j.beginBy(j.log.Append, in, limit)
}

func (j *journal) beginBy(put func(wal.Record) (uint64, error), in *intent, limit int64) (*entry, error) {
	payload, err := j.encode(in)
	if err != nil {
		return nil, fmt.Errorf("dualsql: transaction %s: %w", in.txid, err)
	}
	if int64(len(payload)) > limit {
		return nil, fmt.Errorf("dualsql: transaction %s needs %d bytes in the journal, the limit is %d: %w; raise journal.redo_limit or make the transaction smaller",
			in.txid, len(payload), limit, ErrRedoTooLarge)
	}
	e := &entry{intent: in}
	// It is listed before it is written: a prune in between must not delete its segment.
	j.mu.Lock()
	e.segment = j.newest
	j.open[in.txid] = e
	j.mu.Unlock()
	segment, err := put(wal.Record{Type: recordIntent, TxID: in.txid, Payload: payload})
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		delete(j.open, in.txid)
		return nil, fmt.Errorf("dualsql: transaction %s: the journal refused the intent: %w", in.txid, err)
	}
	e.segment = segment
	j.newest = max(j.newest, segment)
	return e, nil
}

// decide notes that the side that decides has committed. It need not be durable: the fence tells too.
func (j *journal) decide(e *entry) error {
	j.mu.Lock()
	e.decided = true
	j.mu.Unlock()
	_, err := j.log.Append(wal.Record{Type: recordDecided, TxID: e.txid})
	return err
}

// tell notes that the caller was given the transaction's id to ask for later.
func (j *journal) tell(e *entry, problem error) error {
	j.mu.Lock()
	e.problem = problem
	told := e.told
	e.told = true
	j.mu.Unlock()
	if told {
		return nil
	}
	_, err := j.log.AppendSync(wal.Record{Type: recordTold, TxID: e.txid})
	return err
}

// tellAll is tell for all that is open, with one sync.
func (j *journal) tellAll() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	told := false
	for txid, e := range j.open {
		if e.told {
			continue
		}
		e.told, told = true, true
		if _, err := j.log.Append(wal.Record{Type: recordTold, TxID: txid}); err != nil {
			return err
		}
	}
	if !told {
		return nil
	}
	return j.log.Sync()
}

// end closes the entry. It need not be durable: ending it again changes nothing. rotated reports that a segment has been
// begun since it was last asked, so that older ones may be of no use any more.
func (j *journal) end(e *entry, o Outcome) (rotated bool, err error) {
	// Under the lock, so that no intent is carried over behind its end.
	j.mu.Lock()
	defer j.mu.Unlock()
	segment, err := j.log.Append(wal.Record{Type: recordEnd, TxID: e.txid, Payload: []byte{byte(o)}})
	delete(j.open, e.txid)
	j.newest = max(j.newest, segment)
	if e.told {
		j.remember(e.txid, o, segment)
	}
	rotated = j.newest > j.pruned
	j.pruned = j.newest
	return rotated, err
}

// entries returns what is open, oldest first. The entries' fields are copies.
func (j *journal) entries() []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]entry, 0, len(j.open))
	for _, e := range j.open {
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b entry) int { return byAge(a.txid, b.txid) })
	return list
}

func (j *journal) find(txid uuid.UUID) *entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.open[txid]
}

// prune deletes the segments in which nothing is open, after carrying over what has to stay: the outcomes, and the entries
// that may be listed for long.
func (j *journal) prune() error {
	keep, err := j.carry()
	if err != nil || keep <= j.oldest {
		return err
	}
	// What was carried over must not be lost with the segment it came from.
	if err := j.log.Sync(); err != nil {
		return err
	}
	if err := j.log.Prune(keep); err != nil {
		return err
	}
	j.oldest = keep
	return nil
}

// carry writes again, to the newest segment, what is in older ones and must outlive them. It returns the oldest segment
// that is still needed.
func (j *journal) carry() (keep uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	keep = j.newest
	put := func(kind byte, txid uuid.UUID, payload []byte) (segment uint64) {
		if err == nil {
			segment, err = j.log.Append(wal.Record{Type: kind, TxID: txid, Payload: payload})
		}
		return segment
	}
	for txid, e := range j.open {
		if !e.told || e.segment >= j.newest {
			keep = min(keep, e.segment)
			continue
		}
		payload, perr := j.encode(e.intent)
		if perr != nil {
			return 0, perr
		}
		segment := put(recordIntent, txid, payload)
		if e.decided {
			put(recordDecided, txid, nil)
		}
		put(recordTold, txid, nil)
		if err == nil {
			e.segment = segment
		}
	}
	for txid, e := range j.outcomes {
		if e.segment < keep {
			j.outcomes[txid] = ended{e.outcome, put(recordEnd, txid, []byte{byte(e.outcome)})}
		}
	}
	return keep, err
}

func (j *journal) id() uuid.UUID { return j.log.ID() }

func (j *journal) close() error { return j.log.Close() }

// now is the time that intents bear.
func now() time.Time { return time.Now().Round(0) }

// state tells where an open entry stands.
func (j *journal) state(e *entry) Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	return e.state()
}

func (e *entry) state() Outcome {
	if e.decided {
		return HalfDone
	}
	return InDoubt
}

func (j *journal) problemOf(e *entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return e.problem
}
